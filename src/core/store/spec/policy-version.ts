// Under which rules something was done: a short text that changes exactly when they do.
import { canonical } from '../../audit/canonical.ts';
import type { Json } from '../../model/json.ts';
import { sha256 } from '../../runtime/ids.ts';
import type { StoreSpec } from './spec.ts';

/** The content of never-block lists is part of a SIEM's own fingerprint (lists.ts). */
export function fingerprintOf({ exchanges, siems, release }: StoreSpec): string {
  const rules = {
    exchanges: exchanges.map(({ name, type, fingerprint }) => ({ name, type, fingerprint })),
    siems: siems.map(({ name, type, fingerprint, brakes }) => ({ name, type, fingerprint, brakes })),
    release: release ?? null,
  };
  // Plain values: nothing in them is undefined after the round trip.
  return sha256(canonical(JSON.parse(JSON.stringify(rules)) as Json)).slice(0, 24);
}
