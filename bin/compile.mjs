// Loads what the daemon loads, in a process of its own, so that its sources lie stripped and compiled in Node's cache and it
// needs no stripper of types: that would stay in its memory, some 15 MB on each thread. bin/entente.mjs starts this where
// sources are newer than what was compiled.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , src] = process.argv;
// What an index.ts loads only when a configuration names its connector.
for (const file of globSync('connectors/*/*/{connector,connection,failures}.ts', { cwd: src })) await load(file);
await load('cli/run.ts');
// As no thread it refuses to work, when all of it was loaded.
await load('worker.ts').catch(() => {});
process.argv = [process.argv[0], join(src, 'main.ts'), 'version'];
await load('main.ts');

function load(file) {
  return import(pathToFileURL(join(src, file)).href);
}
