// The part of AQL that reads events for sightings: SELECT with aliases and aggregates, FROM events, WHERE with
// IN, LIKE, REFERENCESETCONTAINS, INCIDR and INOFFENSE, GROUP BY, ORDER BY, LIMIT, and a window by LAST or START/STOP.
import { BlockList, isIPv4 } from 'node:net';
import { plain, QRadarError } from './errors.ts';
import { likePattern } from './select.ts';
import { printed } from './values.ts';

export type Fields = Readonly<Record<string, unknown>>;
export interface Event {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly fields: Fields;
}

export interface Query {
  readonly from: number;
  readonly to: number;
  /** Names of the columns, in order. */
  readonly columns: readonly string[];
  run(events: readonly Event[], setHolds: (set: string, value: string) => boolean): Record<string, unknown>[];
}

type Value = (event: Event) => unknown;
type Test = (event: Event) => boolean;
interface Column {
  readonly name: string;
  readonly aggregate?: 'MIN' | 'MAX' | 'SUM' | 'COUNT' | 'UNIQUECOUNT' | 'FIRST' | 'LAST';
  readonly value: Value;
}

const MINUTE = 60_000;
const UNITS: Readonly<Record<string, number>> = {
  SECONDS: 1000,
  MINUTES: MINUTE,
  HOURS: 60 * MINUTE,
  DAYS: 1440 * MINUTE,
};
const AGGREGATES = ['MIN', 'MAX', 'SUM', 'COUNT', 'UNIQUECOUNT', 'FIRST', 'LAST'] as const;
const KEYWORDS =
  /^(SELECT|FROM|WHERE|GROUP|BY|HAVING|ORDER|LIMIT|LAST|START|STOP|AND|OR|NOT|IN|AS|LIKE|ILIKE|IS|NULL)$/i;

export function parseAql(text: string, now: number): Query {
  const tokens = [...text.matchAll(/\s*(?:"([^"]*)"|'((?:[^']|'')*)'|(!=|<>|<=|>=|[=<>(),*])|([\w.:-]+)|(\S))/g)].map(
    (m) => ({
      text: m[1] ?? m[2]?.replaceAll("''", "'") ?? m[3] ?? m[4] ?? m[5] ?? '',
      kind: m[1] !== undefined ? 'name' : m[2] !== undefined ? 'text' : m[3] !== undefined ? 'mark' : 'word',
    }),
  );
  let at = 0;
  const fail = (): never => {
    throw new QRadarError(422, 2000, `Invalid AQL near "${tokens[at]?.text ?? 'end of query'}"`);
  };
  const peek = (word: string): boolean => {
    const token = tokens[at];
    return token !== undefined && (token.kind === 'word' || token.kind === 'mark') && token.text.toUpperCase() === word;
  };
  const take = (word: string): boolean => {
    const found = peek(word);
    if (found) at += 1;
    return found;
  };
  const need = (word: string): void => {
    if (!take(word)) fail();
  };
  const next = (): string => {
    const token = tokens[at];
    if (token === undefined) return fail();
    at += 1;
    return token.text;
  };
  const name = (): string => {
    const token = tokens[at];
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'name')) return fail();
    if (token.kind === 'word' && KEYWORDS.test(token.text)) return fail();
    return next();
  };
  const holds = { check: (_set: string, _value: string): boolean => false };

  const operand = (): { label: string; value: Value } => {
    const token = tokens[at];
    if (token === undefined) return fail();
    if (token.kind === 'text') {
      at += 1;
      return { label: token.text, value: () => token.text };
    }
    if (token.kind === 'word' && /^-?\d+(\.\d+)?$/.test(token.text)) {
      at += 1;
      return { label: token.text, value: () => Number(token.text) };
    }
    const field = name();
    if (!take('(')) return { label: field, value: (event) => fieldOf(event, field) };
    const make = TEXT_FUNCTIONS[field.toUpperCase()];
    if (make !== undefined) {
      const given = listOf(operand);
      need(')');
      return { label: `${field.toLowerCase()}_${given[0]?.label ?? ''}`, value: make(given.map((one) => one.value)) };
    }
    // A function of one field, such as LOGSOURCENAME(logsourceid): planted events may carry its result by that name.
    const inner = operand();
    while (take(',')) operand();
    need(')');
    const label = `${field.toLowerCase()}_${inner.label}`;
    return { label, value: (event) => event.fields[label] ?? inner.value(event) };
  };
  const column = (): Column => {
    const aggregate = AGGREGATES.find((known) => peek(known) && tokens[at + 1]?.text === '(');
    let label: string;
    let value: Value;
    if (aggregate !== undefined) {
      at += 2;
      const inner = take('*') ? { label: '*', value: () => 1 } : operand();
      need(')');
      label = `${aggregate}_${inner.label}`;
      value = inner.value;
    } else ({ label, value } = operand());
    const alias = take('AS') ? next() : label;
    return aggregate === undefined ? { name: alias, value } : { name: alias, value, aggregate };
  };
  const listOf = <T>(item: () => T): T[] => {
    const items = [item()];
    while (take(',')) items.push(item());
    return items;
  };

  const either = (): Test => {
    let left = both();
    while (take('OR')) {
      const [a, b] = [left, both()];
      left = (event) => a(event) || b(event);
    }
    return left;
  };
  const both = (): Test => {
    let left = condition();
    while (take('AND')) {
      const [a, b] = [left, condition()];
      left = (event) => a(event) && b(event);
    }
    return left;
  };
  const condition = (): Test => {
    if (take('NOT')) {
      const inner = condition();
      return (event) => !inner(event);
    }
    if (take('(')) {
      const inner = either();
      need(')');
      return inner;
    }
    if (take('REFERENCESETCONTAINS')) {
      need('(');
      const set = next();
      need(',');
      const { value } = operand();
      need(')');
      return (event) => eachValue(value(event)).some((one) => holds.check(set, plain(one ?? '')));
    }
    if (take('INCIDR')) {
      need('(');
      const holdsAddress = networkTest(next());
      if (holdsAddress === undefined) return fail();
      need(',');
      const { value } = operand();
      need(')');
      return (event) => holdsAddress(plain(value(event) ?? ''));
    }
    if (take('INOFFENSE')) {
      need('(');
      const id = Number(next());
      need(')');
      return (event) => (event.fields['offenseids'] as readonly number[] | undefined)?.includes(id) ?? false;
    }
    const { value } = operand();
    if (take('IS')) {
      const negated = take('NOT');
      need('NULL');
      return (event) => (value(event) == null) !== negated;
    }
    const negated = take('NOT');
    if (take('IN')) {
      need('(');
      const values = new Set(listOf(() => plain(printed(next()))));
      need(')');
      return (event) => values.has(plain(value(event))) !== negated;
    }
    if (peek('LIKE') || peek('ILIKE')) {
      const ignoreCase = next().toUpperCase() === 'ILIKE';
      const pattern = likePattern(next(), ignoreCase);
      return (event) => pattern.test(plain(value(event) ?? '')) !== negated;
    }
    const operator = next();
    const right = operand();
    return (event) => compare(value(event), operator, printed(right.value(event)), fail);
  };

  need('SELECT');
  const star = take('*');
  const columns = star ? [] : listOf(column);
  need('FROM');
  if (!['events', 'flows'].includes(name().toLowerCase())) fail();
  const where = take('WHERE') ? either() : () => true;
  let groups: Value[] = [];
  if (take('GROUP')) {
    need('BY');
    groups = listOf(() => {
      const { label, value } = operand();
      return columns.find((one) => one.name === label && one.aggregate === undefined)?.value ?? value;
    });
  }
  const orders: { field: string; sign: number }[] = [];
  if (take('ORDER')) {
    need('BY');
    orders.push(...listOf(() => ({ field: operand().label, sign: take('DESC') ? -1 : take('ASC') ? 1 : 1 })));
  }
  const limit = take('LIMIT') ? Number(next()) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(limit)) fail();
  const instant = (): number => {
    const given = next();
    const time = /^\d{12,}$/.test(given) ? Number(given) : Date.parse(`${given.replace(' ', 'T').replace(/Z?$/, '')}Z`);
    return Number.isNaN(time) ? fail() : time;
  };
  // Without a time clause a search looks at the last 60 seconds.
  let [from, to] = [now - MINUTE, now];
  if (take('LAST')) {
    const size = Number(next()) * (UNITS[next().toUpperCase()] ?? Number.NaN);
    if (Number.isNaN(size)) fail();
    from = now - size;
  } else if (take('START')) {
    from = instant();
    if (take('STOP')) to = instant();
  }
  if (at < tokens.length) fail();
  // The grain of a window is the minute: whole first to whole last minute.
  const window = { from: Math.floor(from / MINUTE) * MINUTE, to: Math.ceil((to + 1) / MINUTE) * MINUTE - 1 };

  return {
    ...window,
    columns: columns.map((one) => one.name),
    run: (events, setHolds) => {
      holds.check = setHolds;
      const hits = events.filter((event) => event.time >= window.from && event.time <= window.to && where(event));
      const rows = star
        ? hits.map((event) => ({ ...event.fields, starttime: event.time }))
        : columns.some((one) => one.aggregate !== undefined) || groups.length > 0
          ? grouped(hits, columns, groups)
          : hits.map((event) => Object.fromEntries(columns.map((one) => [one.name, one.value(event)])));
      return ordered(rows, orders).slice(0, limit);
    },
  };
}

/** A property may hold several values at once. */
const eachValue = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

const onEach = (value: unknown, change: (text: string) => string): unknown =>
  value == null ? null : Array.isArray(value) ? value.map((one: unknown) => change(plain(one))) : change(plain(value));

/** Functions of text by IBM's list; the pattern of REPLACEALL comes first, then the text, then what to put there. */
const TEXT_FUNCTIONS: Readonly<Record<string, (given: readonly Value[]) => Value>> = {
  LOWER:
    ([of]) =>
    (event) =>
      onEach(of?.(event), (text) => text.toLowerCase()),
  UPPER:
    ([of]) =>
    (event) =>
      onEach(of?.(event), (text) => text.toUpperCase()),
  REPLACEALL:
    ([pattern, of, by]) =>
    (event) =>
      onEach(of?.(event), (text) =>
        text.replace(new RegExp(plain(pattern?.(event) ?? ''), 'g'), plain(by?.(event) ?? '')),
      ),
};

function networkTest(text: string): ((address: string) => boolean) | undefined {
  const [address = '', length = ''] = text.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(length), 'ipv4');
  return (one) => isIPv4(one) && list.check(one, 'ipv4');
}

function fieldOf(event: Event, field: string): unknown {
  const found = event.fields[field] ?? event.fields[field.toLowerCase()];
  if (found !== undefined) return Array.isArray(found) ? found.map(printed) : printed(found);
  if (/^(starttime|devicetime|endtime)$/i.test(field)) return event.time;
  return /^eventcount$/i.test(field) ? 1 : null;
}

function grouped(
  hits: readonly Event[],
  columns: readonly Column[],
  groups: readonly Value[],
): Record<string, unknown>[] {
  const buckets = new Map<string, Event[]>();
  for (const event of hits) {
    const key = JSON.stringify(groups.map((value) => value(event)));
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [event]);
    else bucket.push(event);
  }
  if (groups.length === 0 && buckets.size === 0) buckets.set('', []);
  return [...buckets.values()].map((events) =>
    Object.fromEntries(columns.map((one) => [one.name, aggregate(one, events)])),
  );
}

function aggregate(column: Column, events: readonly Event[]): unknown {
  const values = events.map(column.value);
  const numbers = values.map(Number);
  switch (column.aggregate) {
    case 'MIN':
      return numbers.length === 0 ? null : Math.min(...numbers);
    case 'MAX':
      return numbers.length === 0 ? null : Math.max(...numbers);
    case 'SUM':
      return numbers.reduce((sum, one) => sum + one, 0);
    case 'COUNT':
      return values.filter((value) => value != null).length;
    case 'UNIQUECOUNT':
      return new Set(values).size;
    case 'LAST':
      return values.at(-1) ?? null;
    default:
      return values[0] ?? null;
  }
}

function compare(a: unknown, operator: string, b: unknown, fail: () => never): boolean {
  if (a == null) return operator === '!=' || operator === '<>';
  const numeric = typeof a === 'number' || typeof b === 'number';
  const [x, y] = numeric ? [Number(a), Number(b)] : [plain(a), plain(b)];
  switch (operator) {
    case '=':
      return x === y;
    case '!=':
    case '<>':
      return x !== y;
    case '<':
      return x < y;
    case '>':
      return x > y;
    case '<=':
      return x <= y;
    case '>=':
      return x >= y;
    default:
      return fail();
  }
}

function ordered(
  rows: Record<string, unknown>[],
  orders: readonly { field: string; sign: number }[],
): Record<string, unknown>[] {
  if (orders.length === 0) return rows;
  return rows.toSorted((a, b) => {
    for (const { field, sign } of orders) {
      const [x, y] = [a[field] as number | string, b[field] as number | string];
      if (x < y) return -sign;
      if (x > y) return sign;
    }
    return 0;
  });
}
