// Numbered files, as a separated network sends them: a number that was never seen between two that were is a file that
// was lost on its way. The number is the last thing in the name before the extension, set off by a dash, an underscore,
// a dot or the start of the name: low-000017.json, bundle_17.jsonl, 17.json. Dates, times and UUIDs are no numbers.
import type { Json } from '../../../core/model/json.ts';
import { isRecord } from '../../../core/stix/raw.ts';

export interface Series {
  readonly highest: number;
  /** Ranges of numbers that did not come, ascending, both ends included. */
  readonly missing: readonly (readonly [number, number])[];
}

const NUMBERED = /^(|.*[-_./])(\d{1,9})((?:\.[A-Za-z][A-Za-z0-9]{0,9}){0,2})$/;
const DATE_BEFORE = /(^|[^0-9])(19|20)\d\d[-_.]?(0[1-9]|1[0-2])[-_.]$|\d[T_ -]\d\d[-_.:]?(\d\d[-_.:]?)?$/;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
/** A larger jump is a sender that began anew, or no series. */
const WIDEST = 10_000;
const MOST_SERIES = 200;
const MOST_RANGES = 100;

/** Undefined where the name carries no number of a series. */
export function numberIn(name: string): { readonly series: string; readonly number: number } | undefined {
  const [, before = '', digits, extension = ''] = NUMBERED.exec(name) ?? [];
  if (digits === undefined || UUID.test(name) || DATE_BEFORE.test(before) || isDate(digits)) return undefined;
  return { series: `${before}*${extension}`, number: Number(digits) };
}

/** 20260131 or 202601. */
function isDate(digits: string): boolean {
  return /^(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])?$/.test(digits);
}

export function seeNumber(all: Readonly<Record<string, Series>>, name: string): Readonly<Record<string, Series>> {
  const found = numberIn(name);
  if (found === undefined) return all;
  const { series, number } = found;
  const known = Object.hasOwn(all, series) ? all[series] : undefined;
  if (known === undefined) {
    if (Object.keys(all).length >= MOST_SERIES) return all;
    return { ...all, [series]: { highest: number, missing: [] } };
  }
  const next = seen(known, number);
  return next === known ? all : { ...all, [series]: next };
}

function seen(known: Series, number: number): Series {
  if (number > known.highest) {
    const gap: [number, number] = [known.highest + 1, number - 1];
    const told = gap[0] <= gap[1] && gap[1] - gap[0] < WIDEST;
    return { highest: number, missing: told ? [...known.missing, gap].slice(-MOST_RANGES) : known.missing };
  }
  if (!known.missing.some(([from, to]) => from <= number && number <= to)) return known;
  const missing = known.missing.flatMap(([from, to]): [number, number][] => {
    if (number < from || number > to) return [[from, to]];
    return (
      [
        [from, number - 1],
        [number + 1, to],
      ] as [number, number][]
    ).filter(([a, b]) => a <= b);
  });
  return { highest: known.highest, missing };
}

/** What is missing, for people; undefined where nothing is. */
export function gaps(all: Readonly<Record<string, Series>>): string | undefined {
  const told = Object.entries(all).flatMap(([series, { missing }]) =>
    missing.map(([from, to]) => `${series} ${from === to ? String(from) : `${from} to ${to}`}`),
  );
  if (told.length === 0) return undefined;
  const more = told.length > MOST_TOLD ? `, and ${told.length - MOST_TOLD} more` : '';
  return `missing from a numbered series: ${told.slice(0, MOST_TOLD).join(', ')}${more}; ask the sender for them`;
}

const MOST_TOLD = 5;

export function readSeries(json: Json): Readonly<Record<string, Series>> {
  // Written by this same code.
  return isRecord(json) ? (json as unknown as Readonly<Record<string, Series>>) : {};
}
