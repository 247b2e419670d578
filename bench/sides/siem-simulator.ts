// A simulated Splunk or QRadar in a process of its own: over TLS, 2 ms of service time for every call.
import { writeFileSync } from 'node:fs';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { selfSigned } from '../../src/simulators/tls.ts';

const SERVICE_MS = 2;
const [kind = '', caFile = '', deleteInPatch] = process.argv.slice(2);
const tls = selfSigned();
writeFileSync(caFile, tls.ca);
const running =
  kind === 'splunk'
    ? await startSplunk({ tls, latencyMs: SERVICE_MS })
    : await startQradar({
        tls,
        latencyMs: SERVICE_MS,
        settings: { deleteInPatch: deleteInPatch === 'ignored' ? 'ignored' : 'by-value' },
      });
process.stdout.write(`${JSON.stringify({ url: running.url, token: running.token })}\n`);
process.once('SIGTERM', () => void running.close());
