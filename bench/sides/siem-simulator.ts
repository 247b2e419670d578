// A simulated SIEM in a process of its own: over TLS, 2 ms of service time for every call. Before it ends it says how many
// entries it holds.
import { writeFileSync } from 'node:fs';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { selfSigned } from '../../src/simulators/tls.ts';

const SERVICE_MS = 2;
/** `how`: `hangs` answers no call; `ignored` is how a simulated console takes `delete_entry` inside a PATCH. */
const [kind = '', caFile = '', how] = process.argv.slice(2);
const tls = selfSigned();
writeFileSync(caFile, tls.ca);
const options = { tls, latencyMs: SERVICE_MS, faults: how === 'hangs' ? [{ action: 'hang' as const }] : [] };

const LOOKUPS = ['ip', 'domain', 'url', 'email', 'file'];
const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

async function start() {
  switch (kind) {
    case 'elastic': {
      const running = await startElastic(options);
      const entries = () => Object.keys(running.documents('logs-ti_entente_bench.indicator')).length;
      return { running, token: running.apiKey, entries };
    }
    case 'splunk': {
      const running = await startSplunk(options);
      // A collection also holds the row that tells one making of it from another.
      const rowsOf = (family: string) =>
        [...running.documents('entente', `entente_${family}`).values()].filter(
          (row) => row['generation'] === undefined,
        );
      const entries = () => sum(LOOKUPS.map((family) => rowsOf(family).length));
      return { running, token: running.token, entries };
    }
    case 'qradar': {
      const deleteInPatch = how === 'ignored' ? 'ignored' : 'by-value';
      const running = await startQradar({ ...options, settings: { deleteInPatch } });
      const watched = () => [...running.store.sets.values()].filter(({ name }) => !name.endsWith('Control'));
      return { running, token: running.token, entries: () => sum(watched().map((set) => set.entries.size)) };
    }
    default:
      throw new Error(`no simulated SIEM ${kind}`);
  }
}

const { running, token, entries } = await start();
process.stdout.write(`${JSON.stringify({ url: running.url, token })}\n`);
process.once('SIGTERM', () => {
  process.stdout.write(`${JSON.stringify({ entries: entries() })}\n`);
  void running.close();
});
