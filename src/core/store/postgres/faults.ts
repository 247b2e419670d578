// What the server's errors mean (appendix A of its manual): something to be put right by a person, something that passes,
// or a fault of ours.
import { ConnectorError } from '../../model/failure.ts';
import { StateFailure } from '../sql/state-failure.ts';
import { StateAway } from '../sql/away.ts';
import type { ServerPlace } from '../sql/place.ts';
import { ServerFault } from './link.ts';

const CONFIG: readonly (readonly [RegExp, (place: ServerPlace) => string])[] = [
  [/^28P01$/, ({ user }) => `the server refused the password of ${user}; renew it in state.password or its file`],
  [/^28/, ({ user }) => `the server does not let ${user} in; see pg_hba.conf there, and state.tls here`],
  [/^3D000$/, ({ database }) => `there is no database ${database}; create it, see docs/postgresql.md`],
  [
    /^(42501|3F000)$/,
    ({ user, schema }) => `${user} has not the rights it needs on schema ${schema}; docs/postgresql.md names them`,
  ],
];

/** Codes of the server, then of the system, that pass by themselves. */
const PASSING = /^(08|40|53|57|58|25006|55P03)|^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOENT|EAI_|ENOTFOUND|EACCES)/;
const UNTRUSTED =
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ERR_OSSL|HOSTNAME_MISMATCH|INVALID_CA)|fingerprint|SSL/;

/** The server's words for its files. Where the system names neither a full disk nor a lost one, the code says nothing or lies. */
const OF_ITS_DISK =
  /could not (extend|write|create|open|read|fsync|rename|access|stat|truncate)\b.* (file|segment|directory)\b/i;

const PASSING_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^53100$/, 'the disk of the server is full'],
  [/^53300$/, 'the server has no connection left'],
  [/^25006$/, 'the server takes no writes (read-only, or a standby)'],
  [/^57P0[123]/, 'the server is being restarted'],
];

/** What to do where the tables were there and are not any more. */
export const GONE = 'give the role its rights on the schema back; or put a backup back there and start again';

/** `worked`: the tables were there. */
export function serverFailure(error: unknown, place: ServerPlace, worked = false): unknown {
  if (!(error instanceof ServerFault)) return error;
  const { code = '', message } = error;
  const away = (words: string | undefined): StateAway =>
    new StateAway(
      `the server of the state ${place.name} is away: ${words === undefined ? message : `${words} (${message})`}`,
      { cause: error },
    );
  // A quota, a limit of the size of a file, a file system that turned read-only: the last passes for a missing right.
  if (/^(XX000|42501)$/.test(code) && OF_ITS_DISK.test(message)) return away('its disk takes no more');
  const config = CONFIG.find(([codes]) => codes.test(code));
  if (config !== undefined)
    return new ConnectorError('config', `state ${place.name}: ${config[1](place)} (${message})`, { cause: error });
  if (UNTRUSTED.test(code) || (code === '' && /certificate|SSL|TLS/i.test(message)))
    return new ConnectorError('config', `state ${place.name}: no trusted connection: ${message}; see state.tls`, {
      cause: error,
    });
  if (/^XX00[12]$/.test(code))
    return new StateFailure(`the state ${place.name} is damaged on the server (${message}); restore a backup there`, {
      cause: error,
    });
  // The list of what a comparison saw is its connection's own (delivery/comparison.ts).
  if (code === '42P01' && message.includes('"seen"'))
    return new ConnectorError('retryable', 'the comparison was cut short by a restart of the server; it begins anew', {
      cause: error,
    });
  // A schema that may not be looked into looks empty.
  if (worked && code === '42P01')
    return new StateAway(`the tables of the state ${place.name} cannot be seen (${message}); ${GONE}`, {
      cause: error,
    });
  if (!error.lost && !PASSING.test(code)) return error;
  return away(PASSING_WORDS.find(([codes]) => codes.test(code))?.[1]);
}
