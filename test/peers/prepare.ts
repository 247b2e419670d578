// Downloads and builds what the real products need, before their tests ask for it: while other work of the whole check
// keeps the processor busy. What fails here is tried again, and told, by the test that needs it.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ELASTICSEARCH_8, ELASTICSEARCH_VERSION } from './elasticsearch.ts';
import { pythonPeer } from './python.ts';
import { peersDir } from './runs.ts';

const run = promisify(execFile);
/** Of the benches alone. */
const OTHERS: ReadonlySet<string> = new Set(['plain-script']);

async function all(kind: string, names: readonly string[], prepare: (name: string) => Promise<unknown>) {
  for (const name of names) {
    const start = performance.now();
    const said = await prepare(name).then(
      () => 'is there',
      // Its end says why.
      (error: unknown) => `could not be had: ${String(error).trim().slice(-800)}`,
    );
    process.stdout.write(`${kind} ${name} ${said}, ${Math.round((performance.now() - start) / 1000)} s\n`);
  }
}

const script = (name: string, env: object) =>
  run(join(import.meta.dirname, 'scripts', name), ['fetch'], {
    env: { ...process.env, ENTENTE_PEERS_DIR: peersDir(), ...env },
  });

const environments = readdirSync(join(import.meta.dirname, 'requirements'))
  .map((name) => name.replace(/\.txt$/, ''))
  .filter((name) => !OTHERS.has(name));

await Promise.all([
  all('Elasticsearch', [...new Set([ELASTICSEARCH_VERSION, ELASTICSEARCH_8])], (version) =>
    script('elasticsearch.sh', { ES_VERSION: version }),
  ).then(() => all('OpenSearch', ['runner'], () => script('opensearch.sh', {}))),
  all('Python peer', environments, pythonPeer),
]);
