// What a person has not allowed to go, as the state says it, is in no batch.
import { entryKey, OBSERVABLE_TYPES } from '../../src/core/model/observable.ts';
import type { RemoteStore } from '../../src/core/store/remote.ts';
import type { Scene } from './scene.ts';

export function heldKeys(scene: Scene, siem: string, which: string): Set<string> {
  const rows = scene.ask<{ type: number; value: string }>(
    `SELECT e.type, e.value FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
     JOIN hold h ON h.id = p.hold WHERE s.name = ? AND ${which}`,
    siem,
  );
  return new Set(rows.map(({ type, value }) => entryKey(OBSERVABLE_TYPES[type]!, value)));
}

/** The store, watched: the rows are read in the moment in which they are taken. */
export function neverHeld(store: RemoteStore, scene: Scene): RemoteStore {
  const takeBatch: RemoteStore['takeBatch'] = async (siem, ...rest) => {
    const held = heldKeys(scene, siem, "h.kind = 'removal' AND (h.decided IS NULL OR h.decision = 'reject')");
    const batch = await store.takeBatch(siem, ...rest);
    const changes = typeof batch?.changes === 'function' ? batch.changes() : batch?.changes;
    for (const { op, key } of changes ?? [])
      if (op === 'remove' && held.has(key)) scene.fail(`${siem}: ${key} is held, and its removal was sent`);
    return batch;
  };
  return new Proxy(store, { get: (target, name) => (name === 'takeBatch' ? takeBatch : Reflect.get(target, name)) });
}
