import { describe, expect, it } from 'vitest';
import type { Sighting } from '../model/sighting.ts';
import { buildIdentity, buildSighting } from './build.ts';

const US = { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example', class: 'organization' };
const WINDOW = Date.UTC(2026, 0, 5, 10);

const aSighting = (given: Partial<Sighting> = {}): Sighting => ({
  uuid: 'a0a8f0a5-5f3b-5f0e-8a6c-2f4c7f1d3b22',
  kind: 'seen',
  objectId: 'indicator--7df7da76-baa5-48be-98b3-ae9b4bd84184',
  firstSeen: WINDOW,
  lastSeen: WINDOW,
  count: 3,
  created: WINDOW,
  modified: WINDOW * 1000 + 7000,
  tlp: 'amber',
  ...given,
});

describe('a sighting in STIX 2.1', () => {
  it('says what, when and how often, and nothing else', () => {
    expect(buildSighting(aSighting(), US, false)).toEqual({
      type: 'sighting',
      spec_version: '2.1',
      id: 'sighting--a0a8f0a5-5f3b-5f0e-8a6c-2f4c7f1d3b22',
      created_by_ref: US.id,
      created: '2026-01-05T10:00:00.000Z',
      modified: '2026-01-05T10:00:00.007Z',
      first_seen: '2026-01-05T10:00:00.000Z',
      last_seen: '2026-01-05T10:00:00.000Z',
      count: 3,
      sighting_of_ref: 'indicator--7df7da76-baa5-48be-98b3-ae9b4bd84184',
      object_marking_refs: ['marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421'],
    });
  });

  it('names the place only where that is configured', () => {
    expect(buildSighting(aSighting(), US, true)?.['where_sighted_refs']).toEqual([US.id]);
  });

  it('keeps microseconds of its version', () => {
    expect(buildSighting(aSighting({ modified: WINDOW * 1000 + 7001 }), US, false)?.['modified']).toBe(
      '2026-01-05T10:00:00.007001Z',
    );
  });

  it('becomes an opinion for a false positive, the same one however often it was said', () => {
    const opinion = buildSighting(aSighting({ kind: 'false_positive' }), US, false);

    expect(opinion).toMatchObject({ type: 'opinion', opinion: 'disagree', object_refs: [aSighting().objectId] });
    expect(
      buildSighting(aSighting({ kind: 'false_positive', count: 9, modified: WINDOW * 1000 + 9 }), US, false),
    ).toEqual(opinion);
  });

  it('has no form for an expiration', () => {
    expect(buildSighting(aSighting({ kind: 'expired' }), US, false)).toBeUndefined();
  });
});

describe('our identity in STIX 2.1', () => {
  it('has the same version for the same content and another for another', () => {
    expect(buildIdentity(US)).toEqual(buildIdentity({ ...US }));
    expect(buildIdentity({ ...US, name: 'SOC Other' })['modified']).not.toBe(buildIdentity(US)['modified']);
  });
});
