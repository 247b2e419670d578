// Compares what a SIEM shall hold, what the ledger says and what stands there, and has it put right.
import type { App } from '../app.ts';
import type { SiemConnector } from '../core/contracts/siem-connector.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { Json } from '../core/model/json.ts';
import type { ComparisonReport } from '../core/store/delivery/comparison.ts';
import { siemConnector } from './peers.ts';

/** How far long work at a SIEM has come. */
export interface Step {
  readonly siem: string;
  readonly what: 'listed' | 'removed';
  /** Since the step before, and in all. */
  readonly more: number;
  readonly done: number;
  /** How many there will be by the ledger; to be asked only when it is shown. */
  readonly of: () => number;
}
export type OnStep = (step: Step) => void;

export async function reconcile(
  app: App,
  only: string | undefined,
  repair: boolean,
  signal: AbortSignal,
  onStep: OnStep,
): Promise<Json> {
  const siems = app.config.siems.filter((one) => only === undefined || one.name === only);
  if (siems.length === 0) throw new ConnectorError('permanent', `no SIEM named ${only} in the configuration`);
  const reports: Json[] = [];
  for (const siem of siems) {
    const connector = await siemConnector(app.config, siem.name, app.clock, app.log);
    const deliverer = app.deliverers.get(siem.name);
    // Never beside a cycle or another audit of this SIEM: they would spoil each other's listing.
    const alone = <T>(work: () => Promise<T>): Promise<T> =>
      deliverer === undefined ? work() : deliverer.exclusive(() => deliverer.listing(work));
    const audited = (repairing: boolean) =>
      alone(async () => {
        // Opening makes what is missing; who only looks must not.
        if (repairing) await connector.open(signal);
        return audit(app, siem.name, connector, repairing, signal, onStep);
      });
    try {
      let report = await audited(repair);
      if (repair && deliverer !== undefined) {
        deliverer.wake();
        await deliverer.cycle(signal);
        if (deliverer.failure !== undefined)
          throw new ConnectorError(deliverer.failure.kind, deliverer.failure.message);
        report = await audited(false);
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

/** As delivery does it, but also for a SIEM without any (disabled, or in shadow mode), and telling how far it is. */
async function audit(
  app: App,
  siem: string,
  connector: SiemConnector,
  repair: boolean,
  signal: AbortSignal,
  onStep: OnStep,
): Promise<ComparisonReport> {
  const step = steps(app, siem, 'listed', onStep);
  await app.store.beginComparison(siem, repair, app.now());
  for await (const part of connector.list({}, signal)) {
    await app.store.comparePart(siem, part, app.now());
    step(part.length);
  }
  let report = await app.store.endComparison(siem, app.now());
  while (report.more) report = await app.store.endComparison(siem, app.now());
  return report;
}

export function steps(app: App, siem: string, what: Step['what'], onStep: OnStep): (more: number) => void {
  let done = 0;
  const delivered = () => app.reader.siems().find((one) => one.name === siem)?.delivered ?? 0;
  return (more) => {
    done += more;
    // What nobody recorded stands there too, so that the ledger may have fewer.
    onStep({ siem, what, more, done, of: () => Math.max(done, delivered()) });
  };
}
