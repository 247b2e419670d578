// TAXII timestamps have exactly six fraction digits (TAXII 2.1 §2). Here they are microseconds since 1970 in a plain
// number, which is exact until the year 2255; Date knows milliseconds only.

export function formatStamp(micros: number): string {
  const rest = String(micros % 1_000_000).padStart(6, '0');
  return `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19)}.${rest}Z`;
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** Undefined when the text is no RFC 3339 time in UTC. Clients may leave out trailing zeros of the fraction. */
export function parseStamp(text: string): number | undefined {
  const found = STAMP.exec(text);
  if (found === null) return undefined;
  const ms = Date.parse(`${found[1]}Z`);
  if (Number.isNaN(ms)) return undefined;
  return ms * 1000 + Number((found[2] ?? '').padEnd(6, '0').slice(0, 6));
}

/** Makes times comparable as text although their fractions differ in length. */
export function comparableTime(text: string): string {
  const found = STAMP.exec(text);
  return found === null ? text : `${found[1]}.${(found[2] ?? '').padEnd(9, '0')}Z`;
}
