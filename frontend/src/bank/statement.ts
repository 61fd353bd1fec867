/** The canonical statement, as its bytes say it. See finance/bank_session/statements.py for the form. */
export interface Fact {
  label: string;
  value: string;
}

/** A document that belongs to what is confirmed, by the SHA-256 of its bytes: 64 hex digits. */
export interface NamedDocument {
  title: string;
  sha256: string;
}

export interface Statement {
  title: string;
  bank: string;
  amount: { fen: number; text: string; words: string } | null;
  lines: Fact[];
  documents: NamedDocument[];
  /** When these bytes were made, UTC: "2026-11-23T06:00:00Z". */
  at: string;
}

/** A fact as it is drawn: `before` is what it said when the person last looked, if that was something else. */
export interface ShownFact extends Fact {
  before?: string;
}

/** A document as it is drawn: `before` is the hash that it had when the person last looked, if that was another. */
export interface ShownDocument extends NamedDocument {
  before?: string;
}

export interface Comparison {
  facts: ShownFact[];
  documents: ShownDocument[];
  amountBefore?: string;
}

const SHA256 = /^[0-9a-f]{64}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isMoment(value: unknown): value is string {
  return isText(value) && MOMENT.test(value) && !Number.isNaN(Date.parse(value));
}

/** Reads what is drawn from the very text that is hashed. Throws where it is no statement of this version. */
export function parseStatement(text: string): Statement {
  const read = JSON.parse(text) as Partial<Statement> & { version?: unknown };
  const { title, bank, amount, lines, documents, at } = read;
  if (read.version !== 1 || !isText(title) || !isText(bank) || !isMoment(at)) throw new TypeError("no statement");
  if (!Array.isArray(lines) || !Array.isArray(documents)) throw new TypeError("no statement");
  for (const line of lines) if (!isText(line.label) || !isText(line.value)) throw new TypeError("no statement");
  for (const one of documents) if (!isText(one.title) || !isText(one.sha256) || !SHA256.test(one.sha256)) throw new TypeError("no statement");
  if (amount && (!isText(amount.text) || !isText(amount.words))) throw new TypeError("no statement");
  return { title, bank, amount: amount ?? null, lines, documents, at };
}

/** SHA-256 of the text's UTF-8 bytes, as hex: the server hashed the same bytes. */
export async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two statements say the same to a reader; nonce and time may differ. */
export function sameWords(a: Statement, b: Statement): boolean {
  const words = ({ title, bank, amount, lines, documents }: Statement): string => JSON.stringify([title, bank, amount, lines, documents]);
  return words(a) === words(b);
}

/** What `now` says, each fact and document with what it said in `seen` where that differs; what is new was "" before. */
export function compare(now: Statement, seen: Statement): Comparison {
  const [said, held] = [new Map<string, string>(), new Map<string, string>()];
  for (const { label, value } of seen.lines) said.set(label, value);
  for (const { title, sha256 } of seen.documents) held.set(title, sha256);
  const facts = now.lines.map((line) => (said.get(line.label) === line.value ? line : { ...line, before: said.get(line.label) ?? "" }));
  const documents = now.documents.map((one) => (held.get(one.title) === one.sha256 ? one : { ...one, before: held.get(one.title) ?? "" }));
  const old = seen.amount?.text ?? "";
  return (now.amount?.text ?? "") === old ? { facts, documents } : { facts, documents, amountBefore: old };
}
