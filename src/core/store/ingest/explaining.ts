// What explains indicators (a marking definition, a name, a relationship) and comes after them: those that waited for it
// are judged anew, or written again, in steps.
import type { Explanations } from '../unit/explanations.ts';
import type { Brakes } from '../projection/brakes.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import type { Links } from './links.ts';
import { explained, type Explained, openOf } from '../rows/open-markings.ts';
import { OBJECT, type ObjectRow, type StoredEntry } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import { membersOf, objectsWaiting, sourcesOf, whileItFits } from './members.ts';
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
    sweeps.registerTogether('marking', (all, most) => this.#remark(all, most));
    sweeps.registerTogether('name', (all, most) => this.#renamed(all, most));
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
    const changed: Change[] = [];
    const step = whileItFits(objects, most, objects.length >= most, (row) =>
      this.#explainAnew(row, named.get(row.id), changed),
    );
    this.#save(changed);
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

  /** Returns the rows it touched. `changed`: to which it adds the object where that comes out otherwise. */
  #explainAnew(row: ObjectRow, entries: readonly StoredEntry[] | undefined, changed: Change[]): number {
    if (entries === undefined) return 1;
    const next = explained(this.#context, row.exchange_id, openOf(row));
    if (next.tlp === row.tlp && next.pap === row.pap && next.unexplained === row.unexplained) return 1;
    changed.push({ row, next });
    // What is withdrawn may be kept by a hold, as far as its marking allows.
    const force = row.state === OBJECT.published;
    this.#links.touch(entries, { cause: 'policy', exchangeId: row.exchange_id, force });
    return entries.length;
  }

  #save(changed: readonly Change[]): void {
    this.#store.db.updateRows(
      'object',
      ['id'],
      ['tlp', 'pap', 'unexplained'],
      changed.map(({ row, next }) => [next.tlp, next.pap, next.unexplained, row.id]),
    );
    const armed = changed.filter(({ row, next }) => row.unexplained !== null && next.unexplained === null);
    this.#links.armFrom(
      armed.map(({ row }) => row.id),
      this.#store.now,
    );
  }

  /** Marking definitions arrived: the objects that waited for them are judged anew. */
  #remark(sweeps: readonly Sweep[], most: number): SweepStep[] {
    const { owner, subject } = sweeps[0]!;
    if (subject === EVERY_MARKING) return [this.#remarkAll(sweeps[0]!, most)];
    const { db } = this.#store;
    const every = sweeps.findIndex((one) => one.subject === EVERY_MARKING);
    const waiting = membersOf(every < 0 ? sweeps : sweeps.slice(0, every), most, objectsWaiting(db, owner));
    const objects = db.byKeys<ObjectRow>('SELECT * FROM object WHERE id IN ($keys)', [...new Set(waiting.first)]);
    const rows = new Map(objects.map((row) => [row.id, row]));
    const named = this.#toExplain(objects);
    const changed: Change[] = [];
    const steps = waiting.steps((id) => {
      const row = rows.get(id);
      // All that came explains it at once, also where it waited for several.
      rows.delete(id);
      return row === undefined ? 1 : this.#explainAnew(row, named.get(id), changed);
    });
    this.#save(changed);
    this.#waitNoMore(sweeps, steps);
    return steps;
  }

  /** They are explained: nobody waits for these markings any more. */
  #waitNoMore(sweeps: readonly Sweep[], steps: readonly SweepStep[]): void {
    const { db } = this.#store;
    const over = sweeps.filter((_, i) => steps[i] !== undefined && steps[i].position === undefined);
    db.deleteRows(
      'unexplained',
      ['exchange_id', 'marking_id'],
      over.map(({ owner, subject }) => [owner, subject]),
    );
    for (const [i, { position }] of steps.entries()) {
      if (position === undefined) continue;
      const { owner, subject } = sweeps[i]!;
      db.run(
        'DELETE FROM unexplained WHERE exchange_id = ? AND marking_id = ? AND object_id <= ?',
        owner,
        subject,
        Number(position),
      );
      this.#foresee(sweeps[i]!);
    }
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

  /** Names that indicators refer to arrived or changed: they are written again. */
  #renamed(sweeps: readonly Sweep[], most: number): SweepStep[] {
    const { owner } = sweeps[0]!;
    const sources = membersOf(sweeps, most, sourcesOf(this.#store.db, owner));
    const again = this.#links.toWriteAgain(owner, [...new Set(sources.first)]);
    return sources.steps((source) => {
      const entries = again.get(source) ?? [];
      this.#links.writeAgain(owner, entries);
      return entries.length;
    });
  }
}

/** An object as it was, and what the definitions make of it now. */
interface Change {
  readonly row: ObjectRow;
  readonly next: Explained;
}
