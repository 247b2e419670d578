// Added times have six fraction digits (TAXII 2.1 §2) and a JavaScript date has three, so they are counted as
// BigInt microseconds and the text of the server is kept beside them.

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;

/** Epoch microseconds. Undefined for anything that is no RFC 3339 time, as some servers send. */
export function microsOf(text: string | undefined): bigint | undefined {
  const parts = text === undefined ? null : RFC3339.exec(text.trim());
  if (parts === null) return undefined;
  const ms = Date.parse(`${parts[1]}T${parts[2]}${parts[4]?.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1000n + BigInt((parts[3] ?? '').padEnd(6, '0').slice(0, 6));
}

/** Six digits and `Z`, as every server has to take. */
export function textOf(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = Number((micros - fraction) / 1_000_000n);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(6, '0')}Z`;
}

/** A version as the objects themselves carry it: UTC with nine fraction digits. Other text stays as it is. */
export function versionOf(text: string): string {
  const micros = microsOf(text);
  if (micros === undefined) return text;
  const digits = RFC3339.exec(text.trim())?.[3] ?? '';
  return `${textOf(micros).slice(0, 20)}${digits.padEnd(9, '0').slice(0, 9)}Z`;
}
