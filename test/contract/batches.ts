// Makes batches the way the engine does: encode, then frame, then one buffer. Shared by the contract suite and
// by connectors' own tests, so that nobody tests a wire form that the engine would never send.
import { Batch } from '../../src/core/contracts/batch.ts';
import type { Change, EncodeContext, SiemDefinition } from '../../src/core/contracts/siem-connector.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import type { Json } from '../../src/core/model/json.ts';
import { type EntryKey, parseEntryKey } from '../../src/core/model/observable.ts';

export interface ContextGiven {
  readonly instance?: string;
  readonly writer?: string;
  readonly revision: number;
  readonly now?: number;
  readonly facts?: Json;
}

/** What encode and frame may know, from a parsed configuration. */
export function contextFor<C extends { readonly type: string }>(
  definition: SiemDefinition<C>,
  config: C,
  given: ContextGiven,
): EncodeContext {
  const instance = given.instance ?? 'test-instance';
  return {
    owner: `entente:${instance}`,
    writer: given.writer ?? 'writer-1',
    revision: given.revision,
    now: given.now ?? Date.now(),
    settings: definition.settings(config, instance),
    facts: given.facts ?? null,
  };
}

export interface EncodedBatch {
  readonly batch: Batch;
  readonly refusals: readonly { readonly key: EntryKey; readonly refused: string }[];
}

/** Upserts of these entries, in order. Refused ones are left out and told beside. */
export function encodeBatch(
  definition: SiemDefinition,
  entries: readonly Entry[],
  context: EncodeContext,
): EncodedBatch {
  const changes: Change[] = [];
  const frames: string[] = [];
  const refusals: { key: EntryKey; refused: string }[] = [];
  for (const entry of entries) {
    const encoded = definition.encode(entry, context);
    if ('refused' in encoded) {
      refusals.push({ key: entry.key, refused: encoded.refused });
      continue;
    }
    const change: Change = { op: 'upsert', key: entry.key, slot: encoded.slot, revision: context.revision };
    changes.push(change);
    frames.push(definition.frame?.(change, encoded.body, context) ?? encoded.body);
  }
  return { batch: Batch.of(changes, frames), refusals };
}

/** Removals of these keys, in order. `handles` come from earlier outcomes or from list(), where the product has them. */
export function removalBatch(
  definition: SiemDefinition,
  keys: readonly EntryKey[],
  context: EncodeContext,
  handles: ReadonlyMap<EntryKey, string> = new Map(),
): Batch {
  const changes = keys.map((key): Change => {
    const observable = parseEntryKey(key);
    if (observable === undefined) throw new Error(`no entry key: ${key}`);
    const handle = handles.get(key);
    return {
      op: 'remove',
      key,
      slot: definition.slot(observable.type, observable.value, context.settings),
      revision: context.revision,
      ...(handle === undefined ? {} : { handle }),
    };
  });
  return Batch.of(
    changes,
    changes.map((change) => definition.frame?.(change, '', context) ?? ''),
  );
}

/** Several batches as one, as the engine mixes upserts and removals. */
export function joinBatches(...batches: readonly Batch[]): Batch {
  const frames = batches.flatMap((batch) => batch.changes.map((_, i) => batch.frame(i).toString('utf8')));
  return Batch.of(
    batches.flatMap((batch) => batch.changes),
    frames,
  );
}
