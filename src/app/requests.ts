// What a command asks to be done to the state: by the daemon that holds it, or by the command itself when there is
// none. Both run this same code.
import { z } from 'zod';
import type { App } from '../app.ts';
import { Batch } from '../core/contracts/batch.ts';
import type { Change, EncodeContext, OwnedEntry, SiemConnector } from '../core/contracts/siem-connector.ts';
import { Deliverer } from '../core/delivery/deliverer.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { Json } from '../core/model/json.ts';
import { OBSERVABLE_TYPES } from '../core/model/observable.ts';
import { random, randomHex } from '../core/runtime/ids.ts';
import { siemConnector } from './peers.ts';

const Observables = z.array(z.object({ type: z.enum(OBSERVABLE_TYPES), value: z.string() })).min(1);

/** Ten years; a longer one is a rule, and belongs into the configuration. */
export const MOST_HOURS = 87_600;

export const RequestArguments = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('suppress'),
    observables: Observables,
    hours: z.number().positive().max(MOST_HOURS),
    reason: z.string().min(1),
    false_positive: z.boolean(),
  }),
  z.object({ kind: z.literal('lift'), id: z.number().int() }),
  z.object({
    kind: z.literal('decide'),
    id: z.number().int(),
    decision: z.enum(['approve', 'reject']),
    digest: z.string(),
    by: z.string(),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('decide-sighting'),
    id: z.number().int(),
    decision: z.enum(['approve', 'reject']),
    shown: z.number().int(),
    by: z.string(),
    reason: z.string(),
  }),
  z.object({ kind: z.literal('retry-parked'), id: z.string().optional() }),
  z.object({ kind: z.literal('reconcile'), siem: z.string().optional(), repair: z.boolean() }),
  z.object({ kind: z.literal('purge'), siem: z.string() }),
]);
export type RequestArguments = z.output<typeof RequestArguments>;

export async function perform(app: App, args: RequestArguments, by: string, signal: AbortSignal): Promise<Json> {
  const now = app.now();
  switch (args.kind) {
    case 'suppress': {
      const ids = await app.store.suppress(
        args.observables,
        now + args.hours * 3_600_000,
        args.reason,
        by,
        now,
        args.false_positive,
      );
      return { ids, until: new Date(now + args.hours * 3_600_000).toISOString() };
    }
    case 'lift':
      await app.store.lift(args.id, now);
      return { lifted: args.id };
    case 'decide':
      return { entries: await app.store.decideHold(args.id, args.decision, args.digest, args.by, args.reason, now) };
    case 'decide-sighting':
      await app.store.decideSighting(args.id, args.decision, args.shown, args.by, args.reason, now);
      return { sighting: args.id };
    case 'retry-parked':
      return retryParked(app, args.id, now);
    case 'reconcile':
      return reconcile(app, args.siem, args.repair, signal);
    case 'purge':
      return { removed: await purge(app, args.siem, signal) };
  }
}

/** What a SIEM refused and what an exchange refused: all of both, or one by its id. */
async function retryParked(app: App, id: string | undefined, now: number): Promise<Json> {
  const sighting = id === undefined ? undefined : /^s(\d+)$/.exec(id)?.[1];
  const entries = sighting === undefined ? await app.store.retryParked(id, now) : 0;
  if (id !== undefined && sighting === undefined) return { entries, sightings: 0 };
  const sightings = await app.store.retrySightings(sighting === undefined ? undefined : Number(sighting), now);
  if (sighting !== undefined && sightings === 0)
    throw new ConnectorError('permanent', `no sighting is parked under ${id}; see entente parked list`);
  return { entries, sightings };
}

async function reconcile(app: App, only: string | undefined, repair: boolean, signal: AbortSignal): Promise<Json> {
  const siems = app.config.siems.filter((one) => only === undefined || one.name === only);
  if (siems.length === 0) throw new ConnectorError('permanent', `no SIEM named ${only} in the configuration`);
  const reports: Json[] = [];
  for (const siem of siems) {
    const connector = siemConnector(app.config, siem.name, app.clock, app.log);
    const deliverer = app.deliverers.get(siem.name) ?? standIn(app, siem.name, connector);
    try {
      // Opening makes what is missing; who only looks must not.
      if (repair) await connector.open(signal);
      let report = await deliverer.audit(signal, repair);
      if (repair && app.deliverers.has(siem.name)) {
        deliverer.wake();
        await deliverer.cycle(signal);
        if (deliverer.failure !== undefined)
          throw new ConnectorError(deliverer.failure.kind, deliverer.failure.message);
        report = await deliverer.audit(signal, false);
      }
      const foreign = (await connector.foreign?.(signal)) ?? null;
      reports.push({
        name: siem.name,
        wanted: report.wanted,
        // Known to be under way, so neither missing nor stale.
        pending: app.reader.siems().find((one) => one.name === siem.name)?.pending ?? 0,
        present: report.present,
        missing: report.missing,
        stale: report.stale,
        orphaned: report.orphaned,
        counts: report.counts,
        foreign,
      });
    } finally {
      await connector.close();
    }
  }
  return { siems: reports };
}

/** A SIEM that is disabled or in shadow mode has no deliverer running; listing it needs one all the same. */
function standIn(app: App, name: string, connector: SiemConnector): Deliverer {
  const siem = app.config.siems.find((one) => one.name === name);
  if (siem === undefined) throw new ConnectorError('permanent', `no SIEM named ${name} in the configuration`);
  return new Deliverer({
    name,
    definition: siem.definition,
    connector,
    store: app.store,
    clock: app.clock,
    now: () => app.now(),
    log: app.log,
    random,
    boot: randomHex(8),
    abort: new AbortController().signal,
  });
}

/** What carries our mark there, page by page. */
export async function* owned(app: App, siem: string, signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]> {
  const connector = siemConnector(app.config, siem, app.clock, app.log);
  try {
    await connector.open(signal);
    yield* connector.list({}, signal);
  } finally {
    await connector.close();
  }
}

const PURGE_STEP = 50_000;

/** Removes everything that carries our mark. The SIEM must be off, or the daemon would fill it again. */
async function purge(app: App, name: string, signal: AbortSignal): Promise<number> {
  const siem = app.config.siems.find((one) => one.name === name);
  if (siem === undefined) throw new ConnectorError('permanent', `no SIEM named ${name} in the configuration`);
  if (siem.enabled && siem.mode === 'live') {
    throw new ConnectorError(
      'permanent',
      `${name} is live; set enabled: false or mode: shadow first, or it would be filled again`,
    );
  }
  const { definition } = siem;
  const settings = definition.settings(siem.settings, app.config.instance);
  const connector = siemConnector(app.config, name, app.clock, app.log);
  let removed = 0;
  try {
    const { facts } = await connector.open(signal);
    const { writer, revision } = await app.store.identity();
    const base: EncodeContext = {
      owner: `entente:${app.config.instance}`,
      writer,
      revision,
      now: app.now(),
      settings,
      facts,
    };
    // Some at a time, listed anew each time: a million at once would not fit, and a listing that is under way may skip
    // what stands behind an entry that goes.
    for (;;) {
      const doomed = await firstOwned(connector, signal);
      if (doomed.length === 0) break;
      const before = removed;
      for (let at = 0; at < doomed.length; at += definition.limits.maxItems) {
        const changes = doomed.slice(at, at + definition.limits.maxItems).map(
          (one): Change => ({
            op: 'remove',
            key: one.key,
            slot: one.slot,
            revision: Math.max(revision, one.revision) + 1,
            ...(one.handle === undefined ? {} : { handle: one.handle }),
          }),
        );
        const frames = changes.map(
          (change) => definition.frame?.(change, '', { ...base, revision: change.revision }) ?? '',
        );
        for (const outcome of await settled(connector, Batch.of(changes, frames), app, signal)) {
          if (outcome.kind === 'applied') removed++;
          else if (outcome.kind === 'failed')
            throw new ConnectorError(outcome.failure.kind, `${removed} removed, then: ${outcome.failure.message}`);
        }
      }
      if (removed === before) {
        throw new ConnectorError(
          'permanent',
          `${removed} removed, then ${name} kept what it was told to remove: another daemon writes there; stop it first`,
        );
      }
    }
  } finally {
    await connector.close();
  }
  await app.store.purged(name, app.now());
  return removed;
}

/** Up to 50,000 of ours that stand there. */
async function firstOwned(connector: SiemConnector, signal: AbortSignal): Promise<OwnedEntry[]> {
  const found: OwnedEntry[] = [];
  for await (const part of connector.list({}, signal)) {
    found.push(...part);
    if (found.length >= PURGE_STEP) break;
  }
  return found;
}

async function settled(connector: SiemConnector, batch: Batch, app: App, signal: AbortSignal) {
  const outcomes = await connector.apply(batch, signal);
  const receipts = [...new Set(outcomes.flatMap((one) => (one.kind === 'accepted' ? [one.receipt] : [])))];
  const late = [];
  for (const receipt of receipts) {
    let answer = await connector.settle?.(receipt, signal);
    while (answer === 'pending') {
      await app.clock.sleep(500, signal);
      answer = await connector.settle?.(receipt, signal);
    }
    late.push(...(answer ?? []));
  }
  return [...outcomes.filter((one) => one.kind !== 'accepted'), ...late];
}
