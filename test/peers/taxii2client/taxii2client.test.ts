// OASIS' own client against our simulator: a witness that both sides of our tests do not share one misreading.
import { describe, expect, it } from 'vitest';
import { feedBundle } from '../../../src/simulators/feed.ts';
import { startTaxii } from '../../../src/simulators/taxii/index.ts';
import { selfSigned } from '../../../src/simulators/tls.ts';
import { pythonPeer } from '../python.ts';
import { type CheckResult, runTaxii2Client } from './run.ts';

const CHECKS = 41;
const peer = await pythonPeer('taxii2-client');
const plain = peer.kind === 'ready' ? await against(peer.python, false) : [];

async function against(python: string, secure: boolean): Promise<readonly CheckResult[]> {
  const certificates = selfSigned();
  const taxii = await startTaxii({
    data: feedBundle({ count: 20, irregular: 0 }),
    ...(secure ? { tls: { cert: certificates.cert, key: certificates.key } } : {}),
  });
  try {
    const { discovery, username, password } = taxii;
    return await runTaxii2Client({ python, discovery, username, password, ca: secure ? certificates.ca : undefined });
  } finally {
    await taxii.close();
  }
}

describe.skipIf(peer.kind === 'missing')('taxii2-client against the simulated exchange', () => {
  it.each(plain)('agrees on $name', ({ problem }) => {
    expect(problem).toBeUndefined();
  });

  it('ran every check', () => {
    expect(plain).toHaveLength(CHECKS);
  });

  it('agrees over HTTPS with our own authority too', async () => {
    const secure = peer.kind === 'ready' ? await against(peer.python, true) : [];

    expect(secure.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(secure).toHaveLength(CHECKS);
  });
});
