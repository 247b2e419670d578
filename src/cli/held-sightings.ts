// Sightings that wait for a person: listed, and shown as the exact STIX that would leave.
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { buildSighting } from '../core/stix/build.ts';
import type { FailedSighting, HeldSighting } from '../core/store/read/sightings.ts';
import type { Context } from './command.ts';
import { withSightings } from './state.ts';

export const isSightingId = (id: string): boolean => /^s\d+$/.test(id);

/** Those that the flags and the id leave. */
export function heldSightings(
  { flags }: Pick<Context, 'flags'>,
  config: Config,
  id: string | undefined,
): readonly HeldSighting[] {
  if (flags['kind'] !== undefined && flags['kind'] !== 'sighting') return [];
  return (withSightings(config, (reader) => [...reader.held()]) ?? []).filter(
    (one) =>
      (flags['exchange'] === undefined || one.exchange === flags['exchange']) && (id === undefined || one.id === id),
  );
}

/** Refused by an exchange for good. */
export const failedSightings = (config: Config): readonly FailedSighting[] =>
  withSightings(config, (reader) => reader.failed()) ?? [];

export function showSighting(context: Context, config: Config, id: string): void {
  const found = withSightings(config, (reader) => reader.heldSighting(id));
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
  const { set } = found.held;
  context.out.line(`\nSet ${set}, for: entente held approve ${id} --set ${set} --reason TEXT, or held reject`);
}
