// What a SIEM shall hold, computed from the partners' objects alone and written apart from the store's own rules.
import type { ObservableType } from '../../src/core/model/observable.ts';
import type { MemorySiemStore } from '../contract/memory-siem.ts';
import type { Partner } from './partner.ts';

/** The product refuses this value for good. */
export const PARKED_VALUE = 'http://refused.example/';

interface Content {
  readonly until: number;
  readonly tlp: string;
  readonly sources: readonly string[];
}

/** Undefined when the SIEM holds exactly what the partners vouch for now. */
export function expectedIn(
  partners: readonly Partner[],
  clearance: 'green' | 'amber',
  now: number,
  siem: MemorySiemStore,
  slotOf: (type: ObservableType, value: string) => string,
): string | undefined {
  const wanted = new Map<string, { slot: string; until: number; sources: string[] }>();
  for (const partner of partners) {
    for (const object of partner.current.values()) {
      const allowed = object.tlp === 'green' || (object.tlp === 'amber' && clearance === 'amber');
      const until = object.validUntil ?? Number.POSITIVE_INFINITY;
      if (object.revoked || !allowed || object.validFrom > now || until <= now) continue;
      for (const { type, value } of object.observables) {
        if (value === PARKED_VALUE) continue;
        const key = `${type}|${value}`;
        const entry = wanted.get(key) ?? { slot: slotOf(type, value), until: 0, sources: [] };
        entry.until = Math.max(entry.until, until);
        entry.sources.push(`${partner.name}/${object.objectId}`);
        wanted.set(key, entry);
      }
    }
  }
  const slots = new Set([...wanted.values()].map(({ slot }) => slot));
  for (const [slot, row] of siem.rows) {
    const entry = wanted.get(row.key);
    if (entry === undefined) return `${row.key} stands there and nobody vouches for it`;
    const content = contentOf(row.body);
    if (content.until !== entry.until) return `${row.key} ends at ${content.until} instead of ${entry.until}`;
    if (content.sources.join() !== entry.sources.sort().join()) return `${row.key} names ${content.sources.join()}`;
    slots.delete(slot);
  }
  return slots.size === 0 ? undefined : `missing: ${[...slots].join(', ')}`;
}

/** What the in-memory SIEM's encoder wrote. */
export const contentOf = (body: string): Content => JSON.parse(body) as Content;
