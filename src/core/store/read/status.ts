// Reading for people, over a read-only connection of its own: behind the writer a status would wait for whole
// batches, alone it takes a millisecond. One connection, and what is asked of it by subject.
import type { Json } from '../../model/json.ts';
import type { Observable } from '../../model/observable.ts';
import type { StoreSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';
import { openReading } from '../state/open.ts';
import { type ExchangeStatus, PeersReader, type SiemStatus } from './peers.ts';
import { PlanReader } from './plan.ts';
import { type HarmlessRow, type HeldSet, type Named, type ParkedRow, WaitingReader } from './waiting.ts';
import { type WhyEntry, WhyReader } from './why.ts';

export class StoreReader {
  readonly #db: Database;
  readonly #peers: PeersReader;
  readonly #why: WhyReader;
  readonly #waiting: WaitingReader;
  readonly #plan: PlanReader;

  constructor(spec: StoreSpec) {
    this.#db = openReading(spec.path, { cacheMb: 4 });
    this.#peers = new PeersReader(this.#db);
    this.#why = new WhyReader(this.#db, spec);
    this.#waiting = new WaitingReader(this.#db, spec);
    this.#plan = new PlanReader(this.#db, spec);
  }

  neverBlock(): ReturnType<PeersReader['neverBlock']> {
    return this.#peers.neverBlock();
  }

  exchanges(): ExchangeStatus[] {
    return this.#peers.exchanges();
  }

  siems(): SiemStatus[] {
    return this.#peers.siems();
  }

  cursor(exchange: string): Json | undefined {
    return this.#peers.cursor(exchange);
  }

  sweeps(): ReturnType<PeersReader['sweeps']> {
    return this.#peers.sweeps();
  }

  why(...of: Parameters<WhyReader['why']>): WhyEntry | undefined {
    return this.#why.why(...of);
  }

  related(values: readonly Observable[]): Observable[] {
    return this.#why.related(values);
  }

  held(): HeldSet[] {
    return this.#waiting.held();
  }

  heldEntries(holdId: number): Generator<Observable> {
    return this.#waiting.heldEntries(holdId);
  }

  parked(limit: number): ParkedRow[] {
    return this.#waiting.parked(limit);
  }

  parkedId(siem: string, value: Named): string | undefined {
    return this.#waiting.parkedId(siem, value);
  }

  suppressions(now: number, of?: Named): ReturnType<WaitingReader['suppressions']> {
    return this.#waiting.suppressions(now, of);
  }

  harmless(of?: Named): HarmlessRow[] {
    return this.#waiting.harmless(of);
  }

  toReview(now: number): number {
    return this.#waiting.toReview(now);
  }

  plan(siem: string): ReturnType<PlanReader['plan']> {
    return this.#plan.plan(siem);
  }

  planned(siem: string, limit: number): ReturnType<PlanReader['planned']> {
    return this.#plan.planned(siem, limit);
  }

  outcome(siem: string): Generator<Observable> {
    return this.#plan.outcome(siem);
  }

  sample(siem: string): Observable | undefined {
    return this.#plan.sample(siem);
  }

  pushed(...of: Parameters<PlanReader['pushed']>): ReturnType<PlanReader['pushed']> {
    return this.#plan.pushed(...of);
  }

  standing(values: readonly Observable[]): Record<string, number> {
    return this.#plan.standing(values);
  }

  close(): void {
    this.#db.close();
  }
}
