// The KV store of a server starts after its REST interface, and may not start at all.
import { configFailure, retryable } from '../../../core/contracts/failure.ts';

export function refuseWhileStarting(name: string, kvStore: string | undefined): void {
  if (kvStore === undefined || kvStore === 'ready') return;
  const why = `the KV store is ${kvStore}`;
  if (kvStore === 'failed' || kvStore === 'disabled') {
    throw configFailure(`${name}: ${why}; see kvstore/status on that server`, { code: 'kvstore_failed' });
  }
  throw retryable(`${name}: ${why}; it is asked again`, { uncertain: false, code: 'kvstore_starting' });
}
