import { qradarHarness } from './qradar-harness.ts';
import { siemContract } from './siem.ts';

siemContract('QRadar simulator, collections API 26.0', () => qradarHarness());
siemContract('QRadar simulator, oldest collections API 16.0', () => qradarHarness({ apiVersion: '16.0' }));
siemContract('QRadar simulator, classic API 15.0', () => qradarHarness({ apiVersion: '15.0' }));
siemContract('QRadar simulator that knows no bulk removal', () =>
  qradarHarness({ settings: { deleteInPatch: 'ignored' } }),
);
siemContract('QRadar simulator that refuses bulk removals', () =>
  qradarHarness({ settings: { deleteInPatch: 'refused' } }),
);
siemContract('QRadar simulator that answers ranges as HTTP would, in small pages', () =>
  qradarHarness({ settings: { httpRanges: true, maxPage: 3, deleteInPatch: 'by-id' } }),
);
