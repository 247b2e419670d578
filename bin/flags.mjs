// How the daemon's process is started, apart from the launcher so that a benchmark's process is started the same way.
import { join } from 'node:path';

const MAX_OLD_SPACE_MB = 192;
const MAX_SEMI_SPACE_MB = 4;

export const NODE_FLAGS = [
  `--max-old-space-size=${MAX_OLD_SPACE_MB}`,
  `--max-semi-space-size=${MAX_SEMI_SPACE_MB}`,
  '--disable-warning=ExperimentalWarning',
];

/**
 * What is set already wins. The C library otherwise keeps an arena per thread and core, which costs 40 MB; and code
 * that lies stripped and compiled in the cache starts sooner and without the 20 MB of the stripper on each thread.
 * The cache lies with the code, never in a folder that others may write to; where it cannot be written it is not.
 */
export function nodeEnvironment(root, env) {
  return { MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'entente'), ...env };
}
