import { expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, HOUR, ipv4, MINUTE, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';

const ID = 'indicator--1';

it('sends what a claim that began since makes of a row under a revision of its own', () => {
  const rig = new Rig();
  const later = anIndicator({ objectId: 'indicator--2', validFrom: NOW + HOUR });
  rig.commit([anIndicator({ objectId: ID }), later]);
  const planned = rig.row()!.wanted_rev;

  const batch = rig.take(NOW + 2 * HOUR)!;
  rig.store.settleAll(batch.id, NOW + 2 * HOUR);
  rig.commit([{ ...later, version: versionAt(NOW), observables: [] }], NOW + 2 * HOUR);

  expect(batch.changes[0]!.revision).toBeGreaterThan(planned);
  expect(rig.deliver(NOW + 2 * HOUR)).toEqual(['upsert 192.0.2.1']);
});

it('sends what is left of a claim that ends at this very moment under a revision of its own', () => {
  const rig = new Rig();
  rig.commit([
    anIndicator({ objectId: 'indicator--1', validUntil: NOW + MINUTE }),
    anIndicator({ objectId: 'indicator--2', validUntil: NOW + DAY }),
  ]);
  // What a new SIEM is computed by is over: it plans anew whatever it has not come to.
  rig.tick(NOW);
  const { wanted_rev: planned } = rig.row()!;

  const [change] = rig.take(NOW + MINUTE)!.changes;

  expect(change!.revision).toBeGreaterThan(planned);
  expect(rig.row()).toMatchObject({ wanted_rev: change!.revision });
});

it('sends what changed rules make of a row under a revision of its own, though no recomputation came to it yet', () => {
  const rig = new Rig({ siems: [aSiem({ clearance: 'green' })] });
  rig.commit([anIndicator({ objectId: 'indicator--1' }), anIndicator({ objectId: 'indicator--2', tlp: 'amber' })]);
  const { wanted_rev: planned } = rig.row()!;

  rig.restart({ siems: [aSiem({ clearance: 'amber', fingerprint: 'b' })] });
  const [change] = rig.take()!.changes;

  expect(change!.revision).toBeGreaterThan(planned);
});

it('gives what loses its place by it another revision than the call that it takes back', () => {
  const rig = new Rig({ siems: [aSiem({ maxEntries: 1 })] });
  const sure = anIndicator({ objectId: 'indicator--1', confidence: 90, validUntil: NOW + HOUR });
  const unsure = anIndicator({ objectId: 'indicator--2', confidence: 10, validUntil: NOW + 3 * DAY });
  rig.commit([sure, unsure]);
  rig.deliver();
  const other = { observables: [ipv4('192.0.2.2')], confidence: 50 };
  rig.commit([
    { ...unsure, version: versionAt(NOW), confidence: 20 },
    anIndicator({ objectId: 'indicator--3', ...other }),
  ]);

  const [sent] = rig.take(NOW + 2 * HOUR)!.changes;

  const row = rig.row()!;
  expect(row).toMatchObject({ value: '192.0.2.1', wanted: 0 });
  expect(row.wanted_rev).toBeGreaterThan(sent!.revision);
});
