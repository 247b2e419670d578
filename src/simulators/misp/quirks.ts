// Ways in which MISP servers behave that a client must know, each under a name, beside those that are always there
// (unpublished events and attributes without to_ids in every answer, X-Result-Count of L+1 and of 1, 200 with a message). They come on
// top of the HTTP faults of server.ts, which know nothing of MISP.

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

export interface Quirk {
  readonly kind: QuirkKind;
  /** Only for requests whose "METHOD path" contains this text. */
  readonly match?: string;
  /** Begins after so many requests that it would have changed. */
  readonly after?: number;
  /** Ends after so many; for ever otherwise. */
  readonly times?: number;
  readonly rows?: number;
  readonly most?: number;
  readonly ms?: number;
  readonly secs?: number;
  readonly bytes?: number;
}

/** The quirks of one server with their counts. */
export class QuirkBox {
  #all: { quirk: Quirk; seen: number }[] = [];

  constructor(quirks: readonly Quirk[] = []) {
    this.set(quirks);
  }

  /** Replaces all quirks. Throws at an unknown name, so that a misspelt one does not pass for good behaviour. */
  set(quirks: readonly Quirk[]): void {
    for (const { kind } of quirks)
      if (!Object.hasOwn(QUIRKS, kind))
        throw new Error(`unknown quirk ${String(kind)}; known: ${Object.keys(QUIRKS).join(', ')}`);
    this.#all = quirks.map((quirk) => ({ quirk, seen: 0 }));
  }

  /** The quirk of this kind if it holds for the request now; asking counts, so ask once per request. */
  take(kind: QuirkKind, target: string): Quirk | undefined {
    for (const one of this.#all) {
      const { quirk } = one;
      if (quirk.kind !== kind || (quirk.match !== undefined && !target.includes(quirk.match))) continue;
      one.seen += 1;
      const place = one.seen - (quirk.after ?? 0);
      if (place > 0 && place <= (quirk.times ?? Number.POSITIVE_INFINITY)) return quirk;
    }
    return undefined;
  }
}
