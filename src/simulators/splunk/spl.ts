// A small, honest part of SPL over planted events and KV store lookups: enough to see whether a watchlist finds
// what it should. A command that is not here is refused by name, as a real server does with one it does not know.
import { evaluate } from './eval.ts';
import { lookupMatches, lookupRows, wildcard } from './lookups.ts';
import { SplError } from './spl-error.ts';
import { compare, parseTerms } from './spl-terms.ts';
import type { JobMessage, Row, SplunkState, User } from './state.ts';

export { SplError };

export interface SearchContext {
  readonly state: SplunkState;
  readonly app: string;
  readonly user: User;
  /** Takes what the search has to say beside its rows. */
  readonly messages: JobMessage[];
  /** Epoch seconds; from the job's parameters, overridden by the search itself. */
  readonly window: TimeWindow;
}

export interface TimeWindow {
  readonly earliest?: number | undefined;
  readonly latest?: number | undefined;
  readonly indexEarliest?: number | undefined;
  readonly indexLatest?: number | undefined;
}

export interface SearchResult {
  readonly rows: readonly Row[];
  readonly fields: readonly string[];
}

/** Runs a whole search. Throws SplError with the text the job would fail with. */
export function runSearch(search: string, context: SearchContext): SearchResult {
  const commands = split(expanded(search, context.state), '|').map((part) => part.trim());
  const [first = '', ...rest] = commands;
  let rows: Row[] = first === '' ? [] : command(first, undefined, context);
  rest.forEach((text, i) => {
    rows = command(text, first === '' && i === 0 ? undefined : rows, context);
  });
  const order = new Set(fieldOrder(commands.at(-1) ?? ''));
  for (const row of rows) for (const name of Object.keys(row)) order.add(name);
  return { rows, fields: [...order] };
}

/** Each `macro` stands for its definition, as text, in which others may stand. */
function expanded(search: string, state: SplunkState): string {
  return search.replace(/`([^`]*)`/g, (_, name: string) => {
    const definition = state.macros.get(name.trim());
    if (definition === undefined)
      throw new SplError(
        `Error in 'SearchParser': The search specifies a macro '${name}' that cannot be found. Reasons include: the macro name is misspelled, you do not have "read" permission for the macro, or the macro has not been shared with this application. Click Settings, Advanced search, Search Macros to view macro information.`,
      );
    return expanded(definition, state);
  });
}

/** Post-process searches work on finished rows. */
export function runOn(rows: readonly Row[], search: string, context: SearchContext): SearchResult {
  let out = [...rows];
  for (const text of split(search.replace(/^\s*\|/, ''), '|')) out = command(text.trim(), out, context);
  return { rows: out, fields: [...new Set(out.flatMap((row) => Object.keys(row)))] };
}

/** Seconds since the epoch for `now`, `-15m`, `1700000000`, or an ISO time; undefined for none. */
export function timeOf(text: string | null | undefined, now: number): number | undefined {
  if (text === null || text === undefined || text === '' || text === '0' || text === 'rt') return undefined;
  if (text === 'now' || text === 'now()') return now / 1000;
  const [, sign, amount, unit] = /^([+-])(\d*)(s|m|h|d|w)(?:@\w+)?$/.exec(text) ?? [];
  if (unit !== undefined) {
    const seconds = Number(amount === '' ? 1 : amount) * { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit]!;
    return now / 1000 + (sign === '-' ? -seconds : seconds);
  }
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const parsed = Date.parse(text);
  if (Number.isNaN(parsed)) throw new SplError(`Invalid time: ${text}`);
  return parsed / 1000;
}

/** `rows` is undefined for the first command of a search, which has to generate them. */
function command(text: string, rows: Row[] | undefined, context: SearchContext): Row[] {
  const [, name = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  if (rows === undefined) {
    if (name === 'search') return searchEvents(rest, context);
    if (name === 'makeresults') return makeResults(rest, context);
    if (name === 'inputlookup') return inputLookup(rest, context);
    if (name === 'eventcount') return eventCount(rest, context);
    throw new SplError(`Unknown search command '${name}'.`);
  }
  switch (name) {
    case 'search':
    case 'where': {
      const test = parseTerms(rest.replaceAll('now()', String(Math.floor(context.state.clock.now() / 1000))));
      return rows.filter((row) => test(row));
    }
    case 'lookup':
      return lookup(rest.replace(/^((local|update)=(true|false|t|f|0|1)\s+)+/i, ''), rows, context);
    case 'eval':
      return evaluate(rest, rows);
    case 'fields':
      return keepFields(rest, rows);
    case 'table':
      return rows.map((row) => pick(row, names(rest), false));
    case 'head':
      return rows.slice(0, Number(rest.trim() === '' ? 10 : rest));
    case 'sort':
      return sort(rest, rows);
    case 'mvexpand':
      return expand(rest.trim(), rows);
    case 'dedup':
      return dedup(names(rest), rows);
    case 'stats':
      return stats(rest, rows);
    default:
      throw new SplError(`Unknown search command '${name}'.`);
  }
}

function searchEvents(text: string, context: SearchContext): Row[] {
  const now = context.state.clock.now();
  const window: Record<string, number | undefined> = { ...context.window };
  const bounds: Readonly<Record<string, keyof TimeWindow>> = {
    earliest: 'earliest',
    latest: 'latest',
    _index_earliest: 'indexEarliest',
    _index_latest: 'indexLatest',
  };
  const terms = text.replace(
    /(?<![\w.])(earliest|latest|_index_earliest|_index_latest)=("[^"]*"|\S+)/g,
    (_, name, value) => {
      window[bounds[String(name)]!] = timeOf(String(value).replaceAll('"', ''), now);
      return ' ';
    },
  );
  const test = parseTerms(terms);
  const inside = (at: number, from: number | undefined, to: number | undefined): boolean =>
    (from === undefined || at >= from) && (to === undefined || at < to);
  const { events, internal } = context.state;
  const places = new Map([...events, ...internal].map((event, place) => [event, place]));
  return [...events, ...(/\bindex\s*=\s*"?_/.test(terms) ? internal : [])]
    .filter((event) => inside(event.time, window['earliest'], window['latest']))
    .filter((event) => inside(event.indexed, window['indexEarliest'], window['indexLatest']))
    .toSorted((a, b) => b.time - a.time)
    .map((event): Row => {
      const fields = Object.fromEntries(
        Object.entries(event.fields).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
      );
      return {
        ...fields,
        _time: new Date(event.time * 1000).toISOString(),
        _indextime: String(event.indexed),
        // Which bucket it stands in, and where: together they tell an event from every other.
        _bkt: `${first(fields['index']) ?? 'main'}~0~5D8A3C1E-0000-4000-8000-000000000001`,
        _cd: `0:${places.get(event)}`,
      };
    })
    .filter((row) => test(row));
}

function makeResults(text: string, context: SearchContext): Row[] {
  const count = Number(/count=(\d+)/.exec(text)?.[1] ?? 1);
  const now = new Date(context.state.clock.now()).toISOString();
  return Array.from({ length: count }, () => ({ _time: now }));
}

/** Events by index, whenever they were; an index without events is counted as well. */
function eventCount(text: string, { state }: SearchContext): Row[] {
  const asked = [...text.matchAll(/\bindex="?([^\s"]+)"?/g)].map((one) => wildcard(one[1]!));
  const held = [...state.events, ...state.internal].map((event) => String(event.fields['index'] ?? 'main'));
  const counts = new Map([...state.indexes].map((name) => [name, 0]));
  for (const name of held) counts.set(name, (counts.get(name) ?? 0) + 1);
  const found = [...counts].filter(([name]) => asked.some((one) => one.test(name)));
  if (!/\bsummarize=(f|0)/i.test(text)) return [{ count: String(found.reduce((sum, [, one]) => sum + one, 0)) }];
  return found.map(([index, count]) => ({ count: String(count), index, server: 'simulated-splunk' }));
}

function inputLookup(text: string, context: SearchContext): Row[] {
  const [, name = '', condition] = /^(\S+)(?:\s+where\s+([\s\S]+))?$/.exec(text.replace(/\bappend=\S+\s*/, '')) ?? [];
  const definition = definitionOf(name, context);
  if (!available(name, context)) return [];
  const rows = lookupRows(context.state, definition).map(asRow);
  const test = parseTerms(condition ?? '');
  return rows.filter((row) => test(row));
}

/** `lookup NAME field [AS eventField] … [OUTPUT|OUTPUTNEW field [AS as], …]`; several matches make fields multi-valued. */
function lookup(text: string, rows: readonly Row[], context: SearchContext): Row[] {
  const [inputs = '', outputs] = text.split(/\s+OUTPUT(?:NEW)?\s+/i);
  const keepsOld = /\s+OUTPUTNEW\s+/i.test(text);
  const [name = '', ...pairs] = inputs.trim().split(/\s+/);
  const definition = definitionOf(name, context);
  const wanted = aliases(pairs.join(' '));
  if (!available(name, context)) return [...rows];
  const held = lookupRows(context.state, definition);
  const folds = context.state.settings.lookupsFoldCase;
  return rows.map((row) => {
    // Each value of a field is looked up, and max_matches holds for each of them.
    const inputs = combinations(
      wanted.map(([field, as]) => [row[as] ?? []].flat().map((one) => [field, one] as const)),
    );
    const found = inputs.flatMap((values) => lookupMatches(definition, held, values, folds)).map(asRow);
    if (found.length === 0) return row;
    const taken = outputs === undefined ? Object.keys(found[0]!).map((one) => [one, one] as const) : aliases(outputs);
    const added: Row = {};
    for (const [field, as] of taken) {
      const all = found.flatMap((one) => one[field] ?? []);
      if (all.length === 0 || (keepsOld && row[as] !== undefined)) continue;
      added[as] = all.length === 1 ? all[0]! : all;
    }
    return { ...row, ...added };
  });
}

/** A search goes on without a KV store that has not started: it says so, and its rows stay as they are. */
function available(name: string, context: SearchContext): boolean {
  const { clock, settings } = context.state;
  if (clock.now() >= settings.kvReadyAt) return true;
  const text = `External command based lookup '${name}' is not available because KV Store initialization has failed. Contact your system administrator.`;
  context.messages.push({ type: 'ERROR', text });
  return false;
}

function combinations<T>(lists: readonly (readonly T[])[]): (readonly T[])[] {
  return lists.reduce<(readonly T[])[]>((all, list) => all.flatMap((one) => list.map((more) => [...one, more])), [[]]);
}

function definitionOf(name: string, context: SearchContext) {
  const definition = context.state.lookup(context.app, name, context.user);
  if (definition === undefined) {
    throw new SplError(
      `Error in 'lookup' command: Could not construct lookup '${name}'. The lookup table '${name}' does not exist or is not available.`,
    );
  }
  return definition;
}

function keepFields(text: string, rows: readonly Row[]): Row[] {
  const wanted = names(text.replace(/^[+-]/, ''));
  if (text.startsWith('-')) {
    return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !hit(name, wanted))));
  }
  return rows.map((row) => pick(row, wanted, true));
}

function pick(row: Row, wanted: readonly string[], withInternal: boolean): Row {
  return Object.fromEntries(
    Object.entries(row).filter(([name]) => hit(name, wanted) || (withInternal && /^_(time|raw)$/.test(name))),
  );
}

const hit = (name: string, wanted: readonly string[]): boolean => wanted.some((one) => wildcard(one).test(name));

function sort(text: string, rows: readonly Row[]): Row[] {
  const [, limit, keys = ''] = /^(?:limit=)?(\d+)?\s*(.*)$/.exec(text.trim()) ?? [];
  const orders = names(keys).map((one) => ({ name: one.replace(/^[+-]/, ''), down: one.startsWith('-') }));
  const sorted = [...rows].sort((a, b) => {
    for (const { name, down } of orders) {
      const result = compare(first(a[name]) ?? '', first(b[name]) ?? '');
      if (result !== 0) return down ? -result : result;
    }
    return 0;
  });
  const most = limit === undefined ? 10_000 : Number(limit);
  return most === 0 ? sorted : sorted.slice(0, most);
}

/** One row for each value. */
function expand(field: string, rows: readonly Row[]): Row[] {
  return rows.flatMap((row) => {
    const value = row[field];
    return Array.isArray(value) ? value.map((one) => ({ ...row, [field]: one })) : [row];
  });
}

function dedup(wanted: readonly string[], rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const id = JSON.stringify(wanted.map((name) => row[name] ?? null));
    return !seen.has(id) && seen.add(id);
  });
}

function stats(text: string, rows: readonly Row[]): Row[] {
  const [, as = 'count', by] = /^count(?:\s+AS\s+(\w+))?(?:\s+BY\s+(.+))?$/i.exec(text.trim()) ?? [];
  if (!/^count\b/i.test(text.trim())) throw new SplError(`Error in 'stats' command: only count is known here.`);
  if (by === undefined) return [{ [as]: String(rows.length) }];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const id = JSON.stringify(names(by).map((name) => row[name] ?? null));
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  return [...groups.values()].map((group) => ({ ...pick(group[0]!, names(by), false), [as]: String(group.length) }));
}

function aliases(text: string): (readonly [string, string])[] {
  return [...text.matchAll(/([^\s,]+)(?:\s+AS\s+([^\s,]+))?/gi)].map((one) => [one[1]!, one[2] ?? one[1]!]);
}

const names = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '');
const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];
const asRow = (document: Readonly<Record<string, unknown>>): Row =>
  Object.fromEntries(
    Object.entries(document).map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  );
const fieldOrder = (text: string): string[] => (text.startsWith('table ') ? names(text.slice(6)) : []);

/** Splits at a sign that stands outside quotes. */
function split(text: string, sign: string): string[] {
  const parts = [''];
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const one = text[i]!;
    if (one === '\\') {
      parts[parts.length - 1] += one + (text[++i] ?? '');
      continue;
    }
    if (one === '"') quoted = !quoted;
    if (one === sign && !quoted) parts.push('');
    else parts[parts.length - 1] += one;
  }
  return parts;
}
