// A flood of hits on few entries into the store, page by page as a SIEM is read, and the sightings they make.
import { addressAt, aHit, anIndicator, aStore, minutes } from '../../test/builders/sightings.ts';
import { say } from './open.ts';

const PAGE = 1000;
const [hits = 0, entries = 1] = process.argv.slice(2).map(Number);

using test = aStore();
for (let at = 0; at < entries; at += PAGE)
  test.publish(
    Array.from({ length: Math.min(PAGE, entries - at) }, (_, n) =>
      anIndicator(at + n, {
        tlp: 'green',
        observables: [addressAt(at + n)],
      }),
    ),
  );
const begin = performance.now();
for (let at = 0; at < hits; at += PAGE) {
  const page = Array.from({ length: Math.min(PAGE, hits - at) }, (_, n) =>
    aHit((at + n) % entries, { dedupe: `bench-hit-${at + n}` }),
  );
  test.store.commitHits('one', page, at, minutes(30));
}
let sightings = 0;
for (let some = -1; some !== 0; ) {
  some = test.store.takeSightings('partner', 500, minutes(30)).length;
  sightings += some;
}
say({ seconds: (performance.now() - begin) / 1000, sightings });
