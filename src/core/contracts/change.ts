// What a batch is made of.
import type { EntryKey } from '../model/observable.ts';

export type Change =
  | { readonly op: 'upsert'; readonly key: EntryKey; readonly slot: string; readonly revision: number }
  | {
      readonly op: 'remove';
      readonly key: EntryKey;
      readonly slot: string;
      readonly revision: number;
      readonly handle?: string;
    };
