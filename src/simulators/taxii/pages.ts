// One page of objects, manifest or versions: limit, next, more and the date headers of TAXII 2.1 §3.2 to §3.5, bent
// by the quirks that are on.
import { sha256 } from '../../core/runtime/ids.ts';
import type { SimResponse } from '../server.ts';
import { json, refusal, TAXII } from './answers.ts';
import type { Collection, Place } from './collection.ts';
import type { Filter } from './query.ts';
import type { Quirk, QuirkKind, Quirks } from './quirks.ts';
import { formatStamp } from './stamp.ts';

export type PageKind = 'objects' | 'manifest' | 'versions';

export interface PagesOptions {
  readonly cap: number;
  readonly clock: () => number;
  readonly quirks: Quirks;
}

interface Token extends Place {
  readonly issued: number | undefined;
}

export class Pages {
  readonly #options: PagesOptions;
  /** The row that the quirk late-commit holds back, by collection. */
  readonly #late = new Map<Collection, { readonly row: number; shown: boolean }>();
  #nonce = 0;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  answer(kind: PageKind, collection: Collection, filter: Filter, target: string): SimResponse {
    const quirk = (name: QuirkKind): Quirk | undefined => this.#options.quirks.take(name, target);
    const strict = quirk('limit-refused');
    if (strict !== undefined && (filter.limit ?? this.#options.cap) > (strict.most ?? 20))
      return refusal(strict.status ?? 413, 'Payload Too Large');
    const expiry = quirk('next-expires');
    let place: Token | undefined;
    if (filter.next !== undefined) {
      if (quirk('next-needs-limit') !== undefined && filter.limit === undefined)
        return refusal(500, 'Internal error', 'KeyError: limit');
      place = readToken(filter.next, filter.print);
      if (place === undefined) return refusal(400, 'Unknown next', 'next is not ours, or the other parameters changed');
      const age = this.#options.clock() - (place.issued ?? Number.POSITIVE_INFINITY);
      if (expiry !== undefined && age > (expiry.secs ?? 30) * 1000)
        return refusal(400, 'Expired next', 'start again without next');
    }
    const most =
      quirk('ignore-limit') === undefined
        ? Math.min(filter.limit ?? this.#options.cap, this.#options.cap)
        : Number.POSITIVE_INFINITY;
    const inclusive = quirk('added-after-inclusive') !== undefined;
    const request = { ...(place === undefined ? {} : { place }), most, inclusive };
    const late = quirk('late-commit') !== undefined;
    if (!late) this.#late.delete(collection);
    const hidden = late ? this.#heldBack(collection, filter, request) : undefined;
    const { rows, more } = collection.page(filter, { ...request, hidden });

    const empty = rows.length === 0;
    if (empty && quirk('empty-404') !== undefined) return refusal(404, 'No objects found');
    if (empty && quirk('empty-200') !== undefined) return { status: 200, headers: { 'content-type': TAXII } };
    if (empty && quirk('empty-204') !== undefined) return { status: 204 };
    const endless = quirk('endless-more') !== undefined;
    const repeats = quirk('repeat-page') !== undefined;
    const changes = quirk('next-changes') !== undefined;
    const last = rows.at(-1);
    const end = last === undefined ? place : { date: collection.rows.date(last), row: last };
    const from = repeats ? (place ?? { date: 0, row: -1 }) : (end ?? { date: 0, row: -1 });
    const next =
      more || endless
        ? writeToken(from, filter.print, {
            issued: expiry === undefined ? undefined : this.#options.clock(),
            nonce: changes ? ++this.#nonce : 0,
          })
        : undefined;
    const moreShown = (more || endless) && quirk('next-without-more') === undefined;
    // Manifest and versions have no `next` in the standard (§5.3.1, §5.8.1): only the header leads on.
    const nextShown = kind === 'objects' && quirk('more-without-next') === undefined;
    const head = {
      ...(moreShown || empty ? { more: moreShown } : {}),
      ...(nextShown && next !== undefined ? { next } : {}),
    };
    return json(200, body(kind, collection, rows, head), this.#dateHeaders(collection, rows, quirk));
  }

  /** Added time is taken before the commit in many stores, so an object can appear behind a cursor. */
  #heldBack(collection: Collection, filter: Filter, request: { place?: Place; most: number }): number | undefined {
    let late = this.#late.get(collection);
    if (late === undefined) {
      const { rows } = collection.page(filter, request);
      const row = rows[Math.floor(rows.length / 2)];
      if (row === undefined) return undefined;
      late = { row, shown: false };
      this.#late.set(collection, late);
      return row;
    }
    if (late.shown) return undefined;
    const date = collection.rows.date(late.row);
    if ((request.place?.date ?? filter.addedAfter ?? 0) >= date) late.shown = true;
    return late.row;
  }

  #dateHeaders(
    collection: Collection,
    rows: readonly number[],
    quirk: (name: QuirkKind) => Quirk | undefined,
  ): Record<string, string> {
    if (quirk('no-date-headers') !== undefined) return {};
    // The headers are due on every 200, but their value is undefined for an empty page: here the time of the request.
    const now = this.#options.clock() * 1000;
    const [first = -1, last = -1] = [rows[0], rows.at(-1)];
    let write = formatStamp;
    if (quirk('date-header-undefined') !== undefined) write = () => 'undefined';
    if (quirk('date-header-js') !== undefined) write = (micros) => new Date(micros / 1000).toString();
    if (quirk('date-header-offset') !== undefined) write = (micros) => formatStamp(micros).replace('Z', '+00:00');
    return {
      'x-taxii-date-added-first': write(first < 0 ? now : collection.rows.date(first)),
      'x-taxii-date-added-last': write(last < 0 ? now : collection.rows.date(last)),
    };
  }
}

function body(
  kind: PageKind,
  { rows: store }: Collection,
  rows: readonly number[],
  head: { readonly more?: boolean; readonly next?: string },
): unknown {
  if (kind === 'objects') return store.envelope(rows, head);
  if (rows.length === 0) return head;
  if (kind === 'manifest') return { ...head, objects: rows.map((row) => store.manifestEntry(row)) };
  return { ...head, versions: rows.map((row) => store.versions[row]) };
}

/** A token names a place and the filter it was made for; it stays good while objects come and go. */
function writeToken(place: Place, print: string, extra: { issued: number | undefined; nonce: number }): string {
  const text = [place.date, place.row, extra.issued ?? '', extra.nonce].join('.');
  return Buffer.from(`${text}.${seal(text, print)}`).toString('base64url');
}

function readToken(next: string, print: string): Token | undefined {
  const text = Buffer.from(next, 'base64url').toString('latin1');
  const cut = text.lastIndexOf('.');
  if (cut < 0 || text.slice(cut + 1) !== seal(text.slice(0, cut), print)) return undefined;
  const [date, row, issued] = text.split('.');
  return { date: Number(date), row: Number(row), issued: issued === '' ? undefined : Number(issued) };
}

const seal = (text: string, print: string): string => sha256(`${text} ${print}`).slice(0, 12);
