// Sets whose entries leave by themselves. Ours have such a time as a dead-man switch; one that a person made may forget
// entries before they are written again.
import type { Expiry, HeldSet } from './board.ts';
import type { ClassicSet } from './responses.ts';

const LONGEST_RENEWAL_DAYS = 30;
const DAYS: Readonly<Record<string, number>> = {
  year: 365,
  mon: 30,
  month: 30,
  week: 7,
  day: 1,
  hour: 1 / 24,
  min: 1 / 1440,
  minute: 1 / 1440,
  sec: 1 / 86_400,
  second: 1 / 86_400,
};

/** After how many days entries are written again: well before the dead-man switch of our own sets. */
export function renewalDays(deadManDays: number): number {
  return deadManDays === 0 ? LONGEST_RENEWAL_DAYS : Math.min(LONGEST_RENEWAL_DAYS, deadManDays / 3);
}

/** Only the classic API tells a time to live in words; the unit of the other's number is documented nowhere. */
export function expiryIn(set: ClassicSet): { readonly expires?: Expiry } {
  const days = intervalDays(set.time_to_live ?? '');
  if (days === 0 || (set.timeout_type !== 'FIRST_SEEN' && set.timeout_type !== 'LAST_SEEN')) return {};
  return { expires: { days, renewable: set.timeout_type === 'LAST_SEEN' } };
}

/** `0 years 0 mons 30 days 0 hours 0 mins 0.00 secs`; 0 for what is no time. */
export function intervalDays(text: string): number {
  let days = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+?)s?\b/gi))
    days += Number(number) * (DAYS[unit.toLowerCase()] ?? 0);
  return days;
}

/** What a person should change, where a set forgets entries that are still vouched for. */
export function forgetsTooSoon(set: HeldSet, renewAfterDays: number): string | undefined {
  const { expires } = set;
  if (expires === undefined || (expires.renewable && expires.days > renewAfterDays)) return undefined;
  const after = `${told(expires.days)} after they were ${expires.renewable ? 'last' : 'first'} written`;
  const remedy = expires.renewable
    ? `give it a time to live of more than ${told(renewAfterDays)}, or none, or set dead_man_days to ${Math.max(1, Math.floor(expires.days))} so that they are written again in time`
    : 'let its time to live count from the last time an entry was seen (LAST_SEEN), or give it none';
  const renewed = expires.renewable ? `, and they are written again after ${told(renewAfterDays)} only` : '';
  return `set ${set.name} forgets entries ${after}${renewed}; ${remedy}`;
}

function told(days: number): string {
  const [number, unit] = days >= 1 ? [days, 'days'] : [days * 24, 'hours'];
  return `${Math.round(number * 10) / 10} ${unit}`;
}
