// A PostgreSQL that lacks something: a right, room, a connection, an encoding, an age. At the start and under a daemon that
// works; the words that a person meets, and that work goes on by itself with nothing lost and nothing twice.
import { statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Database } from '../../src/core/store/sql/port.ts';
import { openBeside } from '../../src/core/store/state/open.ts';
import { type Daemon, eventually } from '../e2e/site.ts';
import { aWorld, addresses, indicator, type World } from '../e2e/world.ts';
import { describeWith, tryStart } from './available.ts';
import { placeOn, sharedPostgres } from './postgres.ts';
import { freePort, runFolder } from './runs.ts';
import { smallDisk } from './small-disk.ts';

/** No word of the server's own is written like that. */
const SQL = /\b(SELECT|INSERT INTO|UPDATE|DELETE|WITH|FETCH|COMMIT)\b/;

const started = await tryStart('PostgreSQL', () => sharedPostgres());
let made = 0;

describeWith('a PostgreSQL that lacks something', started, (server) => {
  let world: World;
  /** Who works on the state, alone in this test, as its schema is. */
  let role: string;
  let schema: string;
  let admin: Database;
  let listen: string;
  let published: number;
  const undo: (() => void)[] = [];

  beforeEach(async () => {
    world = await aWorld();
    role = `faults_${process.pid}_${++made}`;
    schema = `of_${role}`;
    listen = `127.0.0.1:${await freePort()}`;
    published = 0;
    admin = openBeside(placeOn({ port: server.port, user: 'postgres', database: 'entente', password: '' }, 'public'));
    sql(`CREATE ROLE ${role} LOGIN PASSWORD 'first'`);
    world.site.write('password', 'first');
    configure();
  });
  afterEach(async () => {
    await world.close();
    for (const one of undo.splice(0)) one();
    admin.close();
  });

  const sql = (text: string) => admin.all(text);
  const configure = (more: Record<string, unknown> = {}, port = server.port, level = 'info') => {
    const url = `postgres://${role}@127.0.0.1:${port}/entente`;
    const state = { url, password_file: './password', schema, ...more };
    const top = { listen, state, log: { level } };
    world.site.configure(world.settings({ exchange: { schedule: '* * * * * *' }, top }));
  };
  const ownSchema = () => sql(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
  const publish = (count: number) => {
    world.taxii.load(addresses(count, published).map((value) => indicator(value)));
    published += count;
  };
  /** Nothing while the daemon has not made its index. */
  const standing = (): string[] => {
    try {
      return world.armed();
    } catch {
      return [];
    }
  };
  const armed = () => eventually(() => standing().length === published, `${published} armed`, 60_000);
  const once = async () => {
    const { code, stderr } = await world.site.entente(['run', '--once', '--patience-secs', '1']);
    return `${code}: ${stderr}`;
  };
  const suppressed = async () => {
    const { code, stderr } = await world.site.entente([
      'suppress',
      addresses(1)[0]!,
      '--hours',
      '1',
      '--reason',
      'ours',
    ]);
    return `${code}: ${stderr}`;
  };
  /** All connections of the role are over, as after a restart. */
  const disconnect = () => sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
  /** Says so wherever a person looks, and writes nothing. */
  const says = async (daemon: Daemon, words: RegExp) => {
    const before = standing();
    publish(1);
    const told = await daemon.until(({ reasons }) =>
      reasons.some((one) => words.test(one) && one.endsWith('nothing is written to a SIEM')),
    );
    // In words: an operator has no use for our SQL.
    expect(told.reasons.join()).not.toMatch(SQL);
    expect([told.state, (await daemon.get('/health')).code, (await daemon.get('/livez')).code]).toEqual([
      'failing',
      503,
      200,
    ]);
    // A busy machine may keep the daemon from answering the command in its time.
    const typed = async () => {
      const { code, stdout } = await world.site.entente(['status']);
      return { code, stdout };
    };
    await expect.poll(typed, { timeout: 30_000 }).toEqual({ code: 1, stdout: expect.stringMatching(words) });
    expect(standing()).toEqual(before);
    await eventually(() => words.test(daemon.process.stderr), `${words} in the log`);
  };
  const wellAgain = async (daemon: Daemon) => {
    await armed();
    await daemon.until(({ state }) => state === 'ok');
  };
  /** Each value once, in the state as in the SIEM. */
  const nothingTwice = () => {
    const count = (table: string) => sql(`SELECT count(*) AS n FROM ${schema}.${table}`)[0];
    expect([standing(), count('object'), count('entry'), count('projection')]).toEqual([
      addresses(published).sort(),
      ...Array.from({ length: 3 }, () => ({ n: published })),
    ]);
  };

  it('is refused at the start with what is missing and what to do, exit 2', async () => {
    publish(3);
    expect(await once()).toMatch(/^2: .*has not the rights it needs on schema.*permission denied for database/s);
    sql(`CREATE SCHEMA ${schema}`);
    expect(await once()).toMatch(/^2: .*has not the rights it needs on schema/s);
    expect(await suppressed()).toMatch(/^2: .*has not the rights it needs on schema/s);
    sql(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
    expect(await once()).toMatch(/^2: .*has not the rights it needs on schema.*permission denied for schema/s);
    sql(`ALTER SCHEMA ${schema} OWNER TO ${role}`);
    sql('REVOKE TEMPORARY ON DATABASE entente FROM PUBLIC');
    undo.push(() => sql('GRANT TEMPORARY ON DATABASE entente TO PUBLIC'));
    expect(await once()).toMatch(/^2: .*no temporary tables in entente; GRANT TEMPORARY ON DATABASE entente TO/s);
    sql(`GRANT TEMPORARY ON DATABASE entente TO ${role}`);

    expect(await once()).toMatch(/^0: /);
    nothingTwice();
    sql(`DO $$ DECLARE one text; BEGIN FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' LOOP
      EXECUTE format('ALTER TABLE ${schema}.%I OWNER TO postgres', one); END LOOP; END $$`);
    sql(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
    expect(await once()).toMatch(/^2: .*has not the rights.*permission denied for table/s);
    // As a command says that finds no daemon and would act by itself.
    expect(await suppressed()).toMatch(/^2: .*has not the rights.*permission denied for table/s);
    // Who only looks needs no more.
    expect(await world.site.ask(['status'])).toMatchObject({ siems: [{ wanted: 3, delivered: 3 }] });

    for (const encoding of ['LATIN1', 'SQL_ASCII']) {
      const database = `${role}_${encoding}`.toLowerCase();
      sql(`CREATE DATABASE ${database} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`);
      configure({ url: `postgres://${role}@127.0.0.1:${server.port}/${database}` });
      expect(await once()).toMatch(new RegExp(`^2: .*database ${database} is in ${encoding}.*ENCODING 'UTF8'`, 's'));
    }
    configure({ schema: 'pg_entente' });
    expect(await once()).toMatch(/^2: .*state\.schema: .*not beginning with a digit or pg_/s);
  });

  it('is refused when it is older than 14, exit 2', async () => {
    // There is none of them here: the number is changed on its way.
    const older = (bytes: Buffer) =>
      Buffer.from(bytes.toString('latin1').replace(/1[4-9]\d{4}(?=\0)/, '130022'), 'latin1');
    const proxy = createServer((client) => {
      const upstream: Socket = connect(server.port, '127.0.0.1');
      const end = () => {
        client.destroy();
        upstream.destroy();
      };
      for (const one of [client, upstream]) one.on('error', end).on('close', end);
      client.pipe(upstream);
      upstream.on('data', (bytes) => client.write(older(bytes)));
    });
    const port = await freePort();
    await new Promise<void>((go) => proxy.listen(port, '127.0.0.1', go));
    undo.push(() => proxy.close());
    ownSchema();
    configure({}, port);

    expect(await once()).toMatch(/^2: .*the server is PostgreSQL 13, at least 14 is needed/s);
  });

  it('is waited for at the start as long as `run --once` may, and leaves nothing held', async () => {
    ownSchema();
    publish(3);
    sql(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
    expect(await once()).toMatch(/^1: .*takes no writes \(read-only, or a standby\)/s);
    sql(`ALTER ROLE ${role} RESET default_transaction_read_only`);
    // One for the work, the others to read.
    for (const limit of [0, 1, 2]) {
      sql(`ALTER ROLE ${role} CONNECTION LIMIT ${limit}`);
      expect(await once()).toMatch(/^1: .*the server has no connection left/s);
    }
    sql(`ALTER ROLE ${role} CONNECTION LIMIT 3`);

    expect(await once()).toMatch(/^0: /);
    nothingTwice();
  });

  it('is waited for in the middle of work, and works again by itself', { timeout: 240_000 }, async () => {
    ownSchema();
    configure({}, server.port, 'debug');
    // Meant for people; and what is said of a session is ours to say.
    for (const setting of [
      "statement_timeout = '200ms'",
      "lock_timeout = '20ms'",
      "idle_in_transaction_session_timeout = '20ms'",
      "idle_session_timeout = '500ms'",
      "client_encoding = 'LATIN1'",
      'search_path = public',
      'standard_conforming_strings = off',
      "default_transaction_isolation = 'serializable'",
    ])
      sql(`ALTER ROLE ${role} SET ${setting}`);
    world.taxii.load([indicator(addresses(1)[0]!, { name: String.raw`Grüße – 漢字 \' "` })]);
    published = 1;
    const daemon = await world.site.daemon();
    await armed();
    await daemon.until(({ state }) => state === 'ok');
    expect(daemon.process.stderr).not.toMatch(/cannot be worked with/);

    // Others take all connections that are left.
    const others: Database[] = [];
    undo.push(() => {
      for (const one of others.splice(0)) one.close();
    });
    sql(`CREATE ROLE ${role}_other LOGIN PASSWORD 'first'`);
    disconnect();
    const place = placeOn({ port: server.port, user: `${role}_other`, password: 'first' }, 'public');
    await eventually(() => {
      try {
        for (; others.length < 70; ) others.push(openBeside(place));
      } catch (error) {
        if (!/no connection left/.test(String(error))) throw error;
      }
      if (sql(`SELECT pid FROM pg_stat_activity WHERE usename = '${role}'`).length === 0) return true;
      disconnect();
      return false;
    }, 'all connections taken');
    await says(daemon, /the server has no connection left/);
    for (const one of others.splice(0)) one.close();
    await wellAgain(daemon);

    sql('ALTER SYSTEM SET default_transaction_read_only = on');
    undo.push(() => {
      sql('ALTER SYSTEM RESET default_transaction_read_only');
      sql('SELECT pg_reload_conf()');
    });
    sql('SELECT pg_reload_conf()');
    await says(daemon, /takes no writes \(read-only, or a standby\)/);
    undo.pop()!();
    await wellAgain(daemon);

    sql(`REVOKE INSERT, UPDATE ON ALL TABLES IN SCHEMA ${schema} FROM ${role}`);
    await says(daemon, /has not the rights it needs on schema/);
    const asked = daemon.process.stderr.split('\n').filter((line) => line.includes('A statement failed on the server'));
    expect(asked.join('\n')).toMatch(/"level":"debug".*permission denied for table.*\b(INSERT INTO|UPDATE) /);
    sql(`GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
    await wellAgain(daemon);

    sql(`REVOKE ALL ON SCHEMA ${schema} FROM ${role}`);
    await says(daemon, /cannot be seen|has not the rights it needs on schema/);
    sql(`GRANT ALL ON SCHEMA ${schema} TO ${role}`);
    await wellAgain(daemon);

    sql(`ALTER ROLE ${role} PASSWORD 'second'`);
    disconnect();
    await says(daemon, new RegExp(`refused the password of ${role}; renew it`));
    world.site.write('password', 'second');
    await wellAgain(daemon);

    nothingTwice();
    expect((await daemon.stop()).code).toBe(0);
    expect(world.site.printed).not.toMatch(/\bfirst\b|\bsecond\b/);
  });

  it('is waited for while its disk is full', async ({ skip }) => {
    const [data] = sql("SELECT setting FROM pg_settings WHERE name = 'data_directory'") as { setting: string }[];
    const disk = smallDisk(join(runFolder(), `disk-${made}`), 24, statSync(data!.setting).uid);
    if (typeof disk === 'string') return skip(disk);
    undo.push(() => {
      disk.clear();
      sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      sql(`DROP TABLESPACE IF EXISTS ${role}`);
      disk.unmount();
    });
    sql(`CREATE TABLESPACE ${role} OWNER ${role} LOCATION '${disk.folder}'`);
    sql(`ALTER ROLE ${role} SET default_tablespace = ${role}`);
    ownSchema();
    publish(50);
    const daemon = await world.site.daemon();
    await armed();

    disk.fill();
    const before = standing();
    publish(2_000);
    const told = await daemon.until(({ reasons }) => reasons.some((one) => /disk of the server is full/.test(one)));
    expect([told.state, (await daemon.get('/health')).code, standing()]).toEqual(['failing', 503, before]);

    disk.clear();
    await wellAgain(daemon);
    nothingTwice();
    expect((await daemon.stop()).code).toBe(0);
  });
});
