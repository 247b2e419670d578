// A daemon of a clone that starts for the first time, or after an update, would strip the types of its sources itself, and
// the stripper stays in its memory, some 15 MB on each thread. So a process of its own does it before (compile.mjs), some
// two seconds once; where the cache cannot be written, the daemon does without. Plain JavaScript for any Node from 16 on.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILE = join(dirname(fileURLToPath(import.meta.url)), 'compile.mjs');

export function compileFirst(node, flags, src, env) {
  const done = join(env.NODE_COMPILE_CACHE, 'compiled');
  try {
    if (newest(src, statSync(node).mtimeMs) < changed(done)) return;
    mkdirSync(env.NODE_COMPILE_CACHE, { recursive: true });
    // As long as it is from the beginning of time nothing counts as done; and here it shows whether anything can be kept.
    writeFileSync(done, '');
    utimesSync(done, 0, 0);
    const began = new Date();
    if (spawnSync(node, [...flags, COMPILE, src], { env, stdio: 'ignore' }).status === 0)
      utimesSync(done, began, began);
  } catch {
    // What cannot be kept is made by the daemon; what is wrong with a source is said when it starts.
  }
}

/** When it was done last; never, where it was not. */
function changed(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function newest(folder, sofar) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    sofar = entry.isDirectory() ? newest(path, sofar) : Math.max(sofar, statSync(path).mtimeMs);
  }
  return sofar;
}
