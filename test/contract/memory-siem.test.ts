import { memorySiem, type MemorySiemOptions } from './memory-siem.ts';
import { siemContract, type SiemHarness } from './siem.ts';

function harness(options: MemorySiemOptions): () => Promise<SiemHarness> {
  return async () => {
    const { store, definition, connect } = memorySiem(options);
    const slot = (one: { type: Parameters<typeof definition.slot>[0]; value: string }) =>
      definition.slot(one.type, one.value, null);
    return {
      definition,
      connector: connect(),
      owner: 'entente:test-instance',
      settings: null,
      secrets: [],
      foreign: {
        plant: async (one) => void store.foreign.set(one.value, 'planted by an analyst'),
        read: async (one) => store.foreign.get(one.value),
      },
      read: async (one) => store.rows.get(slot(one)),
      spoil: () => 'no JSON\n',
      dropContainer: async () => store.drop(),
      stop: async () => {},
    };
  };
}

siemContract('in-memory double', harness({}));
siemContract('in-memory double of several calls', harness({ versioned: false, callsPerApply: 3 }));
siemContract(
  'in-memory double without versions, with folding and receipts',
  harness({ versioned: false, foldsSlots: true, receipts: true }),
);
