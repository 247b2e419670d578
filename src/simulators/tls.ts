// Certificates made at run time for simulators and tests: a throw-away authority, a server certificate for loopback
// and a client certificate. node:crypto makes keys and signatures but no certificates, so the DER around them
// (RFC 5280) is written here; the libraries for it bring twenty packages.
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { systemClock } from '../core/runtime/clock.ts';
import { randomHex } from '../core/runtime/ids.ts';

export interface KeyAndCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface SelfSigned extends KeyAndCertificate {
  /** The authority that signed both certificates: what a client has to trust. */
  readonly ca: string;
  readonly client: KeyAndCertificate;
}

const DAY_MS = 86_400_000;

/** Valid from yesterday for 30 days, for `localhost` and 127.0.0.1. All values are PEM. */
export function selfSigned(options: { clientName?: string; now?: number } = {}): SelfSigned {
  const now = options.now ?? systemClock.now();
  const authority = newKey();
  const caName = 'Entente simulator authority';
  const issue = (name: string, subject: KeyObject, extensions: readonly Buffer[]): string =>
    certificate({ name, subject, issuer: caName, signer: authority, now, extensions });

  const server = newKey();
  const client = newKey();
  const caId = keyId(authority);
  const leaf = (usage: string, key: KeyObject): Buffer[] => [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.37', sequence(oid(usage))),
    extension('2.5.29.14', tagged(0x04, keyId(key))),
    extension('2.5.29.35', sequence(tagged(0x80, caId))),
  ];
  const ca = issue(caName, authority, [
    extension('2.5.29.19', sequence(tagged(0x01, Buffer.from([0xff]))), true),
    // keyCertSign and cRLSign
    extension('2.5.29.15', tagged(0x03, Buffer.from([0x01, 0x06])), true),
    extension('2.5.29.14', tagged(0x04, caId)),
  ]);
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.from([127, 0, 0, 1])));
  return {
    ca,
    cert: issue('localhost', server, [...leaf('1.3.6.1.5.5.7.3.1', server), extension('2.5.29.17', names)]),
    key: keyPem(server),
    client: {
      cert: issue(options.clientName ?? 'entente', client, leaf('1.3.6.1.5.5.7.3.2', client)),
      key: keyPem(client),
    },
  };
}

interface Request {
  readonly name: string;
  readonly subject: KeyObject;
  readonly issuer: string;
  readonly signer: KeyObject;
  readonly now: number;
  readonly extensions: readonly Buffer[];
}

function certificate(request: Request): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
  const serial = Buffer.from(randomHex(16), 'hex');
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive, and no leading zero
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, serial),
    algorithm,
    commonName(request.issuer),
    sequence(utcTime(request.now - DAY_MS), utcTime(request.now + 30 * DAY_MS)),
    commonName(request.name),
    createPublicKey(request.subject).export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(...request.extensions)),
  );
  const signature = sign('sha256', content, request.signer);
  return pem(sequence(content, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature]))));
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
const keyPem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();
const keyId = (key: KeyObject): Buffer =>
  hash('sha1', createPublicKey(key).export({ format: 'der', type: 'spki' }), 'buffer');

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const size = body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

const commonName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));

/** UTCTime holds two digits of the year, good until 2049. */
const utcTime = (ms: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [tagged(0x01, Buffer.from([0xff]))] : []), tagged(0x04, value));
