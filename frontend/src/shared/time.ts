import { language, t } from "./i18n";

/** The bank's days begin and end in Shanghai, wherever the phone is. */
const ZONE = "Asia/Shanghai";
const DAY = 86_400_000;

type Moment = string | number | Date;

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: string;
  minute: string;
  second: string;
}

const FORMAT = new Intl.DateTimeFormat("en-CA", {
  timeZone: ZONE,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

function parts(moment: Moment): Parts {
  const found: Record<string, string> = {};
  for (const { type, value } of FORMAT.formatToParts(new Date(moment))) found[type] = value;
  return {
    year: Number(found["year"]),
    month: Number(found["month"]),
    day: Number(found["day"]),
    hour: found["hour"] ?? "00",
    minute: found["minute"] ?? "00",
    second: found["second"] ?? "00",
  };
}

/** Days since 1970 in Shanghai. */
function dayNumber(moment: Moment): number {
  const { year, month, day } = parts(moment);
  return Math.round(Date.UTC(year, month - 1, day) / DAY);
}

/** Whether two moments are of one day of the bank. */
export function sameDay(one: Moment, other: Moment): boolean {
  return dayNumber(one) === dayNumber(other);
}

/** "14:32" */
export function clock(moment: Moment): string {
  const { hour, minute } = parts(moment);
  return `${hour}:${minute}`;
}

/** "2027-10-18" in Shanghai. */
export function isoDate(moment: Moment): string {
  const { year, month, day } = parts(moment);
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** "2027-10-18 14:32:05", for receipts. */
export function exactly(moment: Moment): string {
  const { hour, minute, second } = parts(moment);
  return `${isoDate(moment)} ${hour}:${minute}:${second}`;
}

/** A calendar day of the bank ("2027-12-18", no time of day) in the reader's language. */
export function dateText(day: string): string {
  return longDate(`${day.slice(0, 10)}T12:00:00+08:00`);
}

/** A month of the bank's calendar, "2027-12", in the reader's language. */
export function monthText(month: string): string {
  const [year, number] = month.split("-").map(Number);
  return new Intl.DateTimeFormat(language.value, { year: "numeric", month: "long", timeZone: "UTC" }).format(Date.UTC(year ?? 0, (number ?? 1) - 1));
}

export function longDate(moment: Moment): string {
  const { year, month, day } = parts(moment);
  return new Intl.DateTimeFormat(language.value, { dateStyle: "long", timeZone: "UTC" }).format(Date.UTC(year, month - 1, day));
}

function shortDate(moment: Moment, now: Moment): string {
  const { year, month, day } = parts(moment);
  const options: Intl.DateTimeFormatOptions =
    parts(now).year === year ? { month: "short", day: "numeric" } : { year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(language.value, { ...options, timeZone: "UTC" }).format(Date.UTC(year, month - 1, day));
}

function weekday(moment: Moment): string {
  return new Intl.DateTimeFormat(language.value, { weekday: "long", timeZone: ZONE }).format(new Date(moment));
}

/** In a list: the clock today, then yesterday, a weekday, a date. */
export function listTime(moment: Moment, now: Moment = Date.now()): string {
  const days = dayNumber(now) - dayNumber(moment);
  if (days === 0) return clock(moment);
  if (days === 1) return t("time.yesterday");
  if (days > 1 && days < 7) return weekday(moment);
  return shortDate(moment, now);
}

/** Above a stretch of messages: the day and the clock. */
export function talkTime(moment: Moment, now: Moment = Date.now()): string {
  const days = dayNumber(now) - dayNumber(moment);
  if (days === 0) return `${t("time.today")} ${clock(moment)}`;
  return `${listTime(moment, now)} ${clock(moment)}`;
}

/** Under a post: just now, minutes, hours, then as talkTime. */
export function agoText(moment: Moment, now: Moment = Date.now()): string {
  const minutes = Math.floor((new Date(now).getTime() - new Date(moment).getTime()) / 60_000);
  if (minutes < 1) return t("time.justNow");
  if (minutes < 60) return t("time.minutesAgo", { n: minutes });
  if (minutes < 24 * 60 && dayNumber(now) === dayNumber(moment)) return t("time.hoursAgo", { n: Math.floor(minutes / 60) });
  return talkTime(moment, now);
}

/** Until something ends: "tomorrow 14:20", "today 15:00". */
export function untilText(moment: Moment, now: Moment = Date.now()): string {
  const days = dayNumber(moment) - dayNumber(now);
  if (days === 0) return `${t("time.today")} ${clock(moment)}`;
  if (days === 1) return `${t("time.tomorrow")} ${clock(moment)}`;
  return `${shortDate(moment, now)} ${clock(moment)}`;
}

/** Whole seconds to "4:58" or "1:58:20". */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(left / 3600);
  const minutes = Math.floor(left / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${minutes}:${two(left % 60)}`;
}
