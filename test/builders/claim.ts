// A claim with only the facts that a test cares about.
import type { Claim } from '../../src/core/model/entry.ts';

export function aClaim(fields: Partial<Claim> = {}): Claim {
  return {
    exchange: 'partner',
    objectId: 'indicator--7df7da76-baa5-48be-98b3-ae9b4bd84184',
    version: '2026-01-05T10:00:00.000000000Z',
    digest: 1,
    validFrom: Date.UTC(2026, 0, 5, 10),
    benign: false,
    facts: {},
    ...fields,
  };
}
