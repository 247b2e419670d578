// How the server is reached: from the place of a state, its files read anew each time, to what a connection is asked with.
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ConnectorError } from '../../model/failure.ts';
import type { ServerPlace } from '../sql/place.ts';
import type { ConnectRequest } from './messages.ts';

export function requestFor(place: ServerPlace, timeoutMs: number): ConnectRequest {
  const { host, port, user, database, password, tls } = place;
  return {
    host,
    port,
    user,
    database,
    password: password === undefined ? '' : 'text' in password ? password.text : secretOf(password.file),
    applicationName: 'entente',
    timeoutMs,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.ca === undefined ? {} : { ca: [...rootCertificates, fileOf(tls.ca, 'ca_file')] }),
            ...(tls.cert === undefined ? {} : { cert: fileOf(tls.cert, 'cert_file') }),
            ...(tls.key === undefined ? {} : { key: fileOf(tls.key, 'key_file') }),
            ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
            ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
            ...(tls.fingerprintSha256 === undefined ? {} : { fingerprintSha256: tls.fingerprintSha256 }),
          },
        }),
  };
}

function secretOf(file: string): string {
  return fileOf(file, 'password_file').replace(/\r?\n$/, '');
}

function fileOf(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConnectorError('config', `state: cannot read ${what} ${file}`, { cause: error });
  }
}
