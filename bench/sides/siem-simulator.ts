// A simulated SIEM in a process of its own: over TLS, 2 ms of service time for every call.
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

async function start() {
  switch (kind) {
    case 'elastic': {
      const running = await startElastic(options);
      return { running, token: running.apiKey };
    }
    case 'splunk': {
      const running = await startSplunk(options);
      return { running, token: running.token };
    }
    case 'qradar': {
      const deleteInPatch = how === 'ignored' ? 'ignored' : 'by-value';
      const running = await startQradar({ ...options, settings: { deleteInPatch } });
      return { running, token: running.token };
    }
    default:
      throw new Error(`no simulated SIEM ${kind}`);
  }
}

const { running, token } = await start();
process.stdout.write(`${JSON.stringify({ url: running.url, token })}\n`);
process.once('SIGTERM', () => void running.close());
