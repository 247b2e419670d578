// What one statement does to many rows is what the rules of ledger/ do to each of them, tallies included.
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aSiem, anExchange, NOW } from '../../../../test/builders/store.ts';
import { statePlaces } from '../../../../test/builders/states.ts';
import { memorySiem } from '../../../../test/contract/memory-siem.ts';
import { settled, taken } from '../../ledger/call.ts';
import { held } from '../../ledger/holds.ts';
import { postponed } from '../../ledger/rest.ts';
import { isKept, phaseOf, type Stand } from '../../ledger/stand.ts';
import { count, type Tallies } from '../../ledger/tallies.ts';
import { StoreContext } from '../unit/context.ts';
import { HoldTable } from './hold-table.ts';
import { StandRuns } from './stand-runs.ts';
import { StandTable } from './stand-table.ts';
import { scratchFolder } from '../../../../test/builders/scratch.ts';

const SEED = 20260110;
const [SOON, LATER] = [NOW - 1, NOW + 1000];
const BATCH = 7;
const MOST = 12;
/** On a server each row is a journey. */
const NUM_RUNS = statePlaces.onServer ? 20 : 200;

const wait = fc.record({ attempt: fc.nat(2), at: fc.constantFrom(undefined, SOON, LATER) });
const hold = fc.record({ id: fc.constantFrom(1, 2), kind: fc.constantFrom('removal', 'addition') });
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });

/** Without a call. */
const resting: fc.Arbitrary<Stand> = fc
  .record({
    wanted: fc.record({
      is: fc.boolean(),
      revision: fc.integer({ min: 3, max: 5 }),
      content: fc.nat(9),
      vouchers: fc.constantFrom(0, 2),
      until: fc.constantFrom(undefined, LATER),
      due: fc.constantFrom(undefined, LATER),
      cause: fc.constantFrom('none', 'withdrawn', 'adopted'),
      since: fc.constant(NOW),
    }),
    present: fc.record({
      is: fc.constantFrom('no', 'yes', 'maybe'),
      revision: fc.nat(5),
      handle: fc.constantFrom(undefined, 'h'),
    }),
    hold: optional(hold),
    parked: optional(fc.record({ reason: fc.constant('no'), code: fc.constantFrom(undefined, 'value_odd') })),
    adopted: fc.boolean(),
    again: fc.boolean(),
    wait,
    place: optional(fc.record({ at: fc.nat(3), out: fc.boolean() })),
    slot: fc.constant(undefined),
  })
  .map((one) => asItHappens({ ...one, call: undefined }));

/** What no step leads to is not there: only what is kept is written again, what is adopted is wanted by nobody. */
function asItHappens(one: Stand): Stand {
  const adopted = one.adopted && !one.wanted.is && one.hold === undefined && one.parked === undefined;
  const again = one.again && isKept(one) && one.present.is !== 'no' && one.parked === undefined;
  const apart = placed({ ...one, adopted, again });
  return phaseOf(apart) === 'parked' ? apart : { ...apart, parked: undefined };
}

/** What is wanted or kept has its place, what is not waits for one, and a held addition has none. */
function placed(one: Stand): Stand {
  const has = (one.wanted.is || isKept(one)) && one.hold?.kind !== 'addition';
  const waits = !one.wanted.is && one.hold === undefined;
  const place = one.place !== undefined && (has || waits) ? { ...one.place, out: !has } : undefined;
  return { ...one, place };
}

/** Taken in a batch, and then perhaps wished otherwise or held. */
const flying = (op: 'upsert' | 'remove'): fc.Arbitrary<Stand> =>
  fc
    .tuple(
      resting.filter((one) => phaseOf(one) === op),
      fc.constantFrom(BATCH, BATCH, BATCH + 1),
      fc.constantFrom('as it was', 'as it was', 'anew', 'turned', 'held'),
    )
    .map(([one, batch, then]) => {
      const flies = taken(one, batch);
      const anew = (is: boolean): Stand => placed({ ...flies, wanted: { ...flies.wanted, is, revision: 6 } });
      if (then === 'anew') return anew(flies.wanted.is);
      if (then === 'turned') return anew(!flies.wanted.is);
      return then === 'held' && flies.hold === undefined
        ? held(flies, { id: 1, kind: 'removal' }, undefined, 900, NOW)
        : flies;
    });

const accepted = fc
  .tuple(
    fc.constantFrom('upsert', 'remove').chain((op) => fc.tuple(fc.constant(op), flying(op))),
    fc.constantFrom('a', 'b'),
  )
  .map(([[op, one], receipt]) => settled(one, { op, before: 'no' }, { kind: 'accepted', receipt }, TERMS)!);

const TERMS = { revision: 9, versioned: false, lookAt: 0 };
const applied = { kind: 'applied' } as const;

const any = fc.oneof(resting, flying('upsert'), flying('remove'), accepted);
const many = (of: fc.Arbitrary<Stand>) => fc.array(of, { minLength: 1, maxLength: MOST });

function folder(): string {
  const made = scratchFolder('entente-runs-');
  opened.push(made);
  return made;
}
const opened: string[] = [];

/** One state for all runs of a property: each begins by emptying it. */
class Ledger {
  readonly #place = statePlaces.place(folder());
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  readonly runs: StandRuns;

  constructor() {
    const spec = { path: this.#place, instance: 'i', exchanges: [anExchange()], siems: [aSiem()] };
    this.#store = new StoreContext(spec, new Map([['memory', memorySiem().definition]]));
    if (!statePlaces.onServer) this.#store.db.exec('PRAGMA synchronous = OFF');
    this.#stands = new StandTable(this.#store, new HoldTable(this.#store));
    this.runs = new StandRuns(this.#store);
  }

  get siem() {
    return this.#store.siem('siem');
  }

  /** Entry ids from 1 on. */
  holds(stands: readonly Stand[]): readonly Stand[] {
    return this.#store.db.transaction(() => this.#put(stands));
  }

  #put(stands: readonly Stand[]): readonly Stand[] {
    for (const [i, stand] of this.now(MOST).entries())
      if (stand !== undefined) this.#stands.write(this.siem, { id: i + 1, type: 'url' }, stand, undefined);
    stands.forEach((stand, i) => {
      this.#store.db.run(
        'INSERT INTO entry (id, type, value) VALUES (?, 3, ?) ON CONFLICT DO NOTHING',
        i + 1,
        `http://a.example/${i}`,
      );
      this.#stands.write(this.siem, { id: i + 1, type: 'url' }, undefined, stand);
    });
    // As a row spells them.
    return this.now(stands.length).map((one) => one!);
  }

  now(n: number): readonly (Stand | undefined)[] {
    return Array.from({ length: n }, (_, i) => this.#stands.load(this.siem, i + 1));
  }

  tallies(): Record<string, number> {
    const of = (name: string) => this.#store.tally(`siem:${this.siem.id}`, name);
    return {
      wanted: of('wanted'),
      wantedOfType: of('wanted:url'),
      delivered: of('delivered'),
      presentOfType: of('present:url'),
      parked: of('parked'),
      held: of('held'),
      adopted: of('adopted'),
      pending: of('pending'),
      seatedOfType: of('seated:url'),
      outOfType: of('out:url'),
      armed: of('armed:1'),
    };
  }

  close(): void {
    this.#store.close();
    statePlaces.forget(this.#place);
    for (const one of opened.splice(0)) rmSync(one, { recursive: true, force: true });
  }
}

function counted(stands: readonly (Stand | undefined)[]): Record<string, number> {
  const zero = () => ({ n: 0 });
  const armed = zero();
  const of: Tallies = {
    wanted: zero(),
    wantedOfType: zero(),
    delivered: zero(),
    presentOfType: zero(),
    parked: zero(),
    held: zero(),
    adopted: zero(),
    pending: zero(),
    seatedOfType: zero(),
    outOfType: zero(),
    armed: [[2, armed]],
  };
  for (const one of stands) count(of, undefined, one);
  const { armed: _, ...rest } = of;
  return { ...Object.fromEntries(Object.entries(rest).map(([name, { n }]) => [name, n])), armed: armed.n };
}

/** Does the statement to rows in every state, and holds it to `rule`, which gives undefined where nothing is to happen. */
function holdsTo(
  statement: (ledger: Ledger, before: readonly Stand[]) => void,
  rule: (stand: Stand, id: number) => { readonly next: Stand | undefined } | undefined,
  of: fc.Arbitrary<Stand> = any,
): void {
  const ledger = new Ledger();
  try {
    fc.assert(
      fc.property(many(of), (given) => {
        const before = ledger.holds(given);
        statement(ledger, before);
        const after = ledger.now(before.length);

        expect(after).toEqual(before.map((one, i) => (rule(one, i + 1) ?? { next: one }).next));
        expect(ledger.tallies()).toEqual(counted(after));
      }),
      { numRuns: NUM_RUNS, seed: SEED },
    );
  } finally {
    ledger.close();
  }
}

const ready = ({ wait: { at } }: Stand) => at === undefined || at <= NOW;
const inRun = (id: number) => id >= 2 && id <= 9;
const RUN = { first: 2, last: 9 };

describe('a row', () => {
  it('spells a stand', () => {
    const ledger = new Ledger();
    try {
      fc.assert(
        fc.property(many(any), (given) => {
          expect(ledger.holds(given)).toEqual(given);
          expect(ledger.tallies()).toEqual(counted(given));
        }),
        { numRuns: NUM_RUNS, seed: SEED },
      );
    } finally {
      ledger.close();
    }
  });
});

describe('one statement over many rows', () => {
  it.each(['upsert', 'remove'] as const)('takes what is ready for %s', (op) => {
    const takes = (one: Stand, id: number) => phaseOf(one) === op && ready(one) && inRun(id);
    holdsTo(
      ({ runs, siem }, before) => {
        const absent = before
          .filter((one, i) => takes(one, i + 1) && one.present.is === 'no')
          .map(() => 'url' as const);
        runs.taken(siem, op, RUN, 3, NOW, absent);
      },
      (one, id) => (takes(one, id) ? { next: taken(one, 3) } : undefined),
    );
  });

  it('settles a batch of upserts, but for those whose wish changed or that are held', () => {
    holdsTo(
      ({ runs, siem }) => void runs.upserted(siem, RUN, BATCH),
      (one, id) =>
        isFlight(one, id) && one.wanted.is && one.call?.sent === one.wanted.revision && one.hold === undefined
          ? { next: settled(one, { op: 'upsert', before: 'no' }, applied, TERMS) }
          : undefined,
      fc.oneof(resting, flying('upsert'), accepted),
    );
  });

  it('accepts a batch whatever is wanted meanwhile', () => {
    holdsTo(
      ({ runs, siem }) => runs.accepted(siem, RUN, BATCH, 'remove', 'a task'),
      (one, id) =>
        isFlight(one, id)
          ? { next: settled(one, { op: 'remove', before: 'no' }, { kind: 'accepted', receipt: 'a task' }, TERMS) }
          : undefined,
    );
  });

  it('settles what a task was given, but for those whose wish changed, that are held, that go for good or that wait for room', () => {
    holdsTo(
      ({ runs, siem }) => void runs.told(siem, 'a'),
      (one) => {
        const { call, wanted } = one;
        if (call?.kind !== 'accepted' || call.receipt !== 'a' || one.hold !== undefined) return undefined;
        if (call.sent !== wanted.revision || wanted.is !== (call.op === 'upsert')) return undefined;
        if (call.op === 'remove' && (wanted.due === undefined || one.place?.out === true)) return undefined;
        return { next: settled(one, { op: call.op, before: 'maybe' }, applied, TERMS) };
      },
    );
  });

  it('lets what must go and was not tried wait like the rest', () => {
    holdsTo(
      ({ runs, siem }) => runs.waitUntil(siem, LATER),
      (one) =>
        ['remove', 'uncertain'].includes(phaseOf(one)) && !one.wanted.is && one.wait.at === undefined
          ? { next: postponed(one, LATER) }
          : undefined,
    );
  });

  it('lets what waits for a time wait no more', () => {
    holdsTo(
      ({ runs, siem }) => runs.atOnce(siem),
      (one) =>
        ['upsert', 'remove', 'uncertain'].includes(phaseOf(one)) ? { next: postponed(one, undefined) } : undefined,
    );
  });
});

function isFlight({ call }: Stand, id: number): boolean {
  return call?.kind === 'flight' && call.batch === BATCH && inRun(id);
}
