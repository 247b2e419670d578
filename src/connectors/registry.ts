// All connectors, one line each. A folder without a line here, or a line without a folder, fails a test.
import type { ExchangeDefinition } from '../core/contracts/exchange-connector.ts';
import type { SiemDefinition } from '../core/contracts/siem-connector.ts';
import { taxii21 } from './exchange/taxii21/index.ts';
import { elastic } from './siem/elastic/index.ts';
import { qradar } from './siem/qradar/index.ts';

// Each definition is typed over its own settings; what core calls on it takes them as they come out of its schema.
export const siems: readonly SiemDefinition[] = [
  elastic as unknown as SiemDefinition,
  qradar as unknown as SiemDefinition,
];
export const exchanges: readonly ExchangeDefinition[] = [taxii21 as unknown as ExchangeDefinition];
