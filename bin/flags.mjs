// How the daemon's process is started, apart from the launcher so that a benchmark's process is started the same way.
import { join } from 'node:path';

const MAX_OLD_SPACE_MB = 192;
const MAX_SEMI_SPACE_MB = 4;
const KEEP_BYTES = 256 * 1024;

/** By itself V8 marks a small heap again once it grew by some three tenths: here every few thousand indicators. */
const HEAP_GROWTH_PERCENT = 40;

/** `--expose-gc`: answers of many megabytes are given back at once (core/runtime/http.ts). */
export const NODE_FLAGS = [
  `--max-old-space-size=${MAX_OLD_SPACE_MB}`,
  `--max-semi-space-size=${MAX_SEMI_SPACE_MB}`,
  `--heap-growing-percent=${HEAP_GROWTH_PERCENT}`,
  '--expose-gc',
  '--disable-warning=ExperimentalWarning',
];

/**
 * What is set already wins.
 *
 * The C library otherwise keeps an arena per thread and core, and raises with every large buffer the size up to which
 * it keeps freed memory: some 40 MB in a first sync of 50,000, and 10 MB more in one of a million.
 *
 * Code that lies stripped and compiled in the cache starts sooner and without the stripper (compile-first.mjs).
 * The cache lies with the code, never in a folder that others may write to; where it cannot be written there is none.
 */
export function nodeEnvironment(root, env) {
  return {
    MALLOC_ARENA_MAX: '1',
    MALLOC_MMAP_THRESHOLD_: String(KEEP_BYTES),
    MALLOC_TRIM_THRESHOLD_: String(KEEP_BYTES),
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'entente'),
    ...env,
  };
}
