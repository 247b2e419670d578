// Where the state is kept: a file of SQLite, or a schema on a PostgreSQL server. A password never stands in the URL,
// which is printed; and beyond this machine there is no connection without TLS.
import { resolve } from 'node:path';
import { z } from 'zod';
import { secret, TlsSettings } from '../contracts/settings.ts';
import type { Secret } from '../runtime/secret.ts';
import { isLoopbackHost } from './listen.ts';

/** A server that keeps the state. */
export interface StateServer {
  /** The URL, and the schema where it is not the usual one. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly schema: string;
  readonly password?: Secret;
  readonly tls?: z.output<typeof TlsSettings>;
}

const USUAL_SCHEMA = 'entente';

const sentence = (message: string) => ({ code: 'custom', message, params: { sentence: true } }) as const;

const serverUrl = () =>
  z.string().superRefine((text, context) => {
    const read = readUrl(text);
    if ('wrong' in read) context.addIssue(sentence(read.wrong));
  });

const Server = z.strictObject({
  url: serverUrl().describe('postgres://user@host:5432/database; a folder of a Unix socket as ?host=/run/postgresql.'),
  password: secret().optional().describe('Of the user; left out where the server asks for none.'),
  schema: z
    .string()
    .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,39}$/, 'at most 40 of a-z, 0-9 and underscore, not beginning with a digit or pg_')
    .default(USUAL_SCHEMA)
    .describe('Schema of its own for this state.'),
  tls: TlsSettings.optional(),
});

export const StateSettings = z.union([
  z
    .string()
    .min(1)
    .superRefine((text, context) => {
      if (!isUrl(text)) return;
      const read = readUrl(text);
      if ('wrong' in read) context.addIssue(sentence(read.wrong));
    }),
  Server,
]);

/** Undefined where a file keeps it. */
export function stateServer(given: z.output<typeof StateSettings>): StateServer | undefined {
  if (typeof given === 'string' && !isUrl(given)) return undefined;
  const { url, password, schema, tls } =
    typeof given === 'string' ? { url: given, password: undefined, schema: USUAL_SCHEMA, tls: undefined } : given;
  const read = readUrl(url);
  if ('wrong' in read) throw new Error(`the schema let a bad URL pass: ${read.wrong}`);
  const near = read.host.startsWith('/') || isLoopbackHost(read.host);
  return {
    ...read,
    name: schema === USUAL_SCHEMA ? url : `${url} (schema ${schema})`,
    schema,
    ...(password === undefined ? {} : { password }),
    // Over a socket there is no TLS at all.
    ...(tls !== undefined && !read.host.startsWith('/') ? { tls } : near ? {} : { tls: {} }),
  };
}

/** A place as a command is told of it. No server: it is a file. */
export function placeGiven(
  to: string,
  schema: string | undefined,
  passwordFile: string | undefined,
  caFile: string | undefined,
): { readonly server: StateServer | undefined } | { readonly wrong: string } {
  if (!isUrl(to)) return { server: undefined };
  const read = Server.safeParse({
    url: to,
    ...(schema === undefined ? {} : { schema }),
    ...(passwordFile === undefined ? {} : { password: { file: resolve(passwordFile) } }),
    ...(caFile === undefined ? {} : { tls: { ca_file: resolve(caFile) } }),
  });
  return read.success
    ? { server: stateServer(read.data) }
    : { wrong: read.error.issues[0]?.message ?? 'no such place' };
}

const isUrl = (text: string): boolean => /^\w+:\/\//.test(text);

function readUrl(text: string): Pick<StateServer, 'host' | 'port' | 'user' | 'database'> | { readonly wrong: string } {
  const form = 'write postgres://user@host:5432/database';
  if (!/^postgres(ql)?:\/\/[^\s\\]+$/.test(text))
    return { wrong: `not a place for the state; give a path, or ${form}` };
  const url = URL.parse(text);
  if (url === null) return { wrong: `not a URL; ${form}` };
  if (url.password !== '')
    return { wrong: 'no password in the URL, which is printed; write { url, password_file } or { url, password }' };
  const others = [...url.searchParams.keys()].filter((one) => one !== 'host');
  if (others.length > 0 || url.hash !== '')
    return {
      wrong: `${others[0] ?? url.hash} is not taken from the URL; TLS is set under tls, the schema under schema`,
    };
  const socket = url.searchParams.get('host');
  const host = socket ?? decodeURIComponent(url.hostname);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.username === '' || host === '' || database === '' || database.includes('/'))
    return { wrong: `user, host and database must be named; ${form}` };
  if (socket !== null && !socket.startsWith('/')) return { wrong: 'host names the folder of a Unix socket' };
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    database,
  };
}
