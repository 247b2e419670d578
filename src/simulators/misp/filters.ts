// The filters of restSearch and of the event index. Unknown keys are ignored silently, and a time that cannot be read is
// "now and one second", which finds nothing and says nothing.
import type { SimAttribute, SimEvent, SimTag } from './state.ts';
import { word } from './words.ts';

export type Filters = Readonly<Record<string, unknown>>;

/** One text filter: `x`, `a||b`, `!x`, `a&&!b`, a list, or {OR, AND, NOT}; `%` at an end is LIKE. */
interface Terms {
  readonly or: readonly string[];
  readonly and: readonly string[];
  readonly not: readonly string[];
}

const given = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map((one) => word(one));

function termsOf(value: unknown): Terms {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { OR = [], AND = [], NOT = [] } = value as Record<string, unknown>;
    return { or: listOf(OR), and: listOf(AND), not: listOf(NOT) };
  }
  const or: string[] = [];
  const and: string[] = [];
  const not: string[] = [];
  for (const one of Array.isArray(value) ? value : [value]) {
    const text = word(one);
    const parts = text.includes('&&') ? text.split('&&') : text.split('||');
    for (const part of parts) {
      if (part.startsWith('!')) not.push(part.slice(1));
      else (text.includes('&&') ? and : or).push(part);
    }
  }
  return { or, and, not };
}

/** Equal without case, as the usual collation has it. */
function like(pattern: string): (text: string) => boolean {
  const small = pattern.toLowerCase();
  const open = small.startsWith('%');
  const end = small.endsWith('%') && small.length > 1;
  const core = small.slice(open ? 1 : 0, end ? -1 : undefined);
  return (text) => {
    const one = text.toLowerCase();
    if (open && end) return one.includes(core);
    if (open) return one.endsWith(core);
    return end ? one.startsWith(core) : one === core;
  };
}

/** `texts`: what a row offers for the filter, any of which may match. */
function texts<T>(value: unknown, of: (row: T) => readonly string[]): (row: T) => boolean {
  const { or, and, not } = termsOf(value);
  const [anyOf, allOf, noneOf] = [or.map(like), and.map(like), not.map(like)];
  return (row) => {
    const offered = of(row);
    const hit = (test: (text: string) => boolean) => offered.some(test);
    if (noneOf.some(hit)) return false;
    return (anyOf.length === 0 || anyOf.some(hit)) && allOf.every(hit);
  };
}

const UNITS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

function secondsOf(value: unknown, now: number): number {
  const text = word(value).trim();
  if (/^\d+$/.test(text)) return Number(text);
  const [, number, unit = ''] = /^(\d+)([dhms])$/.exec(text) ?? [];
  if (number !== undefined) return now - Number(number) * (UNITS[unit] ?? 1);
  const ms = Date.parse(/^\d{4}-\d\d-\d\d/.test(text) ? text : 'nothing');
  return Number.isNaN(ms) ? now + 1 : Math.floor(ms / 1000);
}

/** One value is a lower bound, two are both, inclusive. */
function times<T>(value: unknown, of: (row: T) => number, now: number): (row: T) => boolean {
  const [from, to] = Array.isArray(value) ? value.map((one) => secondsOf(one, now)) : [secondsOf(value, now)];
  return (row) => of(row) >= (from ?? 0) && (to === undefined || of(row) <= to);
}

function flags<T>(value: unknown, of: (row: T) => boolean): (row: T) => boolean {
  const all = (Array.isArray(value) ? value : [value]).map((one) => {
    const said = word(one).toLowerCase();
    return said === 'true' || said === '1'
      ? true
      : said === 'false' || said === '0' || said === 'exclude'
        ? false
        : 'both';
  });
  return (row) => all.includes('both') || all.includes(of(row));
}

const names = (tags: readonly SimTag[]): string[] => tags.map((tag) => tag.name);

export function halvesOf({ type, value }: Pick<SimAttribute, 'type' | 'value'>): readonly string[] {
  return type.includes('|') || type === 'malware-sample' ? value.split('|') : [value];
}

/** Filters that look at the event alone, for both searches and the index. */
export function eventTests(filters: Filters, now: number): ((event: SimEvent) => boolean)[] {
  const tests: ((event: SimEvent) => boolean)[] = [];
  const on = (key: string, make: (value: unknown) => (event: SimEvent) => boolean): void => {
    if (given(filters[key])) tests.push(make(filters[key]));
  };
  on('eventid', (value) => texts(value, (one) => [one.uuid, String(one.id)]));
  on('org', (value) => texts(value, ({ orgc }) => [orgc.id, orgc.name, orgc.uuid]));
  on('eventinfo', (value) => texts(value, (one) => [one.info]));
  on('threat_level_id', (value) => texts(value, (one) => [one.threatLevel]));
  on('sharinggroup', (value) => texts(value, (one) => [one.sharingGroup]));
  on('published', (value) => flags(value, (one) => one.published));
  on('publish_timestamp', (value) => times(value, (one) => one.publishTimestamp, now));
  on('last', (value) => times(value, (one) => one.publishTimestamp, now));
  on('event_timestamp', (value) => times(value, (one) => one.timestamp, now));
  const day = (one: SimEvent) => Date.parse(`${one.date}T00:00:00Z`) / 1000;
  on('from', (value) => times(value, day, now));
  on('to', (value) => times([0, value], day, now));
  on('date', (value) => times(value, day, now));
  on('event_tags', (value) => texts(value, (one) => names(one.tags)));
  tests.push((event) => !event.hidden);
  return tests;
}

/** Filters on attributes. `deleted`: absent = live only, 1 = only deleted, [0, 1] = both. */
export function attributeTests(filters: Filters, now: number): ((one: SimAttribute) => boolean)[] {
  const tests: ((one: SimAttribute) => boolean)[] = [];
  const on = (key: string, make: (value: unknown) => (one: SimAttribute) => boolean): void => {
    if (given(filters[key])) tests.push(make(filters[key]));
  };
  on('uuid', (value) => texts(value, (one) => [one.uuid]));
  on('value', (value) => texts(value, (one) => [one.value, ...halvesOf(one)]));
  on('type', (value) => texts(value, ({ type }) => (type === 'email' ? ['email', 'email-src', 'email-dst'] : [type])));
  on('category', (value) => texts(value, (one) => [one.category]));
  on('object_relation', (value) => texts(value, (one) => [one.relation ?? '']));
  on('tags', (value) => texts(value, (one) => [...names(one.tags), ...names(one.event.tags)]));
  on('to_ids', (value) => flags(value, (one) => one.toIds));
  on('timestamp', (value) => times(value, (one) => one.timestamp, now));
  on('attribute_timestamp', (value) => times(value, (one) => one.timestamp, now));
  on('first_seen', (value) => times(value, (one) => Date.parse(one.firstSeen ?? '') / 1000 || 0, now));
  on('last_seen', (value) => times([0, value], (one) => Date.parse(one.lastSeen ?? '') / 1000 || 0, now));
  tests.push(deletedTest(filters['deleted']));
  return tests;
}

export function deletedTest(value: unknown): (one: SimAttribute) => boolean {
  return given(value) ? flags(value, (one) => one.deleted) : (one) => !one.deleted;
}

/** `field asc|desc`, comma separated; undefined where nothing is asked for. */
export function orderOf<T>(
  order: unknown,
  fields: Readonly<Record<string, (row: T) => number | string>>,
): ((a: T, b: T) => number) | undefined {
  const parts = (Array.isArray(order) ? order.join(',') : typeof order === 'string' ? order : '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const by = parts.flatMap((part) => {
    const [name = '', direction = 'asc'] = part.split(/\s+/);
    const of = fields[name.replace(/^(Attribute|Event)\.(?!publish)/, '')] ?? fields[name];
    return of === undefined ? [] : [{ of, sign: direction.toLowerCase() === 'desc' ? -1 : 1 }];
  });
  if (by.length === 0) return undefined;
  return (a, b) => {
    for (const { of, sign } of by) {
      const [x, y] = [of(a), of(b)];
      if (x !== y) return x < y ? -sign : sign;
    }
    return 0;
  };
}
