/** The canonical statement, as its bytes say it. See finance/bank_session/statements.py for the form. */
export interface Fact {
  label: string;
  value: string;
}

export interface Statement {
  title: string;
  bank: string;
  amount: { fen: number; text: string; words: string } | null;
  lines: Fact[];
}

/** A fact as it is drawn: `before` is what it said when the person last looked, if that was something else. */
export interface ShownFact extends Fact {
  before?: string;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Reads what is drawn from the very text that is hashed. Throws where it is no statement of this version. */
export function parseStatement(text: string): Statement {
  const read = JSON.parse(text) as Partial<Statement> & { version?: unknown };
  const { title, bank, amount, lines } = read;
  if (read.version !== 1 || !isText(title) || !isText(bank) || !Array.isArray(lines)) throw new TypeError("no statement");
  for (const line of lines) if (!isText(line.label) || !isText(line.value)) throw new TypeError("no statement");
  if (amount && (!isText(amount.text) || !isText(amount.words))) throw new TypeError("no statement");
  return { title, bank, amount: amount ?? null, lines };
}

/** SHA-256 of the text's UTF-8 bytes, as hex: the server hashed the same bytes. */
export async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two statements say the same to a reader; nonce and time may differ. */
export function sameWords(a: Statement, b: Statement): boolean {
  return JSON.stringify([a.title, a.amount, a.lines]) === JSON.stringify([b.title, b.amount, b.lines]);
}

/** The facts of `now`, each with what it said in `seen` where that differs; a fact that is new was nothing before. */
export function compare(now: Statement, seen: Statement): { facts: ShownFact[]; amountBefore?: string } {
  const before = new Map(seen.lines.map((line) => [line.label, line.value]));
  const facts = now.lines.map((line) => {
    const old = before.get(line.label);
    return old === line.value ? line : { ...line, before: old ?? "" };
  });
  const old = seen.amount?.text ?? "";
  return (now.amount?.text ?? "") === old ? { facts } : { facts, amountBefore: old };
}
