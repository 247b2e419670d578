// Dates in the product's default format `strict_date_optional_time||epoch_millis`, and its date arithmetic.
const STRICT = /^(\d{4})(-\d\d(-\d\d(T(\d\d(:\d\d(:\d\d([.,]\d{1,9})?)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?)?)?$/;
const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  H: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Epoch milliseconds, or undefined when the value is no date. */
export function parseDate(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.floor(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const found = STRICT.exec(value);
  if (found === null) return /^-?\d+$/.test(value) ? Number(value) : undefined;
  const [, year = '', , , time = '', clock = ''] = found;
  const day = value.split('T')[0]!;
  const full = day.length === 4 ? `${year}-01-01` : day.length === 7 ? `${day}-01` : day;
  // Date.parse rolls the 31st of a short month over; the product refuses it.
  const midnight = Date.parse(`${full}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(full)) return undefined;
  if (time === '' || clock === '') return midnight;
  const parts = clock.length === 2 ? `${clock}:00:00` : clock.length === 5 ? `${clock}:00` : clock.replace(',', '.');
  const zone = /(Z|[+-]\d\d(:?\d\d)?)$/.exec(time)?.[0] ?? 'Z';
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.replace(':', '').slice(3) || '00'}`;
  const whole = Date.parse(`${full}T${parts.slice(0, 12)}${offset}`);
  return Number.isNaN(whole) ? undefined : whole;
}

/** A bound of a range: a date, or arithmetic such as `now-30d/d` or `2026-01-01||+1M`. `up` rounds to the end of the unit. */
export function parseDateMath(value: unknown, now: number, up: boolean): number | undefined {
  if (typeof value !== 'string') return parseDate(value);
  const bar = value.indexOf('||');
  const anchored = value.startsWith('now') ? 'now' : bar > 0 ? value.slice(0, bar) : undefined;
  if (anchored === undefined) return parseDate(value);
  const base = anchored === 'now' ? now : parseDate(anchored);
  if (base === undefined) return undefined;
  const date = new Date(base);
  const steps = value.slice(anchored === 'now' ? 3 : bar + 2);
  if (!/^(([+-]\d+|\/)[yMwdhHms])*$/.test(steps)) return undefined;
  for (const [, operation = '', unit = ''] of steps.matchAll(/([+-]\d+|\/)([yMwdhHms])/g)) {
    if (operation === '/') roundDown(date, unit, up);
    else shift(date, Number(operation), unit);
  }
  return date.getTime();
}

function shift(date: Date, amount: number, unit: string): void {
  if (unit === 'y') date.setUTCFullYear(date.getUTCFullYear() + amount);
  else if (unit === 'M') date.setUTCMonth(date.getUTCMonth() + amount);
  else date.setTime(date.getTime() + amount * UNITS[unit]!);
}

function roundDown(date: Date, unit: string, up: boolean): void {
  if (unit === 'y') date.setUTCMonth(0, 1);
  if (unit === 'M') date.setUTCDate(1);
  if (unit === 'w') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  const grain = UNITS[unit] !== undefined && unit !== 'w' ? UNITS[unit] : 86_400_000;
  date.setTime(Math.floor(date.getTime() / grain) * grain);
  if (up) {
    shift(date, 1, unit);
    date.setTime(date.getTime() - 1);
  }
}

/** `30s`, `1m`, `500ms`; -1 stands for never. */
export function parseDuration(text: string): number | undefined {
  const found = /^(-1|(\d+)(ms|[smhd]))$/.exec(text);
  if (found === null) return undefined;
  if (found[1] === '-1') return -1;
  return Number(found[2]) * (found[3] === 'ms' ? 1 : UNITS[found[3]!]!);
}
