// A client for the simulator's own tests: it speaks plain HTTP, so that no client of ours explains the answers away.

import type { StixObject } from '../stix-object.ts';
import { type RunningTaxii, startTaxii, type TaxiiOptions } from './index.ts';

export const TAXII = 'application/taxii+json;version=2.1';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly more?: boolean;
    readonly next?: string;
    readonly objects?: readonly (StixObject & { readonly date_added: string; readonly version: string })[];
    readonly versions?: readonly string[];
    readonly [name: string]: unknown;
  };
  readonly text: string;
}

export interface Exchange extends AsyncDisposable {
  readonly taxii: RunningTaxii;
  /** `path` under the API root, e.g. `objects/?limit=1` of the read collection, or absolute from `/`. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** To the collection that takes sightings, unless another path is named. */
  post(body: unknown, path?: string, headers?: Record<string, string>): Promise<Answer>;
  remove(path: string): Promise<Answer>;
}

export async function anExchange(options: TaxiiOptions = {}): Promise<Exchange> {
  const taxii = await startTaxii({ clock: () => Date.parse('2026-01-05T12:00:00Z'), ...options });
  const { read, write } = taxii.collections;
  const credentials = `Basic ${Buffer.from(`${taxii.username}:${taxii.password}`).toString('base64')}`;
  const call = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Answer> => {
    const url = path.startsWith('/') ? `${taxii.url}${path}` : `${taxii.apiRoot}collections/${read}/${path}`;
    const answer = await fetch(url, {
      method,
      headers: { accept: TAXII, authorization: credentials, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '') && text !== '';
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : {}, text };
  };
  return {
    taxii,
    get: (path, headers = {}) => call('GET', path, headers),
    post: (body, path = `/api1/collections/${write}/objects/`, headers = {}) =>
      call('POST', path, { 'content-type': TAXII, ...headers }, typeof body === 'string' ? body : JSON.stringify(body)),
    remove: (path) => call('DELETE', path, {}),
    [Symbol.asyncDispose]: () => taxii.close(),
  };
}

export const uuidAt = (place: number): string => `00000000-0000-4000-8000-${String(place).padStart(12, '0')}`;

export function anIndicator(place: number, more: Record<string, StixObject[string]> = {}): StixObject {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${uuidAt(place)}`,
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    pattern: `[ipv4-addr:value = '192.0.2.${place}']`,
    pattern_type: 'stix',
    valid_from: '2026-01-01T00:00:00Z',
    ...more,
  };
}

export const indicators = (count: number): StixObject[] =>
  Array.from({ length: count }, (_, place) => anIndicator(place + 1));

export function aSighting(place: number, of: number, more: Record<string, StixObject[string]> = {}): StixObject {
  return {
    type: 'sighting',
    spec_version: '2.1',
    id: `sighting--${uuidAt(place)}`,
    created: '2026-01-05T00:00:00.000Z',
    modified: '2026-01-05T00:00:00.000Z',
    sighting_of_ref: `indicator--${uuidAt(of)}`,
    count: 1,
    ...more,
  };
}

/** The last digits of the ids, in order: short enough to read in an assertion. */
export const numbers = (answer: Answer): number[] => (answer.body.objects ?? []).map(({ id }) => Number(id.slice(-12)));
