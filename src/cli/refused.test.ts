// A reader that goes away (`entente refused list | head`) ends the list at once: main.ts hears of it between two turns.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { smallRegistry } from '../../test/builders/configuration.ts';
import { indicators, Rig } from '../../test/builders/store.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { runCli } from './cli.ts';
import { createOutput } from './output.ts';
import { refused } from './refused.ts';

const ROWS = 20_000;

it.each([['--json'], []])('is heard of by the time that the first of very many was shown: %s', async (...flags) => {
  const rig = new Rig();
  rig.commit(indicators(0, 1));
  rig.sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO object (exchange_id, object_id, version, state, valid_from, valid_until, confidence, tlp, pap, benign, open_markings, refusal, digest, facts, gone_at)
    SELECT 1, 'indicator--r' || i, version, 0, valid_from, valid_until, confidence, tlp, pap, benign, NULL, 'AND of tests', i, '{}', NULL FROM n, object WHERE object.id = 1`);
  const folder = mkdtempSync(join(tmpdir(), 'entente-refused-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'entente.yaml');
  writeFileSync(file, JSON.stringify({ instance: 'test', state: rig.path }));
  let shown = 0;
  let heard: number | undefined;
  const stdout = {
    write: () => {
      if (++shown === 1) setImmediate(() => (heard = shown));
    },
  };
  const out = createOutput(stdout, { write: () => {} }, {}, systemClock);
  const parts = {
    version: '1.2.3',
    registry: smallRegistry,
    simulators: {},
    commands: [{ name: 'refused', load: async () => refused }],
  };

  const code = await runCli(['refused', 'list', ...flags, '--config', file], {
    parts,
    out,
    env: {},
    signal: new AbortController().signal,
  });

  expect([code, shown >= ROWS]).toEqual([0, true]);
  expect(heard).toBeLessThan(ROWS / 2);
});
