// The half of Elasticsearch that runs on the store's thread.
import type { SiemEncoder } from '../../../core/contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';
import { encodeEntry, frameChange, slotOf } from './mapping.ts';
import { indexSettings } from './settings.ts';

export const elasticEncoder: SiemEncoder<'elastic'> = {
  type: 'elastic',
  observables: OBSERVABLE_TYPES,
  versioned: true,
  foldsSlots: false,
  container: (_type, settings) => indexSettings(settings).index,
  slot: slotOf,
  encode: encodeEntry,
  frame: frameChange,
};
