// The half of QRadar that runs on the store's thread.
import type { SiemEncoder } from '../../../core/contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';
import { encodeEntry, slotOf } from './mapping.ts';
import { containerKind, setName, setSettings } from './sets.ts';

export const qradarEncoder: SiemEncoder<'qradar'> = {
  type: 'qradar',
  observables: OBSERVABLE_TYPES,
  versioned: false,
  foldsSlots: true,
  container: (type, settings) => setName(setSettings(settings).prefix, containerKind(type)),
  slot: (type, value) => slotOf(type, value),
  encode: encodeEntry,
};
