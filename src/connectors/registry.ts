// All connectors, one line each. A folder without a line here, or a line without a folder, fails a test.
import type { ExchangeDefinition } from '../core/contracts/exchange-connector.ts';
import type { SiemDefinition } from '../core/contracts/siem-connector.ts';
import { files } from './exchange/files/index.ts';
import { misp } from './exchange/misp/index.ts';
import { taxii21 } from './exchange/taxii21/index.ts';
import { elastic } from './siem/elastic/index.ts';
import { qradar } from './siem/qradar/index.ts';
import { splunk } from './siem/splunk/index.ts';

export const siems: readonly SiemDefinition[] = [elastic, qradar, splunk];
export const exchanges: readonly ExchangeDefinition[] = [files, misp, taxii21];
