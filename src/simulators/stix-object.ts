// What simulators know of STIX: an object has a type and an id, the rest is its own business.
import type { Json } from '../core/model/json.ts';

export type StixObject = {
  readonly type: string;
  readonly id: string;
  readonly [name: string]: Json;
};

export type StixBundle = { readonly type: 'bundle'; readonly id: string; readonly objects: readonly StixObject[] };

/** A property that should be text; empty when it is anything else. */
export function textOf(object: StixObject | undefined, name: string): string {
  const value = object?.[name];
  return typeof value === 'string' ? value : '';
}
