// What leaves as STIX 2.1, to the bar of the interoperability test documents: a sighting with times, count and
// creator, an opinion for a false positive, and our identity. Every field is made here from the narrow Sighting;
// nothing is copied from a hit or a partner but the id of the sighted object.
import { uuidV5 } from '../model/digest.ts';
import type { Tlp } from '../model/marking.ts';
import type { Identity, Posted, Sighting } from '../model/sighting.ts';

export type StixOut = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The markings of TLP 2.0 (OASIS common object repository). They need not be sent: their ids are known. */
const TLP_MARKING: Readonly<Record<Tlp, string>> = {
  clear: 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  green: 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  amber: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'amber+strict': 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
  red: 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
};

/** Id and version under which a sighting leaves. Undefined for a kind that STIX has no form for. */
export function sentAs(one: Posted): { readonly id: string; readonly modified: string } | undefined {
  switch (one.kind) {
    case 'seen':
      return { id: `sighting--${one.uuid}`, modified: time(one.modified) };
    case 'false_positive':
      // An opinion carries no count: whatever follows in the window says the same again.
      return { id: `opinion--${one.uuid}`, modified: time(one.created * 1000) };
    case 'expired':
      return undefined;
  }
}

/** Undefined for a kind that STIX has no form for. */
export function buildSighting(one: Sighting, identity: Identity, whereSighted: boolean): StixOut | undefined {
  const name = sentAs(one);
  if (name === undefined) return undefined;
  const head = {
    spec_version: '2.1',
    id: name.id,
    created_by_ref: identity.id,
    created: time(one.created * 1000),
    modified: name.modified,
  };
  if (one.kind === 'false_positive') {
    return {
      type: 'opinion',
      ...head,
      opinion: 'disagree',
      object_refs: [one.objectId],
      object_marking_refs: [TLP_MARKING[one.tlp]],
    };
  }
  return {
    type: 'sighting',
    ...head,
    first_seen: time(one.firstSeen * 1000),
    last_seen: time(one.lastSeen * 1000),
    count: one.count,
    sighting_of_ref: one.objectId,
    ...(whereSighted ? { where_sighted_refs: [identity.id] } : {}),
    object_marking_refs: [TLP_MARKING[one.tlp]],
  };
}

/** Ours, in a version that follows from its content: another name is another version, the same name the same. */
export function buildIdentity(identity: Identity): StixOut {
  const digest = uuidV5(VERSIONS, `${identity.name}\0${identity.class}`).replaceAll('-', '');
  const modified = FIRST_MS + (Number.parseInt(digest.slice(0, 8), 16) % SPREAD_MS);
  return {
    type: 'identity',
    spec_version: '2.1',
    id: identity.id,
    created_by_ref: identity.id,
    created: time(FIRST_MS * 1000),
    modified: time(modified * 1000),
    name: identity.name,
    identity_class: identity.class,
  };
}

const VERSIONS = 'c2c9d1b2-5d0c-4b36-9a55-0e6b1f6d1c58';
const FIRST_MS = Date.UTC(2026, 0, 1);
const SPREAD_MS = 86_400_000;

/** RFC 3339 of epoch microseconds, with milliseconds, or with six digits where they say more. */
function time(micros: number): string {
  const ms = Math.floor(micros / 1000);
  const text = new Date(ms).toISOString();
  const rest = micros - ms * 1000;
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}
