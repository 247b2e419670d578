// The store's thread: joins the store to the encoders. Nothing else runs here.
import { parentPort } from 'node:worker_threads';
import { encoders } from './connectors/encoders.ts';
import { serveStore } from './core/store/remote.ts';

if (parentPort === null) throw new Error('worker.ts runs as a worker thread only');
serveStore(parentPort, new Map(encoders.map((encoder) => [encoder.type, encoder])));
