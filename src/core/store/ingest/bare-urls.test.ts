import { expect, it } from 'vitest';
import { anExchange, anIndicator, HOUR, NOW, Rig } from '../../../../test/builders/store.ts';
import { BARE_URL } from '../../stix/bare-urls.ts';

const BARE = anIndicator({
  objectId: 'indicator--1',
  observables: [],
  refusal: BARE_URL,
  facts: JSON.stringify({ pattern: "[url:value = 'evil.example/a']", detail: `${BARE_URL}: url 'evil.example/a'` }),
});
const both = anExchange({ fingerprint: 'both', bareUrls: 'both_schemes' });
const refused = (rig: Rig) => rig.read((reader) => reader.exchanges()[0]!.refusals);

it('the same version of an object is armed in both spellings where that is chosen later, and leaves where it is no more', () => {
  const rig = new Rig();
  rig.commit([BARE]);
  expect([rig.deliver(), refused(rig)]).toEqual([[], { [BARE_URL]: 1 }]);

  rig.restart({ exchanges: [both] });
  rig.commit([BARE], NOW + HOUR);
  expect(rig.deliver(NOW + HOUR)).toEqual(['upsert http://evil.example/a', 'upsert https://evil.example/a']);
  expect(refused(rig)).toEqual({});

  rig.restart({ exchanges: [anExchange()] });
  rig.commit([BARE], NOW + 2 * HOUR);
  expect(rig.deliver(NOW + 2 * HOUR)).toEqual(['remove http://evil.example/a', 'remove https://evil.example/a']);
  expect(refused(rig)).toEqual({ [BARE_URL]: 1 });
});
