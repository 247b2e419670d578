// The store's thread with the in-memory SIEM's encoders, for tests that run it under the daemon's heaps.
import { parentPort } from 'node:worker_threads';
import { serveStore } from '../../src/core/store/remote.ts';
import { memorySiem } from '../contract/memory-siem.ts';

if (parentPort === null) throw new Error('store-worker.ts runs as a worker thread only');
serveStore(parentPort, new Map([['memory', memorySiem().definition]]));
