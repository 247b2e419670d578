// How pages and batches cross between threads. Cloning an indicator as an object costs 8 µs on the two sides together,
// more than reading it; as a run of plain values in one flat list it costs less than 2.
import { deserialize, serialize } from 'node:v8';
import type { Page } from '../../contracts/exchange-connector.ts';
import type { Change } from '../../contracts/siem-connector.ts';
import type { IncomingContext, IncomingIndicator } from '../../model/entry.ts';
import type { EntryKey, Observable, ObservableType } from '../../model/observable.ts';
import type { Pap, Tlp } from '../../model/marking.ts';

export interface ArrivingPage extends Omit<Page, 'objects'> {
  readonly context: readonly IncomingContext[];
  /** May be gone through more than once. */
  readonly indicators: Iterable<IncomingIndicator>;
}

export interface PackedPage extends Omit<Page, 'objects'> {
  readonly context: readonly IncomingContext[];
  /**
   * Indicators one after the other, FIELDS values each, then type and value of each observable. As bytes, because
   * they wait for the rest of their commit: as values they would outlive the young generation of both threads.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const FIELDS = 17;

/** A page in this thread, for the store's own tests and the simulation. */
export function arriving(page: Page): ArrivingPage {
  const { objects, ...rest } = page;
  return {
    ...rest,
    context: objects.filter((one) => one.kind !== 'indicator'),
    indicators: objects.filter((one) => one.kind === 'indicator'),
  };
}

export function packPage(page: Page): PackedPage {
  const { objects, ...rest } = page;
  const flat: unknown[] = [];
  const context: IncomingContext[] = [];
  for (const one of objects) {
    if (one.kind !== 'indicator') {
      context.push(one);
      continue;
    }
    flat.push(
      one.objectId,
      one.version,
      one.revoked,
      one.validFrom,
      one.validUntil,
      one.confidence,
      one.tlp,
      one.pap,
      one.openMarkings,
      one.benign,
      one.refusal,
      one.digest,
      one.facts,
      one.named,
      one.lifeFrom,
      one.scored,
      one.observables.length,
    );
    for (const observable of one.observables) flat.push(observable.type, observable.value);
  }
  // A buffer of its own.
  return { ...rest, context, bytes: serialize(flat) as Uint8Array<ArrayBuffer> };
}

export function unpackPage(packed: PackedPage): ArrivingPage {
  const { bytes, ...rest } = packed;
  // One at a time: an indicator that is made, stored and forgotten is cheap to collect, five thousand at once are not.
  return { ...rest, indicators: { [Symbol.iterator]: () => unpacked(bytes) } };
}

function* unpacked(bytes: Uint8Array): Generator<IncomingIndicator> {
  // Made by packPage of this same version.
  const flat = deserialize(bytes) as readonly unknown[];
  for (let at = 0; at < flat.length; ) {
    // Its order is the one fact both sides share.
    const observables: Observable[] = [];
    const count = flat[at + FIELDS - 1] as number;
    for (let i = 0; i < count; i++) {
      const place = at + FIELDS + 2 * i;
      observables.push({ type: flat[place] as ObservableType, value: flat[place + 1] as string });
    }
    const indicator: { -readonly [K in keyof IncomingIndicator]: IncomingIndicator[K] } = {
      kind: 'indicator',
      objectId: flat[at] as string,
      version: flat[at + 1] as string,
      revoked: flat[at + 2] as boolean,
      validFrom: flat[at + 3] as number,
      digest: flat[at + 11] as number,
      facts: flat[at + 12] as string,
      observables,
    };
    if (flat[at + 4] !== undefined) indicator.validUntil = flat[at + 4] as number;
    if (flat[at + 5] !== undefined) indicator.confidence = flat[at + 5] as number;
    if (flat[at + 6] !== undefined) indicator.tlp = flat[at + 6] as Tlp;
    if (flat[at + 7] !== undefined) indicator.pap = flat[at + 7] as Pap;
    if (flat[at + 8] !== undefined) indicator.openMarkings = flat[at + 8] as readonly string[];
    if (flat[at + 9] !== undefined) indicator.benign = flat[at + 9] as boolean;
    if (flat[at + 10] !== undefined) indicator.refusal = flat[at + 10] as string;
    if (flat[at + 13] !== undefined) indicator.named = flat[at + 13] as readonly number[];
    if (flat[at + 14] !== undefined) indicator.lifeFrom = flat[at + 14] as number;
    if (flat[at + 15] === true) indicator.scored = true;
    yield indicator;
    at += FIELDS + 2 * count;
  }
}

export interface PackedBatch {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly newest: number;
  /** A batch is of one kind. */
  readonly op: Change['op'];
  readonly keys: PackedTexts;
  readonly slots: PackedTexts;
  readonly revisions: Float64Array<ArrayBuffer>;
  /** Absent when no change has one. */
  readonly handles?: readonly (string | undefined)[];
}

export function packBatch(batch: {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly newest: number;
}): PackedBatch {
  const { id, changes, newest } = batch;
  const handles = changes.map((change) => (change.op === 'remove' ? change.handle : undefined));
  return {
    id,
    // Both are made for this batch alone, over buffers of their own.
    bytes: batch.bytes as Uint8Array<ArrayBuffer>,
    ends: batch.ends as Uint32Array<ArrayBuffer>,
    newest,
    op: changes[0]?.op ?? 'upsert',
    keys: packTexts(changes.map((change) => change.key)),
    slots: packTexts(changes.map((change) => change.slot)),
    revisions: Float64Array.from(changes, (change) => change.revision),
    ...(handles.some((handle) => handle !== undefined) ? { handles } : {}),
  };
}

export function unpackBatch({ id, bytes, ends, newest, op, keys, slots, revisions, handles }: PackedBatch): {
  id: number;
  changes: () => Change[];
  bytes: Uint8Array<ArrayBuffer>;
  ends: Uint32Array;
  newest: number;
} {
  // Made when somebody asks: as objects they would outlive the request and be the most of the garbage in this thread.
  const changes = () => {
    const slotTexts = unpackTexts(slots);
    return unpackTexts(keys).map((text, i): Change => {
      // packBatch put a key there.
      const key = text as EntryKey;
      const slot = slotTexts[i]!;
      const revision = revisions[i]!;
      if (op === 'upsert') return { op, key, slot, revision };
      const handle = handles?.[i];
      return handle === undefined ? { op, key, slot, revision } : { op, key, slot, revision, handle };
    });
  };
  return { id, changes, bytes, ends, newest };
}

/** Texts one after the other, with the end of each. */
interface PackedTexts {
  readonly text: string;
  readonly ends: Uint32Array<ArrayBuffer>;
}

function packTexts(texts: readonly string[]): PackedTexts {
  let end = 0;
  return { text: texts.join(''), ends: Uint32Array.from(texts, (one) => (end += one.length)) };
}

function unpackTexts({ text, ends }: PackedTexts): string[] {
  return Array.from(ends, (end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end));
}
