// The parts of the store, who is given whom, and the one way in which a unit of work is done with them: one transaction,
// at whose end every touched entry was judged once, holds were judged and watchlists with a limit came to rest.
import type { SiemEncoder } from '../../contracts/siem-connector.ts';
import { Adoption } from '../delivery/adoption.ts';
import { Batches } from '../delivery/batches.ts';
import { Comparison } from '../delivery/comparison.ts';
import { Containers } from '../delivery/containers.ts';
import { Drafts } from '../delivery/drafts.ts';
import { Doubts } from '../delivery/doubts.ts';
import { Findings } from '../delivery/findings.ts';
import { Flights } from '../delivery/flights.ts';
import { ReadBack } from '../delivery/read-back.ts';
import { Receipts } from '../delivery/receipts.ts';
import { recover } from '../delivery/recovery.ts';
import { Settling } from '../delivery/settling.ts';
import { Explaining } from '../ingest/explaining.ts';
import { Links } from '../ingest/links.ts';
import { Listing } from '../ingest/listing.ts';
import { Objects } from '../ingest/objects.ts';
import { registerRespelling } from '../ingest/respelling.ts';
import { Retention } from '../ingest/retention.ts';
import { Snapshots } from '../ingest/snapshots.ts';
import { Brakes } from '../projection/brakes.ts';
import { Crowds } from '../projection/crowds.ts';
import { HoldTable } from '../projection/hold-table.ts';
import { Holds } from '../projection/holds.ts';
import { People } from '../projection/people.ts';
import { Projector } from '../projection/projection.ts';
import { recomputedUpTo, registerRecompute } from '../projection/recompute.ts';
import { Seats } from '../projection/seats.ts';
import { StandRuns } from '../projection/stand-runs.ts';
import { StandTable } from '../projection/stand-table.ts';
import { Checkpoints } from '../record/checkpoints.ts';
import { RecordRetention } from '../record/retention.ts';
import { RecordWatch } from '../record/watch.ts';
import { tlpOf } from '../rows/open-markings.ts';
import { Sightings } from '../sightings/sightings.ts';
import type { StoreSpec } from '../spec/spec.ts';
import { type OpenOptions, StateAway } from '../state/open.ts';
import { StoreContext } from '../unit/context.ts';
import { Explanations } from '../unit/explanations.ts';
import { Requests } from '../unit/requests.ts';
import { Stride } from '../unit/stride.ts';
import { mostOfStep, Sweeps } from '../unit/sweeps.ts';
import { Touched } from '../unit/touched.ts';

/** `watch`: milliseconds that only grow; steps of long work are as long as they may be by it (stride.ts). */
export type StoreOptions = Pick<OpenOptions, 'onAway' | 'onFault'> & { readonly watch?: () => number };

/** What the units of each subject work with. */
export type Parts = ReturnType<typeof assemble>;

/** Opens the state, ends what a crash left half done, and makes the parts. */
export function assemble(spec: StoreSpec, encoders: ReadonlyMap<string, SiemEncoder>, options: StoreOptions = {}) {
  const store = new StoreContext(spec, encoders, options);
  const brakes = new Brakes(store);
  const holdTable = new HoldTable(store);
  const stands = new StandTable(store, holdTable);
  const runs = new StandRuns(store);
  recover(store, stands, runs);
  const seats = new Seats(store, stands);
  const projector = new Projector(store, brakes, holdTable, stands, seats);
  const explanations = new Explanations(store);
  const stride = new Stride(mostOfStep(store.siems.length), options.watch);
  const sweeps = new Sweeps(store, stride);
  const crowds = new Crowds(store, projector, sweeps);
  const holds = new Holds(store, holdTable, brakes, projector, stands, sweeps, crowds, seats);
  const touched = new Touched();
  const links = new Links(store, touched);
  const explaining = new Explaining(store, explanations, links, sweeps, brakes);
  const objects = new Objects(store, projector, stands, explanations, touched, links);
  const flights = new Flights();
  const drafts = new Drafts(store, projector, stands, crowds, explanations);
  const batches = new Batches(store, projector, stands, runs, flights, drafts, (siem) => recomputedUpTo(sweeps, siem));
  const settling = new Settling(store, stands, runs, flights);
  const findings = new Findings(store, projector, stands);
  const listing = new Listing(store, objects, sweeps, brakes);
  const parts = {
    store,
    brakes,
    holdTable,
    stands,
    runs,
    seats,
    projector,
    stride,
    sweeps,
    crowds,
    holds,
    touched,
    explaining,
    objects,
    batches,
    settling,
    receipts: new Receipts(store, stands, runs, settling),
    readBack: new ReadBack(store, stands),
    comparison: new Comparison(store, projector, stands, findings),
    adoption: new Adoption(store, stands, brakes, sweeps),
    containers: new Containers(store, projector, stands, sweeps),
    doubts: new Doubts(store, findings),
    listing,
    snapshots: new Snapshots(store, objects, listing, sweeps, brakes),
    retention: new Retention(store, objects, sweeps),
    people: new People(store, projector, stands, seats, sweeps),
    requests: new Requests(store),
    sightings: new Sightings(store, sweeps),
    checkpoints: new Checkpoints(store),
    watch: new RecordWatch(store),
    recordRetention: new RecordRetention(store),
  };
  registerRecompute(sweeps, store, projector, brakes, crowds);
  registerRespelling(sweeps, store, explanations, links, touched);
  store.records.opened(tlpOf);

  /** One unit, done again from its start where its database went away in the middle: nothing of it happened then. */
  function unit<T>(now: number, work: (now: number) => T): T {
    for (;;) {
      try {
        return tried(now, work);
      } catch (error) {
        if (!(error instanceof StateAway)) throw error;
        store.db.back(error);
      }
    }
  }

  function tried<T>(now: number, work: (now: number) => T): T {
    const before = flights.snapshot();
    sweeps.refill();
    try {
      return store.unit(now, (time) => {
        const result = work(time);
        // Each entry once, from all its claims. One that thousands of objects name is judged by a sweep, when they are all in.
        projector.projectAll(touched.drain(), time, undefined, (one) => crowds.again(one, time));
        holds.judge(time);
        seats.settle(time);
        return result;
      });
    } catch (error) {
      for (const part of [brakes, holdTable, objects, explanations, touched, projector]) part.forget();
      flights.restore(before);
      throw error;
    }
  }

  return { ...parts, unit };
}
