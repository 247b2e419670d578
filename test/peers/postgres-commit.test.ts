// A connection that is lost with a COMMIT on its way: what became of the unit is looked up. A proxy stands between; it
// knows such a message by the mark of the unit that goes with it.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRemote, type RemoteStore } from '../../src/core/store/remote.ts';
import type { ServerPlace } from '../../src/core/store/sql/place.ts';
import { openBeside, openReading } from '../../src/core/store/state/open.ts';
import { anExchange, aPage, indicators, NOW } from '../builders/store.ts';
import { describeWith, tryStart } from './available.ts';
import { placeOn, sharedPostgres } from './postgres.ts';

const WORKER = new URL('../../src/worker.ts', import.meta.url);
const MARK = /[0-9a-f]{16} \d+/;
let made = 0;

const started = await tryStart('PostgreSQL', () => sharedPostgres());

describeWith('a unit whose COMMIT was on its way when the connection was lost', started, (server) => {
  let cut: 'no' | 'before' | 'after' = 'no';
  let cuts = 0;
  /** Once more, when it is looked up what became of the unit. */
  let cutLookUp = false;
  let proxy: Server;
  let place: ServerPlace;
  let store: RemoteStore;
  const told: (string | undefined)[] = [];

  beforeEach(async () => {
    cut = 'no';
    cuts = 0;
    cutLookUp = false;
    told.length = 0;
    proxy = createServer((client) => between(client, connect(server.port, '127.0.0.1')));
    await new Promise<void>((go) => proxy.listen(0, '127.0.0.1', go));
    place = placeOn(server, `commit_${process.pid}_${++made}`);
    const address = proxy.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    store = await openRemote(
      new Worker(WORKER),
      { path: { ...place, port: address.port }, instance: 'test-instance', exchanges: [anExchange()], siems: [] },
      () => {},
      (reason) => void told.push(reason),
    );
  });
  afterEach(async () => {
    await store.close();
    await store.terminate();
    await new Promise((go) => proxy.close(go));
  });

  function between(client: Socket, upstream: Socket): void {
    let dying = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const one of [client, upstream]) one.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (cutLookUp && cut === 'no' && bytes.includes("SELECT value FROM server_state WHERE name = 'unit'")) {
        cutLookUp = false;
        cuts++;
        end();
        return;
      }
      const commits = MARK.test(bytes.toString('latin1'));
      if (commits && cut === 'before') {
        cut = 'no';
        cuts++;
        end();
        return;
      }
      if (commits && cut === 'after') {
        cut = 'no';
        cuts++;
        dying = true;
      }
      upstream.write(bytes);
    });
    // The server has done it and says so, and nobody hears it.
    upstream.on('data', (bytes) => (dying ? end() : client.write(bytes)));
  }

  it.each([
    ['before', false],
    ['after', false],
    ['before', true],
    ['after', true],
  ] as const)(
    'is there once when it was cut %s the server had it, and when it is looked up: %s',
    async (when, again) => {
      await store.commitPages('partner', [aPage(indicators(0, 50))], NOW);
      cut = when;
      cutLookUp = again;

      const report = await store.commitPages('partner', [aPage(indicators(50, 120), { cursor: 'further' })], NOW + 1);
      expect([report.created, cuts]).toEqual([70, again ? 2 : 1]);
      const later = await store.commitPages('partner', [aPage(indicators(110, 130))], NOW + 2);
      expect(later.created).toBe(10);

      const db = openReading(place);
      expect(db.get('SELECT count(*) AS n FROM object')).toEqual({ n: 130 });
      expect(db.get("SELECT n FROM tally WHERE name = 'objects'")).toEqual({ n: 140 });
      expect(db.get('SELECT count(*) AS n FROM entry')).toEqual({ n: 130 });
      db.close();
      expect(told.at(0)).toMatch(/is away/);
      expect(told.at(-1)).toBeUndefined();
    },
  );

  it('ends the store where another state is there after it, as of a standby that had not all of it', async () => {
    await store.commitPages('partner', [aPage(indicators(0, 50))], NOW);
    const db = openBeside(placeOn({ ...server, user: 'postgres', database: 'entente' }, place.schema));
    db.run("UPDATE server_state SET value = 'of another life 1' WHERE name = 'unit'");
    db.close();
    cut = 'before';

    await expect(store.commitPages('partner', [aPage(indicators(50, 120))], NOW + 1)).rejects.toThrow(
      /is not the one that it was before its server was away: an older one was put back .* start again/,
    );
  });
});
