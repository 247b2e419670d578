// Looks at what stands in the SIEM where a call left it open, and has the store take it as found.
import type { OwnedEntry } from '../contracts/siem-connector.ts';
import type { Target } from './target.ts';

/** Read-backs are asked in slices of this many rows. */
const SLICE = 500;

/** Nobody knows what became of these, and without revisions nothing is sent before that is known. */
export async function readBack({ store, connector, name, now }: Target, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { slots, entryIds } = await store.uncertain(name, SLICE, now());
    if (slots.length === 0) return;
    const owned: OwnedEntry[] = [];
    for await (const part of connector.list({ slots }, signal)) owned.push(...part);
    await store.resolve(name, entryIds, owned, now());
  }
}

/** What a call that had been given up may have done since. */
export async function lookAgain({ store, connector, name, now, log }: Target, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { slots, observables } = await store.doubtful(name, SLICE, now());
    if (slots.length === 0) return;
    const owned: OwnedEntry[] = [];
    for await (const part of connector.list({ slots }, signal)) owned.push(...part);
    const changed = await store.lookedAt(name, observables, owned, now());
    if (changed > 0)
      log.warn('Calls that had been given up landed late; what they did is put right.', {
        siem: name,
        entries: changed,
      });
  }
}
