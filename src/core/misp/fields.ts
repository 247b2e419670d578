// Fields as MISP servers, feeds and hand-made files spell them: numbers and booleans come as such or as texts
// (MISP core, JsonExport; feeds). Whatever else stands there is not guessed at.

export type Raw = Readonly<Record<string, unknown>>;

/** `null` where something stands that is neither; undefined where nothing does. */
export function flag(value: unknown): boolean | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (value === true || value === 1 || value === '1') return true;
  if (value === false || value === 0 || value === '0') return false;
  if (typeof value !== 'string') return null;
  const word = value.trim().toLowerCase();
  return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : null;
}

/** A whole number that is not negative; `null` and undefined as for `flag`. */
export function count(value: unknown): number | undefined | null {
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** In lower case, whatever case it came in: the same thing must not have two names. */
export function uuid(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim().toLowerCase();
  return UUID.test(text) ? text : undefined;
}

/** Members of a list; one thing where a list should stand counts as a list of it. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return NONE;
  return Array.isArray(value) ? value : [value];
}

const NONE: readonly unknown[] = [];
