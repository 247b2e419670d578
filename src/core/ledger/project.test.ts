import { describe, expect, it } from 'vitest';
import { firm, placeOf } from './capacity.ts';
import { type Moment, type Offer, project, projectNew, type Reason } from './project.ts';
import { settled, taken } from './call.ts';
import { unknown } from './found.ts';
import { held } from './holds.ts';
import { refused, waitsForRoom } from './rest.ts';
import { isKept, phaseOf, type Stand } from './stand.ts';

const NOW = 1_768_046_400_000;
const DAY = 86_400_000;
const at = (now: number, given: Partial<Moment> = {}): Moment => ({
  now,
  revision: now * 1000,
  refreshAfter: undefined,
  sentUpTo: 0,
  ...given,
});

const vouching: Offer = {
  vouched: true,
  until: NOW + 5 * DAY,
  content: 7,
  vouchers: 2,
  nextChangeAt: NOW + 5 * DAY,
  refused: false,
  left: undefined,
  suppressedUntil: undefined,
  room: undefined,
};
const nothing: Offer = {
  ...vouching,
  vouched: false,
  until: undefined,
  content: 0,
  vouchers: 0,
  nextChangeAt: undefined,
};
const PUBLISHED: Reason = { cause: 'none', exchangeId: 1 };
const WITHDRAWN: Reason = { cause: 'withdrawn', exchangeId: 1 };
const TIME: Reason = { cause: 'expired', exchangeId: 0 };
const RULES: Reason = { cause: 'policy', exchangeId: 0 };

const fresh = projectNew(vouching, at(NOW), undefined).stand!;
const TERMS = { revision: 0, versioned: true, lookAt: 0 };
const written = (stand: Stand): Stand =>
  settled(taken(stand, 1), { op: 'upsert', before: 'no' }, { kind: 'applied' }, TERMS)!;
const there = written(fresh);

const never = () => false;
const always = () => true;
const then = (stand: Stand, offer: Offer, reason: Reason, moment = at(NOW + DAY), stays = never) =>
  project(stand, offer, reason, moment, stays);

describe('an entry that is new to a SIEM', () => {
  it('is wanted and counted when somebody vouches for it', () => {
    expect(projectNew(vouching, at(NOW), undefined)).toMatchObject({
      stand: { wanted: { is: true, revision: NOW * 1000, until: NOW + 5 * DAY, due: NOW + 5 * DAY } },
      counted: { kind: 'added' },
    });
  });

  it('is looked at again when a claim begins later or a suppression ends, and else leaves nothing', () => {
    const suppressed = { ...vouching, suppressedUntil: NOW + DAY };

    expect(projectNew(nothing, at(NOW), undefined).stand).toBeUndefined();
    expect(projectNew({ ...nothing, nextChangeAt: NOW + 9 }, at(NOW), undefined).stand?.wanted).toMatchObject({
      is: false,
      due: NOW + 9,
    });
    expect(projectNew(suppressed, at(NOW), undefined)).toMatchObject({
      stand: { wanted: { is: false, due: NOW + DAY } },
      counted: undefined,
    });
  });
});

describe('an entry that stands there', () => {
  it.each([
    ['unchanged', vouching, PUBLISHED, 'settled', there.wanted.revision],
    ['with other content', { ...vouching, content: 8 }, PUBLISHED, 'upsert', (NOW + DAY) * 1000],
    ['named anew', vouching, { ...PUBLISHED, force: true }, 'upsert', (NOW + DAY) * 1000],
    ['withdrawn', nothing, WITHDRAWN, 'remove', (NOW + DAY) * 1000],
  ] as const)('%s', (_what, offer, reason, phase, revision) => {
    const { stand } = then(there, offer, reason);

    expect([phaseOf(stand!), stand!.wanted.revision]).toEqual([phase, revision]);
  });

  it.each([
    ['its expiry', nothing, WITHDRAWN, at(NOW + 6 * DAY), 'expired'],
    ['a person', { ...vouching, suppressedUntil: NOW + 9 * DAY }, WITHDRAWN, at(NOW + DAY), 'suppressed'],
    ['its partner', nothing, WITHDRAWN, at(NOW + DAY), 'withdrawn'],
    ['an exchange that left', { ...nothing, left: 3, refused: true }, RULES, at(NOW + DAY), 'withdrawn'],
    ['policy', { ...nothing, refused: true }, RULES, at(NOW + DAY), 'policy'],
    ['time', nothing, TIME, at(NOW + DAY), 'expired'],
  ] as const)('turns unwanted by %s', (_who, offer, reason, moment, cause) => {
    const { stand } = then(there, offer, reason, moment);

    expect(stand!.wanted).toMatchObject({ is: false, cause, vouchers: 2, since: moment.now });
  });

  it('counts for the brake only where a partner withdrew it, or an exchange left with it', () => {
    const left = { ...nothing, left: 3 };

    expect(then(there, nothing, WITHDRAWN).counted).toEqual({ kind: 'withdrawn', exchangeId: 1 });
    expect(then(there, left, RULES).counted).toEqual({ kind: 'withdrawn', exchangeId: 3 });
    expect(then(there, nothing, WITHDRAWN, at(NOW + 6 * DAY)).counted).toBeUndefined();
    expect(then(there, { ...nothing, refused: true }, RULES).counted).toEqual({ kind: 'stopped' });
    expect(then(fresh, { ...nothing, nextChangeAt: NOW + 9 * DAY }, WITHDRAWN).counted).toBeUndefined();
  });

  it('counts as withdrawn when a partner cuts its validity short, and not when time or policy does', () => {
    const shorter = { ...vouching, until: NOW + 2 * DAY, content: 8 };

    expect(then(there, shorter, WITHDRAWN).counted).toEqual({
      kind: 'withdrawn',
      exchangeId: 1,
      kept: NOW + 5 * DAY,
    });
    expect(then(there, shorter, PUBLISHED).counted).toBeUndefined();
    expect(then(there, shorter, RULES).counted).toBeUndefined();
  });

  it('is touched again before the product forgets it', () => {
    const refresh = { refreshAfter: 2 * DAY };
    const early = then(there, vouching, TIME, at(NOW + DAY, refresh)).stand!;
    const late = then(there, vouching, TIME, at(NOW + 2 * DAY, refresh)).stand!;

    expect([phaseOf(early), early.wanted.due]).toEqual(['settled', NOW + 2 * DAY]);
    expect([phaseOf(late), late.wanted.due]).toEqual(['upsert', NOW + 4 * DAY]);
  });

  it('that is gone from there leaves nothing once nobody wants it', () => {
    expect(then({ ...there, present: { ...there.present, is: 'no' } }, nothing, WITHDRAWN).stand).toBeUndefined();
  });
});

describe('a copy of an older state', () => {
  const copy = { sentUpTo: fresh.wanted.revision };

  it('takes what it never sent for what may be there, once it is to be another or none', () => {
    expect(phaseOf(then(fresh, nothing, WITHDRAWN, at(NOW + DAY, copy)).stand!)).toBe('remove');
    expect(then(fresh, { ...vouching, content: 8 }, PUBLISHED, at(NOW + DAY, copy)).stand!.present.is).toBe('maybe');
    expect(then(fresh, vouching, PUBLISHED, at(NOW + DAY, copy)).stand!.present.is).toBe('no');
    expect(then(fresh, nothing, WITHDRAWN).stand).toBeUndefined();
  });
});

describe('a call under way', () => {
  it('goes on, under the revision that was sent', () => {
    const { stand } = then(taken(fresh, 1), { ...vouching, content: 8 }, PUBLISHED);

    expect(stand).toMatchObject({
      call: { kind: 'flight', sent: NOW * 1000 },
      wanted: { revision: (NOW + DAY) * 1000 },
    });
  });

  it('that nobody knows the end of is read back at once when what it wrote must go', () => {
    const doubted = settled(
      taken(fresh, 1),
      { op: 'upsert', before: 'no' },
      { kind: 'unknown', retryAt: NOW + 9 * DAY },
      { ...TERMS, versioned: false },
    )!;

    expect(doubted.wait.at).toBe(NOW + 9 * DAY);
    expect(then(doubted, nothing, WITHDRAWN).stand!.wait.at).toBeUndefined();
    expect(then(doubted, vouching, PUBLISHED).stand!.wait.at).toBe(NOW + 9 * DAY);
  });
});

describe('a parked one', () => {
  const parked = refused(fresh, 'too long');

  it('stays parked until it changes', () => {
    expect(phaseOf(then(parked, vouching, TIME).stand!)).toBe('parked');
    expect(phaseOf(then(parked, { ...vouching, content: 8 }, PUBLISHED).stand!)).toBe('upsert');
  });

  it('for want of room is sent once it may stand there: it would wait for the room that it fills itself', () => {
    const waits = waitsForRoom(
      { ...fresh, place: { at: placeOf(3, { confidence: 80, modified: NOW }), out: false } },
      'full',
    );
    const inHold = held(waits, { id: 1, kind: 'removal' }, NOW + 9 * DAY, NOW * 1000, NOW);
    const kept = { ...inHold, parked: waits.parked };
    const room = { place: placeOf(3, { confidence: 80, modified: NOW }), full: false };

    const { stand } = then(kept, { ...vouching, room }, PUBLISHED, at(NOW + DAY, { sentUpTo: (NOW + DAY) * 1000 }));

    expect([phaseOf(kept), stand!.present.is, phaseOf(stand!)]).toEqual(['parked', 'maybe', 'upsert']);
  });
});

describe('an adopted one', () => {
  const adopted = unknown({ revision: 5, until: NOW + DAY, handle: undefined }, 'adopted', NOW * 1000, NOW, undefined);

  it('waits for the partners though it expires, unless somebody vouches for it or a person takes it off', () => {
    expect(phaseOf(then(adopted, nothing, TIME, at(NOW + 2 * DAY)).stand!)).toBe('held');
    expect(phaseOf(then(adopted, vouching, PUBLISHED).stand!)).toBe('upsert');
    expect(phaseOf(then(adopted, { ...nothing, suppressedUntil: NOW + 9 * DAY }, TIME).stand!)).toBe('remove');
  });
});

describe('a held one', () => {
  const kept = held(then(there, nothing, WITHDRAWN).stand!, { id: 1, kind: 'removal' }, undefined, NOW * 1000, NOW);
  const out = held(fresh, { id: 2, kind: 'addition' }, undefined, NOW * 1000, NOW);

  it('stays as the hold says, with the expiry it had', () => {
    const { stand } = then(kept, nothing, WITHDRAWN, at(NOW + 2 * DAY), always);

    expect([phaseOf(stand!), isKept(stand!), stand!.wanted.due]).toEqual(['held', true, NOW + 5 * DAY]);
  });

  it('goes to work under a new revision when a held removal ends', () => {
    const { stand } = then(kept, vouching, PUBLISHED, at(NOW + 2 * DAY));

    expect([phaseOf(stand!), stand!.hold, stand!.wanted.revision]).toEqual([
      'upsert',
      undefined,
      (NOW + 2 * DAY) * 1000,
    ]);
    expect(phaseOf(then(kept, nothing, RULES).stand!)).toBe('remove');
  });

  it('is an addition once more when a rejected one comes anew, and not when it was approved', () => {
    expect(then(out, { ...vouching, content: 8 }, PUBLISHED).counted).toEqual({ kind: 'added' });
    expect(then(out, vouching, { cause: 'none', exchangeId: 0 }).counted).toBeUndefined();
    expect(then(out, vouching, PUBLISHED, at(NOW + DAY), always).counted).toBeUndefined();
  });

  it('takes nobody’s place, unless it may stand there all the same', () => {
    const room = { place: placeOf(3, { confidence: 80, modified: NOW }), full: false };
    const wished = { ...vouching, content: 8, room };
    const sent = at(NOW + DAY, { sentUpTo: (NOW + DAY) * 1000 });

    expect(then(out, wished, PUBLISHED, at(NOW + DAY), always).stand).toMatchObject({ place: undefined });
    expect(then(out, wished, PUBLISHED, sent, always).stand).toMatchObject({
      present: { is: 'maybe' },
      place: { at: firm(room.place), out: false },
    });
  });

  it('that the SIEM refused to write is not parked once it is to go', () => {
    const parked = refused({ ...kept, present: { ...kept.present, is: 'maybe' } }, 'no');

    expect(phaseOf(parked)).toBe('parked');
    expect(phaseOf(then(parked, nothing, { cause: 'none', exchangeId: 0 }).stand!)).toBe('remove');
  });
});
