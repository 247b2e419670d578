// What is asked of the state itself, and what is noted in it of the running daemon.
import type { Failure } from '../../model/failure.ts';
import type { Observable } from '../../model/observable.ts';
import { keepSamples, type Sample } from '../rows/samples.ts';
import type { OnLists } from '../spec/lists.ts';
import { copyState } from '../state/open.ts';
import { keepOutcome } from '../unit/peers.ts';
import type { Parts } from './parts.ts';

/** Units of nobody in particular. */
export const stateUnits = ({ store, unit }: Parts) => ({
  identity(): { writer: string; revision: number; openedRevision: number; engineTime: number } {
    const { writer, lastRevision, openedRevision, engineTime } = store;
    return { writer, revision: lastRevision, openedRevision, engineTime };
  },

  /** Remembers success or failure of a peer, for `status` without a daemon. */
  note(role: 'exchange' | 'siem', name: string, failure: Failure | undefined, now: number): void {
    const peer = role === 'exchange' ? store.exchange(name) : store.siem(name);
    unit(now, (time) => keepOutcome(store, role, peer, failure, time));
  },

  /** A fact about the running daemon, for commands beside it. */
  remember(name: 'configuration' | 'listens', text: string, now: number): void {
    unit(now, () => store.setMeta(name, text));
  },

  keepSamples(samples: readonly Sample[], now: number): void {
    unit(now, (time) => keepSamples(store.db, samples, time));
  },

  /** Another number once somebody else wrote. */
  dataVersion(): number {
    return store.db.dataVersion();
  },

  /** On which never-block lists of files each of them stands, for who asks without having them. */
  onLists(observables: readonly Observable[]): OnLists[] {
    return store.onLists(observables);
  },

  backup(file: string): void {
    copyState(store.spec.path, file);
  },

  close(): void {
    store.close();
  },
});
