// Timestamps of STIX (RFC 3339, always UTC, a fraction of any length). Feeds mix zero to six fraction digits in
// one file, so neither their text nor a Date orders them; `version` does, by plain text comparison. STIX asks for a Z;
// other spellings of RFC 3339 (an offset, a blank for the T) name an instant beyond doubt, and are read as that.

interface Timestamp {
  /** UTC with exactly nine fraction digits; further digits are cut. Text order is time order. */
  readonly version: string;
  /** Epoch milliseconds, rounded down. */
  readonly ms: number;
}

/** Older than any that is stated. */
export const OLDEST_VERSION = '0000-01-01T00:00:00.000000000Z';

/** Undefined for anything that is no STIX timestamp, impossible dates such as 30 February included. */
export function parseTimestamp(text: unknown): Timestamp | undefined {
  const ms = stixMs(text);
  // What has milliseconds is a text.
  if (ms !== undefined) return { version: versionOf(text as string), ms };
  const utc = inUtc(text);
  return utc === undefined ? undefined : parseTimestamp(utc);
}

/** The `ms` of parseTimestamp alone, for those who compare instants only. */
export function timestampMs(text: unknown): number | undefined {
  const ms = stixMs(text);
  if (ms !== undefined) return ms;
  const utc = inUtc(text);
  return utc === undefined ? undefined : stixMs(utc);
}

/** A time that can be read and is not spelled as STIX asks. */
export function isOddlySpelled(text: unknown): boolean {
  // Nearly all are spelled with these two letters; what is wrong beside them is no other spelling.
  if (typeof text === 'string' && text.charCodeAt(10) === UPPER_T && text.charCodeAt(text.length - 1) === UPPER_Z)
    return false;
  return stixMs(text) === undefined && inUtc(text) !== undefined;
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):?([0-5]\d))$/;

/** RFC 3339 of another spelling, as STIX would have it. Undefined for anything else, and for what is spelled so already. */
function inUtc(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  const [, date, time, fraction = '', sign, hours, minutes] = RFC3339.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const plain = `${date}T${time}Z`;
  const ms = stixMs(plain);
  if (ms === undefined || Number(hours ?? 0) > 23) return undefined;
  if (sign === undefined) {
    const utc = `${plain.slice(0, -1)}${fraction}Z`;
    return utc === text ? undefined : utc;
  }
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const moved = isoTime(ms - offset);
  // Beyond the years 0 to 9999 a date has other digits.
  return moved.length === 24 ? `${moved.slice(0, 19)}${fraction}Z` : undefined;
}

function versionOf(text: string): string {
  const end = Math.min(text.length - 1, 29);
  return text.slice(0, end) + PADDING[Math.max(0, end - 19)]!;
}

function stixMs(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const last = text.length - 1;
  if (last < 19 || last > MAX_LENGTH || text.charCodeAt(last) !== UPPER_Z) return undefined;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH || text.charCodeAt(10) !== UPPER_T) return undefined;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;

  // NaN fails every comparison below, so a non-digit anywhere ends in the same refusal.
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hour = two(text, 11);
  const minute = two(text, 14);
  const second = two(text, 17);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return undefined;
  // Leap seconds are only ever put at the end of a UTC day.
  if (second === 60 && (hour !== 23 || minute !== 59)) return undefined;

  let millis = 0;
  if (last > 19) {
    if (text.charCodeAt(19) !== DOT || last === 20) return undefined;
    for (let i = 20; i < last; i++) {
      const digit = text.charCodeAt(i) - ZERO;
      if (!(digit >= 0 && digit <= 9)) return undefined;
      if (i < 23) millis += digit * (i === 20 ? 100 : i === 21 ? 10 : 1);
    }
  }
  // Milliseconds have no room for a leap second: the whole of it is the instant at which the next day begins,
  // so that `ms` never runs against `version`.
  if (second === 60) millis = 0;

  const seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
  return seconds * 1000 + millis;
}

/** What follows a text of so many characters behind the seconds, the dot included. */
const PADDING = ['.000000000Z', ...Array.from({ length: 10 }, (_, i) => `${'0'.repeat(9 - i)}Z`)];

/** `Date.prototype.toISOString` at a quarter of its cost where days repeat, as they do in any feed. */
export function isoTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  let date = dates.get(day);
  if (date === undefined) {
    date = new Date(ms).toISOString().slice(0, -13);
    if (dates.size >= MOST_DATES) dates.clear();
    dates.set(day, date);
  }
  const time = ms - day * DAY_MS;
  const seconds = Math.floor(time / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const millis = time - seconds * 1000;
  const fraction = millis < 10 ? `00${millis}` : millis < 100 ? `0${millis}` : `${millis}`;
  return `${date}${pad(hours)}:${pad(minutes - hours * 60)}:${pad(seconds - minutes * 60)}.${fraction}Z`;
}

const FIRST_TEXT = '1970-01-01T00:00:00.000000000Z';
/** The last instant of the year 9999. */
const LAST_MS = 253_402_300_799_999;

/**
 * For a SIEM: products, their dashboards and the languages of their searches agree on the years 1970 to 9999 only. A
 * partner may state any year; what lies outside is written as the nearest that all of them take.
 */
export function inSiemYears(ms: number): number {
  return Math.min(Math.max(ms, 0), LAST_MS);
}

/** The same for a `version`. */
export function versionInSiemYears(version: string): string {
  return version < FIRST_TEXT ? FIRST_TEXT : version;
}

const DAY_MS = 86_400_000;
const MOST_DATES = 1000;
/** Day since the epoch -> its text up to and with the T. */
const dates = new Map<number, string>();
const pad = (n: number): string => (n < 10 ? `0${n}` : `${n}`);

/** Longest text that is looked at; no honest clock writes more fraction digits. */
const MAX_LENGTH = 64;
const ZERO = 48;
const DASH = 45;
const DOT = 46;
const COLON = 58;
const UPPER_T = 84;
const UPPER_Z = 90;

function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Proleptic Gregorian days since 1970-01-01. Date.UTC would read the years 0 to 99 as 1900 to 1999. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
