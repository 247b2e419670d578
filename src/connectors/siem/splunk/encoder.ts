// The half of Splunk that runs on the store's thread.
import type { SiemEncoder } from '../../../core/contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';
import { containerOf, encodeEntry, slotOf } from './mapping.ts';

export const splunkEncoder: SiemEncoder<'splunk'> = {
  type: 'splunk',
  observables: OBSERVABLE_TYPES,
  versioned: false,
  foldsSlots: false,
  container: containerOf,
  slot: slotOf,
  encode: encodeEntry,
};
