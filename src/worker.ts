// The store's thread: joins the store to the encoders of the registry. Nothing else runs here.
import { parentPort } from 'node:worker_threads';
import { siems } from './connectors/registry.ts';
import { serveStore } from './core/store/remote.ts';

if (parentPort === null) throw new Error('worker.ts runs as a worker thread only');
serveStore(parentPort, new Map(siems.map((definition) => [definition.type, definition])));
