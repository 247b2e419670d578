// Ways in which real TAXII servers depart from the standard or fail, each under a name. They come on top of the
// HTTP faults of server.ts, which know nothing of TAXII.

import { QuirkBox, type SomeQuirk } from '../quirk-box.ts';

export const QUIRKS = {
  'ignore-limit': 'answers everything there is, whatever limit says',
  'repeat-page': '`next` leads to the page that was just read',
  'more-without-next': 'says more: true and gives no next',
  'next-without-more': 'gives next and leaves more out',
  'next-expires': 'refuses a next older than `secs` with 400',
  'next-changes': 'gives another next for the same page at each request',
  'next-needs-limit': 'answers 500 to next without limit',
  'endless-more': 'says more: true after the last object, with an empty page behind it',
  'late-commit': 'keeps one object of the first page back until a later page was read: it appears behind the cursor',
  'one-date-added': 'gives all objects that arrive the same date_added',
  'added-after-inclusive': 'added_after also answers the objects of that very time',
  'no-date-headers': 'leaves the X-TAXII-Date-Added headers out',
  'date-header-undefined': "sends the headers with the value 'undefined'",
  'date-header-js': 'sends the text of a JavaScript Date in the headers',
  'date-header-offset': 'writes +00:00 instead of Z in the headers',
  'empty-404': 'answers 404 where nothing matches',
  html: 'answers a login page with 200',
  'content-type-json': 'answers as application/json',
  'content-type-no-version': 'leaves the version out of Content-Type',
  'content-type-charset': 'adds a charset to Content-Type',
  'too-many-requests': 'answers 429, with Retry-After if `secs` is given',
  unavailable: 'answers 503, with Retry-After if `secs` is given',
  unauthorized: 'answers 401 (with `after`: from then on)',
  'accept-needs-version': 'answers 406 to an Accept without version',
  'accept-refuses-version': 'answers 406 to an Accept with version',
  'relative-roots': 'lists all API roots without scheme and host',
  huge: 'answers an envelope of `bytes` (1 GiB) that is made while it is sent',
  'gzip-bomb': 'answers a small gzip body that unpacks to `bytes` (1 GiB)',
  'status-missing': 'has forgotten every status resource',
  'status-instead': 'takes a POST and answers `status` (200) in place of 202, with the status resource',
  'no-status': 'takes a POST and answers `status` (202) without a body',
  'empty-status': 'takes a POST and answers `status` (201) with {}',
  'status-lags': 'says pending in the answer to a POST though its objects stand in the collection',
  'drops-posts': 'says complete with success_count 0 and has kept nothing',
  'match-ignored': 'does not know the match fields and answers as if they were not there',
  'limit-refused': 'answers `status` (413) to a limit above `most` (20)',
  'empty-200': 'answers 200 without a body where nothing matches',
  'empty-204': 'answers 204 where nothing matches',
  'partial-failure': 'refuses every second object of a POST in its status',
  'clock-off': 'sends a Date header `secs` (600) ahead',
} as const;

export type QuirkKind = keyof typeof QUIRKS;

export interface Quirk extends SomeQuirk {
  readonly kind: QuirkKind;
  readonly secs?: number;
  readonly bytes?: number;
  readonly status?: number;
  readonly most?: number;
}

export const quirkBox = (quirks: readonly Quirk[]): Quirks => new QuirkBox<Quirk>(QUIRKS, quirks);
export type Quirks = QuirkBox<Quirk>;
