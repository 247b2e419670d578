// What a command asks to be done to the state: by the daemon that holds it, or by the command itself when there is
// none. Both run this same code.
import { z } from 'zod';
import type { App } from '../app.ts';
import { Batch } from '../core/contracts/batch.ts';
import type { Change, EncodeContext, OwnedEntry, SiemConnector } from '../core/contracts/siem-connector.ts';
import { ConnectorError, toFailure } from '../core/model/failure.ts';
import type { Json } from '../core/model/json.ts';
import { OBSERVABLE_TYPES } from '../core/model/observable.ts';
import { MOST_CHOSEN } from '../core/store/read/difference.ts';
import { siemConnector } from './peers.ts';
import { type OnStep, reconcile, steps } from './reconcile.ts';

const Observables = z.array(z.object({ type: z.enum(OBSERVABLE_TYPES), value: z.string() })).min(1);

/** Ten years; a longer one is a rule, and belongs into the configuration. */
export const MOST_HOURS = 87_600;

/** Who does not look for three years does not look. */
export const MOST_REVIEW_DAYS = 1096;

/** With the code of what the person was shown. */
const Shown = z.object({ id: z.number().int(), set: z.string() });

export const RequestArguments = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('suppress'),
    observables: Observables,
    hours: z.number().positive().max(MOST_HOURS),
    reason: z.string().min(1),
    false_positive: z.boolean(),
  }),
  z.object({
    kind: z.literal('harmless'),
    observables: Observables,
    review_days: z.number().positive().max(MOST_REVIEW_DAYS),
    reason: z.string().min(1),
  }),
  z.object({ kind: z.literal('lift'), id: z.number().int(), of: z.enum(['suppress', 'harmless']).default('suppress') }),
  z.object({
    kind: z.literal('decide'),
    decision: z.enum(['approve', 'reject']),
    holds: z.array(Shown),
    sightings: z.array(Shown),
    by: z.string(),
    reason: z.string().min(1),
  }),
  z.object({
    kind: z.literal('retry-parked'),
    id: z.string().optional(),
    /** Those of many that are parked still. */
    ids: z.array(z.string()).min(1).max(MOST_CHOSEN).optional(),
  }),
  z.object({ kind: z.literal('reconcile'), siem: z.string().optional(), repair: z.boolean() }),
  z.object({ kind: z.literal('purge'), siem: z.string() }),
  z.object({ kind: z.literal('checkpoint') }),
  z.object({ kind: z.literal('rotate-audit-key') }),
]);
export type RequestArguments = z.output<typeof RequestArguments>;

/** What was refused stands in the record, and what no unit of work tells of by itself. */
export async function perform(
  app: App,
  args: RequestArguments,
  by: string,
  signal: AbortSignal,
  onStep: OnStep = () => {},
): Promise<Json> {
  const who = args.kind === 'decide' ? args.by : by;
  try {
    const value = await carryOut(app, args, by, signal, onStep);
    const detail = unitless(args);
    if (detail !== undefined) await app.store.acted('request', who, detail, app.now());
    return value;
  } catch (error) {
    const { kind, message } = toFailure(error);
    // A fault of ours, or of the state, is no refusal.
    if (error instanceof ConnectorError)
      await app.store.acted('refused', who, { kind: args.kind, failure: kind }, app.now(), message);
    throw error;
  }
}

/** Of what is done in many units of work, or in a SIEM alone. */
function unitless(args: RequestArguments): { readonly [name: string]: Json } | undefined {
  switch (args.kind) {
    case 'retry-parked':
      return { kind: args.kind, id: args.id ?? null, ...(args.ids === undefined ? {} : { ids: args.ids }) };
    case 'reconcile':
      return args.repair ? { kind: args.kind, siem: args.siem ?? null } : undefined;
    case 'purge':
      return { kind: args.kind, siem: args.siem };
    case 'rotate-audit-key':
      return { kind: args.kind };
    default:
      return undefined;
  }
}

async function carryOut(
  app: App,
  args: RequestArguments,
  by: string,
  signal: AbortSignal,
  onStep: OnStep,
): Promise<Json> {
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
      app.log.info('Values were suppressed.', { values: args.observables.length, hours: args.hours, by });
      return { ids, until: new Date(now + args.hours * 3_600_000).toISOString() };
    }
    case 'harmless': {
      const review = now + args.review_days * 86_400_000;
      const ids = await app.store.callHarmless(args.observables, review, args.reason, by, now);
      app.log.info('Values were called harmless.', { values: args.observables.length, by });
      return { ids, review: new Date(review).toISOString() };
    }
    case 'lift':
      await app.store.lift(args.id, now, args.of, by);
      app.log.info('A suppression was lifted.', { suppression: args.id, by });
      return { lifted: args.id };
    case 'decide':
      return decide(app, args, now);
    case 'retry-parked':
      return args.ids === undefined ? retryParked(app, args.id, now) : retryChosen(app, args.ids, now);
    case 'reconcile':
      return reconcile(app, args.siem, args.repair, signal, onStep);
    case 'purge':
      return purge(app, args.siem, signal, onStep);
    case 'checkpoint':
      return { signed: await app.audit.checkpoint() };
    case 'rotate-audit-key': {
      const rotated = await app.audit.rotate();
      app.log.info('The key that signs the record was changed.', { by, key: rotated.key });
      return { ...rotated };
    }
  }
}

/** Who decided, about whom and how many stands in the log as one line; never what. */
async function decide(app: App, args: Extract<RequestArguments, { kind: 'decide' }>, now: number): Promise<Json> {
  const { decision, by, reason } = args;
  const { holds, sightings } = await app.store.decide(args, decision, by, reason, now);
  for (const { id, ...one } of holds) app.log.info('A hold was decided.', { decision, hold: id, ...one, by, reason });
  for (const { id, ...one } of sightings)
    app.log.info('A held sighting was decided.', { decision, sighting: `s${id}`, ...one, by });
  return { holds: holds.length, sightings: sightings.length };
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

async function retryChosen(app: App, ids: readonly string[], now: number): Promise<Json> {
  let entries = 0;
  for (const id of ids)
    try {
      entries += await app.store.retryParked(id, now);
    } catch (error) {
      // It is parked no more, which is as good; where that is so of all of them, the last one says so.
      if (!(error instanceof ConnectorError) || (entries === 0 && id === ids.at(-1))) throw error;
    }
  return { entries, sightings: 0 };
}

const PURGE_STEP = 50_000;

/** Removes everything that carries our mark. The SIEM must be off, or the daemon would fill it again. */
async function purge(app: App, name: string, signal: AbortSignal, onStep: OnStep): Promise<Json> {
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
  const connector = await siemConnector(app.config, name, app.clock, app.log);
  const step = steps(app, name, 'removed', onStep);
  let removed = 0;
  let beside: { removed: number; stays: readonly string[] } = { removed: 0, stays: [] };
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
        const already = removed;
        for (const outcome of await settled(connector, Batch.of(changes, frames), app, signal)) {
          if (outcome.kind === 'applied') removed++;
          else if (outcome.kind === 'failed')
            throw new ConnectorError(outcome.failure.kind, `${removed} removed, then: ${outcome.failure.message}`);
        }
        step(removed - already);
      }
      if (removed === before) {
        throw new ConnectorError(
          'permanent',
          `${removed} removed, then ${name} kept what it was told to remove: another daemon writes there; stop it first`,
        );
      }
    }
    beside = (await connector.leave?.(signal)) ?? beside;
  } finally {
    await connector.close();
  }
  await app.store.purged(name, app.now());
  // To the end also where no daemon runs.
  await app.tick(signal);
  return { removed, control_records: beside.removed, stays: [...beside.stays] };
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
