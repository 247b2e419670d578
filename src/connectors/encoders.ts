// The encoders of all SIEM connectors, one line each, for the store's thread. They stand apart from the registry, which
// brings schemas and connectors along: on a second thread those would take some 20 MB for nothing.
import type { SiemEncoder } from '../core/contracts/siem-connector.ts';
import { elasticEncoder } from './siem/elastic/encoder.ts';
import { qradarEncoder } from './siem/qradar/encoder.ts';
import { splunkEncoder } from './siem/splunk/encoder.ts';

export const encoders: readonly SiemEncoder[] = [elasticEncoder, qradarEncoder, splunkEncoder];
