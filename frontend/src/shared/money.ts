/** Amounts are integer fen everywhere; a number with a fraction never holds money. */

/** Above this a double no longer holds every integer. */
export const MAX_FEN = Number.MAX_SAFE_INTEGER;

export const MINUS = "\u2212";

function whole(fen: number): number {
  if (!Number.isSafeInteger(fen)) throw new RangeError("fen must be a safe integer");
  return fen;
}

/** 123456 → "1,234.56"; negatives carry a real minus sign. */
export function yuan(fen: number, options: { sign?: boolean } = {}): string {
  const value = whole(fen);
  const digits = String(Math.abs(value)).padStart(3, "0");
  const integer = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = value < 0 ? MINUS : options.sign && value > 0 ? "+" : "";
  return `${sign}${integer}.${digits.slice(-2)}`;
}

/** A large sum at a glance, rounded down to whole yuan first: "1,240 万", "12.4M". Never where one confirms. */
export function compactYuan(fen: number, language: string): string {
  const value = Math.floor(whole(fen) / 100);
  const text = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(value);
  return text.replace(/^(\d+)/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",")).replace(/(\d)([万亿])/, "$1 $2");
}

/** "¥ 1,234.56", the sign before the currency. */
export function yuanSigned(fen: number, options: { sign?: boolean } = {}): string {
  const text = yuan(fen, options);
  const sign = /^[+\u2212]/.exec(text)?.[0] ?? "";
  return `${sign}¥ ${text.slice(sign.length)}`;
}

/**
 * What a person typed, in yuan, to fen; null if it is not an amount.
 * Accepts full-width digits and thousands separators in their right places; at most two decimals.
 */
export function parseYuan(typed: string): number | null {
  const text = typed
    .normalize("NFKC")
    .trim()
    .replace(/^¥\s*/, "")
    .replaceAll("。", ".");
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{0,2}))?$/.exec(text) ?? /^()\.(\d{1,2})$/.exec(text);
  if (!match) return null;
  const integer = (match[1] ?? "").replaceAll(",", "") || "0";
  if (integer.replace(/^0+/, "").length > 13) return null;
  const fen = Number(integer) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  return Number.isSafeInteger(fen) ? fen : null;
}

/** Shares are integer ten-thousandths. 12345678 → "1,234.5678". */
export function shares(units: number): string {
  const digits = String(Math.abs(whole(units))).padStart(5, "0");
  const integer = digits.slice(0, -4).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${units < 0 ? MINUS : ""}${integer}.${digits.slice(-4)}`;
}

/** Hundredths of a percent, with its sign: 38 → "+0.38%". */
export function percent(hundredths: number, options: { sign?: boolean } = { sign: true }): string {
  return `${yuan(hundredths, options)}%`;
}

const DIGITS = "零壹贰叁肆伍陆柒捌玖";
const PLACES = ["", "拾", "佰", "仟"];
const GROUPS = ["", "万", "亿", "万亿"];
const ZERO = "零";

function group(value: number): string {
  let words = "";
  let gap = false;
  for (let place = 3; place >= 0; place -= 1) {
    const digit = Math.floor(value / 10 ** place) % 10;
    if (digit === 0) {
      gap = words !== "";
    } else {
      words += (gap ? ZERO : "") + (DIGITS[digit] ?? "") + (PLACES[place] ?? "");
      gap = false;
    }
  }
  return words;
}

/** The amount in Chinese capitals, as kernel.money.in_words: rules for bills of the PBoC, appendix 1. */
export function inWords(fen: number): string {
  if (whole(fen) < 0) throw new RangeError("a negative amount has no form in words");
  const integer = Math.floor(fen / 100);
  const jiao = Math.floor(fen / 10) % 10;
  const cent = fen % 10;
  let words = "";
  let gap = false;
  for (let index = GROUPS.length - 1; index >= 0; index -= 1) {
    const part = Math.floor(integer / 10000 ** index) % 10000;
    if (part === 0) {
      gap = words !== "";
      continue;
    }
    if (words !== "" && (gap || part < 1000)) words += ZERO;
    words += group(part) + (GROUPS[index] ?? "");
    gap = false;
  }
  if (words !== "") words += "元";
  if (jiao === 0 && cent === 0) return `人民币${words || `${ZERO}元`}整`;
  if (jiao > 0) words += `${DIGITS[jiao] ?? ""}角`;
  else if (words !== "") words += ZERO;
  return `人民币${words}${cent > 0 ? `${DIGITS[cent] ?? ""}分` : "整"}`;
}
