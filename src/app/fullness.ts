// A watchlist that took as many entries as it may: what is wanted beyond that is missing there, which a person must know.
import type { SiemConfig } from '../core/config/load.ts';
import { OBSERVABLE_TYPES } from '../core/model/observable.ts';
import type { HealthSettings } from '../core/runtime/health.ts';
import type { SiemStatus } from '../core/store/read/peers.ts';

type Full = NonNullable<HealthSettings['waiting']>;

export function fullness(
  instance: string,
  siem: SiemConfig,
  row: SiemStatus | undefined,
  now: number,
): Full | undefined {
  const { definition } = siem;
  const most = siem.max_entries ?? definition.maxEntries;
  if (most === undefined || row === undefined || row.parked === 0 || !siem.enabled) return undefined;
  const settings = definition.settings(siem.settings, instance);
  const standing = new Map<string, number>();
  for (const type of OBSERVABLE_TYPES) {
    const container = definition.container(type, settings);
    // While one that gave way is on its way out there is a place less, and others wait for it all the same.
    const waits = (row.keptOutByType[type] ?? 0) > 0 ? most : 0;
    standing.set(container, (standing.get(container) ?? 0) + (row.presentByType[type] ?? 0) + waits);
  }
  const full = [...standing].filter(([, count]) => count >= most).map(([container]) => container);
  if (full.length === 0) return undefined;
  const holds = `holds ${row.delivered.toLocaleString('en')} of ${row.wanted.toLocaleString('en')} wanted entries`;
  return {
    condition: 'full',
    since: row.oldestParked ?? now,
    reason: `${siem.name} ${holds}: ${full.join(', ')} ${full.length === 1 ? 'is' : 'are'} full (max_entries ${most.toLocaleString('en')})`,
    nextAction: `raise max_entries of ${siem.name} if it can hold more, or let it take less (observables, exchanges, policy.min_confidence); the rest goes on by itself once there is room`,
  };
}
