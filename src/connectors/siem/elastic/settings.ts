// What encoder and connector both know of one index, apart from the configuration's schema.
import type { Json } from '../../../core/model/json.ts';

/** What the pure functions need. */
export type IndexSettings = { readonly index: string };

export function indexSettings(settings: Json): IndexSettings {
  // `settings` is what elastic.settings() returned, carried over a thread: our own value, not outside data.
  return settings as IndexSettings;
}

/** A dash in the instance would make the name match `logs-*-*`, which the product reserves for data streams. */
export function indexName(configured: string | undefined, instance: string): string {
  return configured ?? `logs-ti_entente_${instance.replaceAll('-', '_')}.indicator`;
}
