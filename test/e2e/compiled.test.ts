// What Node strips types with stays in memory, on each thread of a daemon that had to load it.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addresses, aWorld, indicator, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.taxii.load(addresses(3).map((value) => indicator(value)));
  world.site.configure(world.settings());
});
afterEach(() => world.close());

/** Each thread of `run --once` says over and over whether it holds the stripper; Node keeps the list of what it loaded. */
async function once(cache: string) {
  const said = join(world.site.folder, 'said');
  const probe = join(world.site.folder, 'probe.mjs');
  writeFileSync(said, '');
  writeFileSync(
    probe,
    `import { appendFileSync } from 'node:fs';
     import { isMainThread } from 'node:worker_threads';
     const say = () => {
       if (process.argv[1].endsWith('worker.ts') || process.argv[2] === 'run')
         appendFileSync(${JSON.stringify(said)}, (isMainThread ? 'main ' : 'store ') + process.moduleLoadList.some((name) => name.includes('amaro')) + '\\n');
     };
     process.on('exit', say);
     setInterval(say, 5).unref();`,
  );
  const env = { NODE_COMPILE_CACHE: cache, NODE_OPTIONS: `--import ${probe}` };
  const ended = await world.site.entente(['run', '--once'], { by: 'launcher', env, limitMs: 200_000 });
  expect(ended.code, ended.stderr).toBe(0);
  return new Set(readFileSync(said, 'utf8').trim().split('\n'));
}

it('a daemon that starts for the first time after an installation has its sources compiled before it', {
  timeout: 240_000,
}, async () => {
  const cache = join(mkdtempSync(join(world.site.folder, 'cache-')), 'entente');

  expect(await once(cache)).toEqual(new Set(['main false', 'store false']));
});

it('where nothing can be kept, it strips them itself', { timeout: 240_000 }, async () => {
  writeFileSync(join(world.site.folder, 'file'), '');

  expect([...(await once(join(world.site.folder, 'file', 'entente')))]).toEqual(
    expect.arrayContaining(['main true', 'store true']),
  );
});
