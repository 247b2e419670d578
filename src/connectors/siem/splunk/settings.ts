// What encoder and connector both know of one Splunk, apart from the configuration's schema.
import type { Json } from '../../../core/model/json.ts';
import { sha256 } from '../../../core/runtime/ids.ts';
import type { SplunkConfig } from './config.ts';

export type Form = SplunkConfig['form'];

/** What mapping needs. `prefix` opens every `_key` of ours, so that two daemons never meet in one row. */
export type MappingSettings = { readonly form: Form; readonly prefix: string };

export function mappingSettings(settings: Json): MappingSettings {
  // `settings` is what splunk.settings() returned, carried over a thread: our own value, not outside data.
  return settings as MappingSettings;
}

export const ownerOf = (instance: string): string => `entente:${instance}`;

/** The first eight digits of every `_key` of ours, from our owner mark. */
export const prefixOf = (owner: string): string => sha256(owner).slice(0, 8);

export const keyPrefix = (instance: string): string => prefixOf(ownerOf(instance));
