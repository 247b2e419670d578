// Answers in TAXII's form, and the two that no client should ever hold in memory.
import { gzipSync } from 'node:zlib';
import type { SimResponse } from '../server.ts';

export const TAXII = 'application/taxii+json;version=2.1';

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SimResponse {
  return {
    status,
    headers: { 'content-type': TAXII, ...headers },
    body: Buffer.isBuffer(value) ? value : JSON.stringify(value),
  };
}

/** The error resource of TAXII 2.1 §3.6.1; http_status is a string there. */
export function refusal(
  status: number,
  title: string,
  description?: string,
  headers: Readonly<Record<string, string>> = {},
): SimResponse {
  const error = { title, ...(description === undefined ? {} : { description }), http_status: String(status) };
  return json(status, error, headers);
}

const GIB = 1 << 30;

/** A valid envelope of about `bytes`, with the same object over and over. */
export function hugeAnswer(bytes = GIB): SimResponse {
  return { status: 200, headers: { 'content-type': TAXII }, stream: hugeEnvelope(bytes) };
}

function* hugeEnvelope(bytes: number): Generator<Buffer> {
  const one = JSON.stringify({
    type: 'indicator',
    spec_version: '2.1',
    id: 'indicator--00000000-0000-4000-8000-000000000001',
    created: '2026-01-05T00:00:00.000Z',
    modified: '2026-01-05T00:00:00.000Z',
    pattern: "[ipv4-addr:value = '192.0.2.1']",
    pattern_type: 'stix',
    valid_from: '2026-01-05T00:00:00Z',
  });
  const block = Buffer.from(`${one},`.repeat(1000));
  yield Buffer.from('{"objects":[');
  for (let sent = 0; sent < bytes; sent += block.length) yield block;
  yield Buffer.from(`${one}]}`);
}

/** Gzip members may follow each other (RFC 1952), so one packed block of blanks is sent again and again. */
export function gzipBomb(bytes = GIB): SimResponse {
  return { status: 200, headers: { 'content-type': TAXII, 'content-encoding': 'gzip' }, stream: bombMembers(bytes) };
}

function* bombMembers(bytes: number): Generator<Buffer> {
  const blanks = 8 << 20;
  const block = gzipSync(Buffer.alloc(blanks, ' '));
  yield gzipSync('{"objects":[');
  for (let unpacked = 0; unpacked < bytes; unpacked += blanks) yield block;
  yield gzipSync(']}');
}

/** Whether one of the ranges of Accept is TAXII 2.1, or TAXII without a version (§3.1); case, blanks and quotes do not matter. */
export function acceptsTaxii(accept: string | undefined): 'with version' | 'without version' | 'no' {
  const kinds = (accept ?? '').split(',').map(taxiiVersion);
  if (kinds.includes('2.1')) return 'with version';
  return kinds.includes('none') ? 'without version' : 'no';
}

export function isTaxiiBody(contentType: string | undefined): boolean {
  return ['2.1', 'none'].includes(taxiiVersion(contentType ?? ''));
}

function taxiiVersion(mediaType: string): '2.1' | 'none' | 'other' {
  const [type, ...parameters] = mediaType.split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/taxii+json') return 'other';
  const version = parameters.find((one) => /^version\s*=/.test(one));
  if (version === undefined) return 'none';
  return version.replace(/^version\s*=\s*/, '').replaceAll('"', '') === '2.1' ? '2.1' : 'other';
}
