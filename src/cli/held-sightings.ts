// Sightings that wait for a person: listed, shown as the exact STIX that would leave, approved and rejected.
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { buildSighting } from '../core/stix/build.ts';
import type { FailedSighting, HeldSighting, SightingsReader } from '../core/store/sightings-reader.ts';
import type { Context } from './command.ts';
import { act, caller, sightingsOf } from './state.ts';

export const isSightingId = (id: string): boolean => /^s\d+$/.test(id);

function reading<T>(config: Config, ask: (reader: SightingsReader) => T): T | undefined {
  const reader = sightingsOf(config);
  try {
    return reader === undefined ? undefined : ask(reader);
  } finally {
    reader?.close();
  }
}

/** Those that the flags and the id leave. */
export function heldSightings(context: Context, config: Config, id: string | undefined): readonly HeldSighting[] {
  const { flags } = context;
  if (flags['kind'] !== undefined && flags['kind'] !== 'sighting') return [];
  return (reading(config, (reader) => reader.held()) ?? []).filter(
    (one) =>
      (flags['exchange'] === undefined || one.exchange === flags['exchange']) && (id === undefined || one.id === id),
  );
}

/** Refused by an exchange for good. */
export const failedSightings = (config: Config): readonly FailedSighting[] =>
  reading(config, (reader) => reader.failed()) ?? [];

export function showSighting(context: Context, config: Config, id: string): void {
  const found = reading(config, (reader) => reader.heldSighting(id));
  if (found === undefined || config.identity === undefined)
    throw new ConnectorError('permanent', `no sighting is held under ${id}; see entente held list`);
  const exchange = config.exchanges.find((one) => one.name === found.held.exchange);
  const where = (exchange?.settings as { report_where_sighted?: boolean } | undefined)?.report_where_sighted === true;
  const stix = buildSighting(found.sighting, config.identity, where);
  if (context.json) {
    context.out.json({ ...found.held, stix });
    return;
  }
  context.out.line(`To ${found.held.exchange}, until ${found.held.expires}: ${found.held.reason}`);
  context.out.line(JSON.stringify(stix, null, 2));
}

export async function decideSightings(
  context: Context,
  config: Config,
  verb: 'approve' | 'reject',
  waiting: readonly HeldSighting[],
): Promise<string[]> {
  const reason = typeof context.flags['reason'] === 'string' ? context.flags['reason'] : '';
  for (const one of waiting) {
    await act(context, config, {
      kind: 'decide-sighting',
      id: Number(one.id.slice(1)),
      decision: verb,
      shown: one.shown,
      by: caller(context),
      reason,
    });
    const done = verb === 'approve' ? 'Approved' : 'Rejected';
    if (!context.json) context.out.line(`${done} ${one.id}: a sighting of ${one.object_id} for ${one.exchange}.`);
  }
  return waiting.map((one) => one.id);
}
