// Ways in which MISP servers behave that a client must know, each under a name, beside those that are always there
// (unpublished events and attributes without to_ids in every answer, X-Result-Count of L+1 and of 1, 200 with a message). They come on
// top of the HTTP faults of server.ts, which know nothing of MISP.

import { QuirkBox, type SomeQuirk } from '../quirk-box.ts';

export const QUIRKS = {
  guard: 'answers 403 Forbidden in plain text to all that misp-guard does not let through',
  unsorted: 'pages without `order` shift by one row from page to page, so that rows are skipped and repeated',
  'order-ignored': 'does not know `order` (servers before mid-2024) and pages as if unsorted',
  'no-result-count': 'leaves X-Result-Count out, as an old server or a proxy does',
  'skip-rows': 'an allow-list removes `rows` (1) of each page without touching the counters',
  'too-large': 'answers 500 to a restSearch or view that would hold more than `rows` (1000) attributes',
  'span-too-large': 'answers 500 to a list of events over more than `secs` (30 days) of publication',
  slow: 'waits `ms` (1000) per 1000 attributes of a restSearch answer',
  'truncated-without-limit': 'a restSearch without limit ends after `rows` (1000) attributes, with status 200',
  'rate-limit': 'answers 429 to the restSearch endpoints after `most` (5) within 900 s',
  numbers: 'writes numbers as numbers, as feeds and newer versions do',
  flags: 'writes booleans as "1" and "0"',
  'key-expired': 'answers 403: Auth key is expired',
  'ip-not-allowed': 'answers 403: not from your IP address',
  'no-search': 'answers 405 to restSearch: API searches are not allowed for this user role',
  'no-named': 'knows no named parameters in a path (404), as servers that follow MISP without being it',
  'no-bulk': 'does not know sightings/bulkSaveSightings (404)',
  'drops-sightings': 'bulkSaveSightings answers as if saved and keeps nothing',
  'login-page': 'answers a login page in HTML with 200',
  huge: 'answers a restSearch or view of `bytes` (1 GiB) that is made while it is sent',
  'clock-off': 'has a clock that is `secs` (600) ahead, for its Date header and publish_timestamp',
  'moves-while-read': 'republishes the event that is read, `times` times, after each page of its attributes',
  'unknown-tags': 'does not show event tags on attributes though includeEventTags is set',
  'no-metadata': 'events/restSearch gives whole events though metadata is set',
} as const;

export type QuirkKind = keyof typeof QUIRKS;

export interface Quirk extends SomeQuirk {
  readonly kind: QuirkKind;
  readonly rows?: number;
  readonly most?: number;
  readonly ms?: number;
  readonly secs?: number;
  readonly bytes?: number;
}

export const quirkBox = (quirks: readonly Quirk[]): Quirks => new QuirkBox<Quirk>(QUIRKS, quirks);
export type Quirks = QuirkBox<Quirk>;
