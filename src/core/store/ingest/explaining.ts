// What explains indicators (a marking definition, a name, a relationship) and comes after them: those that waited for it
// are judged anew, or written again, in steps.
import type { Explanations } from '../unit/explanations.ts';
import type { Brakes } from '../projection/brakes.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import type { Links } from './links.ts';
import { explained, openOf } from '../rows/open-markings.ts';
import { OBJECT, type ObjectRow, type StoredEntry } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import type { ArrivingPage } from './wire.ts';

/** More than any brake lets pass; counting on would take long. */
const MOST_FORESEEN = 100_000;

/** As the subject of a sweep: all objects of the exchange that refer to a marking which only it can explain. */
const EVERY_MARKING = '';

export class Explaining {
  readonly #store: StoreContext;
  readonly #context: Explanations;
  readonly #links: Links;
  readonly #sweeps: Sweeps;
  readonly #brakes: Brakes;

  constructor(store: StoreContext, context: Explanations, links: Links, sweeps: Sweeps, brakes: Brakes) {
    this.#store = store;
    this.#context = context;
    this.#links = links;
    this.#sweeps = sweeps;
    this.#brakes = brakes;
    sweeps.register('marking', (sweep, most) => this.#remark(sweep, most));
    sweeps.register('name', (sweep, most) => this.#renamed(sweep, most));
  }

  /**
   * Names, markings and relationships of all pages of a commit. Taken in before its indicators, so that what comes
   * together is judged and sent once, in whichever order it stands. What they explain of earlier indicators is swept.
   */
  take(exchange: ExchangeState, pages: readonly ArrivingPage[], now: number): void {
    const markings = new Set<string>();
    const names = new Set<string>();
    const sources = new Set<string>();
    let redefined = false;
    for (const { kind, objectId } of this.#context.store(
      exchange.id,
      pages.flatMap((page) => page.context),
    )) {
      if (kind === 'redefined') redefined = true;
      else ({ marking: markings, name: names, source: sources })[kind].add(objectId);
    }
    for (const entries of this.#links.toWriteAgain(exchange.id, [...sources]).values())
      this.#links.writeAgain(exchange.id, entries);
    const awaited = this.#context.awaitedOf(exchange.id, [...markings]);
    this.#sweeps.beginAll('marking', exchange.id, awaited, null, now);
    // Rare, and no index leads from a marking to what stands under it: one way through for all of a commit.
    if (redefined) this.#sweeps.begin('marking', exchange.id, EVERY_MARKING, null, now);
    this.#sweeps.beginAll('name', exchange.id, this.#context.namedOf(exchange.id, [...names]), null, now);
  }

  /** Markings became stricter: the objects that refer to any are judged anew. */
  #remarkAll(sweep: Sweep, most: number): SweepStep {
    const objects = this.#store.db.all<ObjectRow>(
      'SELECT * FROM object WHERE id > ? ORDER BY id LIMIT ?',
      Number(sweep.position),
      most,
    );
    const named = this.#toExplain(
      objects.filter((row) => row.exchange_id === sweep.owner && row.open_markings !== null),
    );
    const step = this.#whileItFits(objects, most, (row) => this.#explainAnew(row, named.get(row.id)));
    return { rows: step.rows, position: step.more ? String(step.last!.id) : undefined };
  }

  /** What objects under a marking name, by their rows. */
  #toExplain(rows: readonly ObjectRow[]): ReadonlyMap<number, readonly StoredEntry[]> {
    for (const { exchange_id: exchange } of rows.slice(0, 1))
      this.#context.know(
        exchange,
        rows.flatMap((row) => openOf(row).refs),
      );
    return this.#links.of(rows.map((row) => row.id));
  }

  /** Returns the rows it touched. */
  #explainAnew(row: ObjectRow, entries: readonly StoredEntry[] | undefined): number {
    if (entries === undefined) return 1;
    const next = explained(this.#context, row.exchange_id, openOf(row));
    if (next.tlp === row.tlp && next.pap === row.pap && next.unexplained === row.unexplained) return 1;
    if (row.unexplained !== null && next.unexplained === null) this.#links.armsFrom(row.id, this.#store.now);
    this.#store.db.run(
      'UPDATE object SET tlp = ?, pap = ?, unexplained = ? WHERE id = ?',
      next.tlp,
      next.pap,
      next.unexplained,
      row.id,
    );
    // What is withdrawn may be kept by a hold, as far as its marking allows.
    const force = row.state === OBJECT.published;
    this.#links.touch(entries, { cause: 'policy', exchangeId: row.exchange_id, force });
    return entries.length;
  }

  /** A marking definition arrived: the objects that waited for it are judged anew. */
  #remark(sweep: Sweep, most: number): SweepStep {
    if (sweep.subject === EVERY_MARKING) return this.#remarkAll(sweep, most);
    const waiting = this.#store.db.all<ObjectRow>(
      `SELECT o.* FROM unexplained u JOIN object o ON o.id = u.object_id
       WHERE u.exchange_id = ? AND u.marking_id = ? AND u.object_id > ? ORDER BY u.object_id LIMIT ?`,
      sweep.owner,
      sweep.subject,
      Number(sweep.position),
      most,
    );
    const named = this.#toExplain(waiting);
    const step = this.#whileItFits(waiting, most, (row) => this.#explainAnew(row, named.get(row.id)));
    // It is explained: nobody waits for this marking any more.
    this.#store.db.run(
      'DELETE FROM unexplained WHERE exchange_id = ? AND marking_id = ? AND object_id <= ?',
      sweep.owner,
      sweep.subject,
      step.last?.id ?? Number.MAX_SAFE_INTEGER,
    );
    if (step.more) this.#foresee(sweep);
    return { rows: step.rows, position: step.more ? String(step.last!.id) : undefined };
  }

  /** The brake judges all that one marking lets in together. */
  #foresee({ owner, subject }: Sweep): void {
    const { n } = this.#store.db.get<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT 1 FROM unexplained WHERE exchange_id = ? AND marking_id = ? LIMIT ${MOST_FORESEEN}) few`,
      owner,
      subject,
    )!;
    for (const siem of this.#store.siems) this.#brakes.foresee('addition', siem, owner, n);
  }

  /** A name that indicators refer to arrived or changed: they are written again. */
  #renamed(sweep: Sweep, most: number): SweepStep {
    const sources = this.#context.sourcesOf(sweep.owner, sweep.subject, sweep.position, most);
    const again = this.#links.toWriteAgain(sweep.owner, sources);
    const step = this.#whileItFits(sources, most, (source) => {
      const entries = again.get(source) ?? [];
      this.#links.writeAgain(sweep.owner, entries);
      return entries.length;
    });
    return { rows: step.rows, position: step.more ? step.last! : undefined };
  }

  /** Goes through `given`, of which there may be more where it is `most` long, until so many rows are handled. */
  #whileItFits<T>(
    given: readonly T[],
    most: number,
    work: (one: T) => number,
  ): { rows: number; last: T | undefined; more: boolean } {
    let rows = 0;
    for (const [i, one] of given.entries()) {
      rows += Math.max(1, work(one));
      if (rows >= most) return { rows, last: one, more: i + 1 < given.length || given.length >= most };
    }
    return { rows, last: given.at(-1), more: false };
  }
}
