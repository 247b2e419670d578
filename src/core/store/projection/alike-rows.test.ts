// What SIEMs that judge alike come to is worked out once and their rows are made from each other's: each of them must
// hold what it would hold alone.
import { expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, type Given, ipv4, NOW, Rig } from '../../../../test/builders/store.ts';

/** Every `gap`th is over before it comes, so that it has no row anywhere. */
const objects = (gap: number) =>
  Array.from({ length: 60 }, (_, i) =>
    anIndicator({
      objectId: `indicator--${i}`,
      observables: [ipv4(`198.18.0.${i}`)],
      confidence: i,
      tlp: i % 11 === 0 ? 'amber' : 'green',
      validUntil: i % gap === 0 ? NOW - DAY : NOW + i * DAY,
    }),
  );

const SIEMS = [
  aSiem({ refreshAfterDays: 10 }),
  aSiem({ name: 'second', refreshAfterDays: 10 }),
  aSiem({ name: 'at another pace', refreshAfterDays: 20 }),
  aSiem({ name: 'cleared for less', clearance: 'green', refreshAfterDays: 10 }),
  aSiem({ name: 'with places', maxEntries: 20, refreshAfterDays: 10 }),
  aSiem({ name: 'third', refreshAfterDays: 10 }),
];

function rowsOf(given: Given, gap: number) {
  const rig = new Rig(given);
  rig.commit(objects(gap));
  const ofSiem = (siem: string) => ({
    rows: rig.rows(siem).map((row) => ({ ...row, siem_id: 0 })),
    tallies: rig.ask(
      `SELECT t.name, t.n FROM tally t JOIN siem s ON t.owner = 'siem:' || s.id WHERE s.name = '${siem}' ORDER BY t.name`,
    ),
  });
  return { ofSiem, sent: (siem: string) => rig.deliver(NOW, siem) };
}

it.each([
  ['next to each other', 25, SIEMS],
  ['far apart', 2, SIEMS.slice(0, 2)],
])('of entries that lie %s', (_, gap, siems) => {
  const among = rowsOf({ siems }, gap);
  for (const siem of siems) {
    const alone = rowsOf({ siems: [siem] }, gap);

    expect([siem.name, among.ofSiem(siem.name)]).toEqual([siem.name, alone.ofSiem(siem.name)]);
    expect(among.ofSiem(siem.name).rows.length).toBeGreaterThan(15);
    expect(among.sent(siem.name)).toEqual(alone.sent(siem.name));
  }
});
