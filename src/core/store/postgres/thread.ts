// The thread of the connections: `pg` lives here and waits for the server, while who asked sleeps (link.ts). It does what
// it is told in the order in which it is told, and decides nothing.
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { workerData } from 'node:worker_threads';
import pg from 'pg';
import {
  ANSWERS,
  type ConnectRequest,
  type Fault,
  LOSSES,
  NEWS,
  type Reply,
  type Request,
  type Result,
  type Start,
} from './messages.ts';
import { Pipeline, type Wire } from './pipeline.ts';

// Given by link.ts.
const { port, shared } = workerData as Start;
const signal = new Int32Array(shared);

interface Open {
  readonly client: pg.Client;
  readonly prepared: Set<string>;
  lost: string | undefined;
  /** What was asked before is over. */
  turn: Promise<unknown>;
}
const connections = new Map<number, Open>();

port.on('message', (request: Request) => {
  void answered(request).then((reply) => {
    port.postMessage(reply);
    Atomics.add(signal, ANSWERS, 1);
    Atomics.notify(signal, ANSWERS);
  });
});

async function answered(request: Request): Promise<Reply> {
  const { id, connection } = request;
  const open = connections.get(connection);
  try {
    if (request.kind === 'drop') {
      drop(connection);
      return { id, results: [] };
    }
    if (request.kind === 'connect') {
      drop(connection);
      connections.set(connection, await connected(request.to));
      return { id, results: [] };
    }
    if (open === undefined) return { id, fault: { message: 'not connected', lost: true } };
    const mine = open.turn.then(() => done(request, open));
    open.turn = mine.catch(() => {});
    return { id, results: await mine };
  } catch (error) {
    return { id, fault: faultOf(error, open) };
  }
}

/** One after the other: pg has given up keeping a queue of its own. */
async function done(request: Extract<Request, { kind: 'ask' | 'script' }>, open: Open): Promise<Result[]> {
  if (open.lost !== undefined) throw new Error(open.lost);
  if (request.kind === 'script') {
    await open.client.query(request.text);
    return [];
  }
  return new Promise((resolve, reject) => {
    open.client.query(new Pipeline(request.steps, open.prepared, resolve, reject) as unknown as pg.Submittable);
  });
}

async function connected(to: ConnectRequest): Promise<Open> {
  const client = new pg.Client({
    host: to.host,
    port: to.port,
    user: to.user,
    database: to.database,
    password: to.password,
    application_name: to.applicationName,
    connectionTimeoutMillis: to.timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ssl: to.tls === undefined ? false : tlsOptions(to, to.tls),
  });
  const open: Open = { client, prepared: new Set(), lost: undefined, turn: Promise.resolve() };
  const lose = (why: string): void => {
    if (open.lost !== undefined) return;
    open.lost = why;
    Atomics.add(signal, LOSSES, 1);
  };
  client.on('error', (error) => lose(error.message));
  client.on('end', () => lose('the server closed the connection'));
  client.on('notification', () => void Atomics.add(signal, NEWS, 1));
  await client.connect();
  return open;
}

function tlsOptions(
  to: ConnectRequest,
  { serverName, fingerprintSha256, ca, ...rest }: NonNullable<ConnectRequest['tls']>,
) {
  const pinned = fingerprintSha256?.replaceAll(':', '').toLowerCase();
  return {
    ...rest,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    minVersion: 'TLSv1.2' as const,
    rejectUnauthorized: true,
    // A pinned certificate replaces the check of the name, never the check of the chain. The name is given here, because
    // pg names a host for TLS only where it is no address.
    checkServerIdentity: (_host: string, certificate: PeerCertificate): Error | undefined => {
      if (pinned === undefined) return checkServerIdentity(serverName ?? to.host, certificate);
      return certificate.fingerprint256.replaceAll(':', '').toLowerCase() === pinned
        ? undefined
        : new Error(`the certificate of ${to.host} has another fingerprint than tls.fingerprint_sha256`);
    },
  };
}

function drop(connection: number): void {
  const open = connections.get(connection);
  connections.delete(connection);
  if (open === undefined) return;
  open.lost ??= 'closed';
  // Not waited for: the server rolls back what is open as soon as the socket is gone.
  open.client.end().catch(() => {});
  (open.client as unknown as { connection: Wire }).connection.stream.destroy();
}

function faultOf(error: unknown, open: Open | undefined): Fault {
  const found = error as { message?: unknown; code?: unknown; severity?: unknown; step?: unknown; errors?: unknown };
  // Several addresses that all failed: each with its own words.
  const words = Array.isArray(found.errors)
    ? found.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ')
    : '';
  const code = typeof found.code === 'string' ? found.code : undefined;
  const message = typeof found.message === 'string' && found.message !== '' ? found.message : words || 'no reason';
  const fatal = found.severity === 'FATAL' || found.severity === 'PANIC';
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(typeof found.step === 'number' ? { step: found.step } : {}),
    // pg's own words for a connection that is over; a fault of ours has none of these.
    lost:
      open === undefined ||
      open.lost !== undefined ||
      fatal ||
      /connection (terminated|error)|not queryable/i.test(message),
  };
}
