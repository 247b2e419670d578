// What else a partner says of an object: markings that come late, twice or stricter, names and relationships.
import { describe, expect, it } from 'vitest';
import type { IncomingIndicator, IncomingObject } from '../../model/entry.ts';
import { anIndicator, aSiem, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';

const ID = 'indicator--1';
const MARKING = 'marking-definition--1';
const there = ['upsert 192.0.2.1'];
const gone = ['remove 192.0.2.1'];
const definition = (says: object = { statement: 'for members' }): IncomingObject => ({
  kind: 'marking',
  objectId: MARKING,
  ...says,
});

/** A SIEM in a cloud, into which PAP:RED may not go. */
function inTheCloud(): Rig {
  const siem = aSiem();
  const { intake, lifetime } = siem.rules['partner']!;
  return new Rig({ siems: [{ ...siem, rules: { partner: { intake: { ...intake, hosting: 'cloud' }, lifetime } } }] });
}

/** The same version twice, as it is told first and then. */
function twice(rig: Rig, first: Partial<IncomingIndicator>, then: Partial<IncomingIndicator>): string[][] {
  rig.commit([anIndicator({ objectId: ID, ...first })]);
  const before = rig.deliver();
  rig.commit([anIndicator({ objectId: ID, ...then })]);
  return [before, rig.deliver()];
}

describe('the same version with other markings', () => {
  it('takes the stricter PAP over', () => {
    expect(twice(inTheCloud(), { pap: 'green' }, { pap: 'red' })).toEqual([there, gone]);
    expect(twice(inTheCloud(), { pap: 'red' }, { pap: 'green' })).toEqual([[], []]);
  });

  it('is out while a marking that it names only now is not explained, and back when it is', () => {
    const rig = new Rig();
    expect(twice(rig, {}, { openMarkings: [MARKING] })).toEqual([there, gone]);

    rig.commit([definition()]);

    expect(rig.deliver()).toEqual(there);
  });

  it('stays out by a marking that it named only the first time', () => {
    const rig = new Rig();

    expect(twice(rig, { openMarkings: [MARKING] }, { openMarkings: [] })).toEqual([[], []]);
  });
});

describe('a revocation', () => {
  it('counts whatever its version, an older one too', () => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW) })]);
    rig.deliver();

    rig.commit([anIndicator({ objectId: ID, version: versionAt(NOW - 1000), revoked: true })]);

    expect(rig.deliver()).toEqual(gone);
  });
});

describe('a definition', () => {
  const marked = anIndicator({ objectId: ID, openMarkings: [MARKING] });

  it('states a PAP beside the object’s own, and the stricter counts', () => {
    for (const [stated, defined, sent] of [
      ['green', 'red', []],
      ['red', 'green', []],
      ['green', 'amber', []],
      ['clear', 'green', there],
    ] as const) {
      const rig = inTheCloud();
      rig.commit([{ ...marked, pap: stated }, definition({ pap: defined })]);
      expect([stated, defined, rig.deliver()]).toEqual([stated, defined, sent]);
    }
  });

  it('that comes again makes the PAP stricter, never milder', () => {
    const rig = inTheCloud();
    rig.commit([marked, definition({ pap: 'green' })]);
    expect(rig.deliver()).toEqual(there);

    rig.commit([definition({ pap: 'red' })]);
    rig.tick(NOW);
    expect(rig.deliver()).toEqual(gone);

    rig.commit([definition({ pap: 'green' })]);
    rig.tick(NOW);
    expect(rig.deliver()).toEqual([]);
  });

  it('that was not understood stays so, whatever comes under its id', () => {
    const rig = new Rig();
    rig.commit([marked, definition({ tlp: 'green', unread: 'of a kind that we do not know' })]);
    expect(rig.deliver()).toEqual([]);

    rig.commit([definition({ tlp: 'clear' })]);
    rig.tick(NOW);

    expect(rig.deliver()).toEqual([]);
  });

  it('that is not understood closes what an understood one had opened', () => {
    const rig = new Rig();
    rig.commit([marked, definition({ tlp: 'green' })]);
    expect(rig.deliver()).toEqual(there);

    rig.commit([definition({ unread: 'of a kind that we do not know' })]);
    rig.tick(NOW);

    expect(rig.deliver()).toEqual(gone);
  });
});

describe('a relationship', () => {
  const threat = {
    kind: 'name',
    objectId: 'malware--1',
    version: versionAt(NOW),
    type: 'malware',
    name: 'Sample',
  } as const;
  const relationship = {
    kind: 'relationship',
    objectId: 'relationship--1',
    version: versionAt(NOW),
    revoked: false,
    relation: 'indicates',
    source: ID,
    target: 'malware--1',
  } as const;
  const named = (): Rig => {
    const rig = new Rig();
    rig.commit([anIndicator({ objectId: ID }), threat]);
    rig.deliver();
    return rig;
  };

  it('names a threat only where it says that the object indicates it', () => {
    const rig = named();

    rig.commit([{ ...relationship, relation: 'related-to' }]);
    expect(rig.deliver()).toEqual([]);

    rig.commit([relationship]);
    expect(rig.deliver()).toEqual(there);
  });

  it('takes its name along when it is revoked, and says nothing when it only comes again', () => {
    const rig = named();
    rig.commit([relationship]);
    rig.deliver();

    rig.commit([relationship]);
    expect(rig.deliver()).toEqual([]);

    rig.commit([{ ...relationship, revoked: true }]);
    expect(rig.deliver()).toEqual(there);
  });
});
