import { expect, it } from 'vitest';
import { aPage, anIndicator, ipv4 } from '../../../test/builders/store.ts';
import type { IncomingObject } from '../model/entry.ts';
import { COMMIT_CLAIMS, partsOf } from './parts.ts';

it('brings what explains indicators with the first part of a page, wherever it stands, and only once', () => {
  const observables = Array.from({ length: COMMIT_CLAIMS }, () => ipv4('192.0.2.1'));
  const [one, two] = ['one', 'two'].map((objectId) => anIndicator({ objectId, observables }));
  const marking: IncomingObject = { kind: 'marking', objectId: 'marking', statement: 'terms' };

  const parts = [...partsOf(aPage([one!, two!, marking]), 'before')];

  expect(parts.map((part) => part.objects.map(({ objectId }) => objectId))).toEqual([['marking', 'one'], ['two']]);
});
