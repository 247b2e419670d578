import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pythonPeer } from './python.ts';

describe('a peer that cannot be had', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entente-peers-'));
    vi.stubEnv('ENTENTE_PEERS_DIR', folder);
    vi.stubEnv('PEERS_PYTHON', join(folder, 'no-python'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what is missing, for the caller to skip', async () => {
    vi.stubEnv('CI', '');

    const peer = await pythonPeer('medallion');

    expect(peer).toMatchObject({
      kind: 'missing',
      reason: expect.stringMatching(/medallion.*install python3 or set PEERS_PYTHON/),
    });
  });

  it('is an error where CI=true', async () => {
    vi.stubEnv('CI', 'true');

    await expect(pythonPeer('medallion')).rejects.toThrow(/install python3/);
  });
});
