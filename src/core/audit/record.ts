// What a record says and the bytes that stand for it. A record is one unit of work that did something; its rows are what it
// did it to. Rows hang on the record by one root alone, each with salt of its own, so that they can be pruned for good and
// the chain still stands: nobody can guess from a root which addresses were under it.
import type { Json } from '../model/json.ts';
import { canonical } from './canonical.ts';
import { type Hash, leafHash, rootOfTexts } from './tree.ts';

/**
 * arm: it is known to stand in the SIEM, where it did not; change: anew, in another revision; disarm: it stands there no
 * more. hold, unhold: a hold bars it, or no longer. tell: a sighting left. The others are what a person did.
 */
export type RowOp =
  | 'arm'
  | 'change'
  | 'disarm'
  | 'hold'
  | 'unhold'
  | 'tell'
  | 'suppress'
  | 'harmless'
  | 'lift'
  | 'approve'
  | 'reject'
  | 'refuse'
  | 'lost';

export interface RecordRow {
  readonly siem: string | null;
  readonly op: RowOp;
  /** Of the entry. */
  readonly key: string | null;
  readonly revision: number;
  readonly reason: string;
  /** The partner's object that it stands for. */
  readonly object: string | null;
  readonly marking: string | null;
}

export type RecordAction =
  | 'deliver'
  | 'hold'
  | 'tell'
  | 'suppress'
  | 'harmless'
  | 'lift'
  | 'decide'
  | 'request'
  | 'refused'
  | 'configuration'
  | 'key'
  | 'gap';

/** Without its rows: the bytes of this are the leaf of the tree. */
export interface RecordBody {
  /** Index of the leaf, from 0. */
  readonly seq: number;
  /** Leaf hash of the record before, in hex; null of the first. */
  readonly prev: string | null;
  readonly at: string;
  /** Revision of the unit of work. */
  readonly unit: number;
  /** Of the instance that wrote; one instance writes, so far. */
  readonly term: number;
  readonly actor: string;
  readonly action: RecordAction;
  readonly policy_version: string;
  /** By SIEM or exchange and by op. */
  readonly counts: { readonly [subject: string]: { readonly [op: string]: number } };
  /** Root over the rows, in hex; null where none were kept. */
  readonly rows_root: string | null;
  readonly detail?: { readonly [name: string]: Json };
}

/** Canonical JSON of the body (RFC 8785). */
export const bodyText = (body: RecordBody): string => canonical(body as unknown as Json);

/** Canonical JSON of a row with its salt, made by hand since there are thousands of them; record.test.ts compares the two. */
export function rowLine({ siem, op, key, revision, reason, object, marking }: RecordRow, salt: string): string {
  return `{"key":${text(key)},"marking":${text(marking)},"object":${text(object)},"op":"${op}","reason":${text(reason)},"revision":${revision},"salt":"${salt}","siem":${text(siem)}}`;
}

/** Values come from partners: half a character is written as what UTF-8 has for it. */
const text = (value: string | null): string => (value === null ? 'null' : JSON.stringify(value.toWellFormed()));

/** In hex. */
export const rowsRoot = (lines: readonly string[]): string => rootOfTexts(lines).toString('hex');

export const recordHash = (body: string): Hash => leafHash(body);
