// What differs between what is wanted and what the ledger says stands there: each row with why, and what happens when.
import { OBSERVABLE_TYPES } from '../core/model/observable.ts';
import type { SiemReport } from '../core/model/status.ts';
import type { DifferenceCounts, DifferencePage } from '../core/store/read/difference.ts';
import { type Bucket, BUCKETS, type DifferenceRow } from '../core/store/read/difference-rows.ts';
import { actionForm } from './acting.ts';
import { html, type Insert, type Markup } from './html.ts';
import { type Acting, messagePage, type Page, type PageRequest } from './page.ts';
import {
  age,
  defanged,
  foreign,
  many,
  number,
  peerName,
  pill,
  siemHref,
  table,
  time,
  type Tone,
  shownValue,
  whyLink,
} from './words.ts';

export async function differencePage({ path, params, query, pages, status, acting, now }: PageRequest): Promise<Page> {
  const siem = params['name'];
  const one = status.siems.find((found) => found.name === siem);
  if (siem !== undefined && one === undefined)
    return messagePage('No such SIEM', html`None is configured under this name. <a href="/">Board</a>`, 'none', 404);
  const asked = {
    siem,
    bucket: BUCKETS.find((bucket) => bucket === query.get('bucket')),
    exchange: query.get('exchange') || undefined,
    type: OBSERVABLE_TYPES.find((type) => type === query.get('type')),
    after: /^\d{1,15}-\d{1,2}-\d{1,15}(-\d{1,16})?$/.exec(query.get('after') ?? '')?.[0],
  };
  const found = await pages.difference(asked);
  const shown = siem === undefined ? status.siems : [one!];
  return {
    title: siem === undefined ? 'Difference' : `${siem}: difference`,
    screen: 'difference',
    parts: [
      {
        name: 'columns',
        body: html`<h2>Difference${siem !== undefined && html`: <bdi>${siem}</bdi>`}</h2>${columns(shown, found.counts, now)}`,
      },
      {
        name: 'filters',
        body: filters(
          path,
          asked,
          status.exchanges.map(({ name }) => name),
        ),
      },
      { name: 'rows', body: rows(path, query, found, siem === undefined, acting, now) },
    ],
  };
}

const TONES: Readonly<Record<Bucket, Tone>> = {
  add: 'late',
  change: 'late',
  remove: 'late',
  hold: 'late',
  park: 'bad',
  foreign: 'none',
};

/** Three columns: wanted, what the ledger says, and what the last audit really found, then the buckets between them. */
function columns(siems: readonly SiemReport[], counts: readonly DifferenceCounts[], now: number): Markup {
  const body = siems.map((one): Insert[] => {
    const buckets = counts.find((found) => found.siem === one.name)?.buckets;
    return [
      peerName(one.name, siemHref(one.name)),
      number(one.wanted),
      number(one.delivered),
      one.drift === 0
        ? 'as the ledger says'
        : html`${pill('late', `drifted ${number(one.drift)}`)}<span class="t"><a href="/difference/chosen?do=repair&siem=${encodeURIComponent(one.name)}">repair</a></span>`,
      ...BUCKETS.map((bucket) => {
        const found = buckets?.[bucket];
        if (found === undefined || found.n === 0) return '0';
        return html`<a href="/siem/${encodeURIComponent(one.name)}/difference?bucket=${bucket}">${number(found.n)}${found.more && '+'}</a>`;
      }),
      one.last_success === null ? 'never' : html`${age(one.last_success, now)} ago`,
    ];
  });
  const heads = [
    { head: 'SIEM' },
    { head: 'Wanted', numeric: true },
    { head: 'Ledger', numeric: true },
    { head: 'Last audit' },
    ...BUCKETS.map((bucket) => ({ head: bucket, numeric: true })),
    { head: 'Reached' },
  ];
  return html`${table(html`<span class="unseen">Wanted, in the ledger, and really there</span>`, heads, body)}
<p class="soft">Foreign: found there under our mark and vouched for by nobody. Drifted: otherwise than the ledger said, when all that stands there was last compared; <code>entente reconcile</code> compares it now.</p>`;
}

type Asked = {
  readonly bucket?: string | undefined;
  readonly exchange?: string | undefined;
  readonly type?: string | undefined;
};

function filters(path: string, asked: Asked, exchanges: readonly string[]): Markup {
  const choice = (name: string, label: string, of: readonly string[], chosen: string | undefined) =>
    html`<label>${label} <select name="${name}"><option value="">all</option>${of.map(
      (one) => html`<option value="${one}"${one === chosen && html` selected`}>${one}</option>`,
    )}</select></label>`;
  return html`<h2 class="unseen">Filter</h2><form class="filters" action="${path}">${choice('bucket', 'What', BUCKETS, asked.bucket)}${choice('exchange', 'Exchange', exchanges, asked.exchange)}${choice('type', 'Type', OBSERVABLE_TYPES, asked.type)}<button>Filter</button></form>`;
}

function rows(
  path: string,
  query: URLSearchParams,
  { rows: all, next }: DifferencePage,
  everywhere: boolean,
  acting: Acting,
  now: number,
): Markup {
  const link = (after: string | undefined) => {
    const further = new URLSearchParams(
      [...query].filter(([name, value]) => ['bucket', 'exchange', 'type'].includes(name) && value !== ''),
    );
    if (after !== undefined) further.set('after', after);
    return further.size === 0 ? path : `${path}?${further.toString()}`;
  };
  const paging = html`<p>${query.has('after') && html`<a href="${link(undefined)}">From the start</a> `}${next !== undefined && html`<a href="${link(next)}" rel="next">Next</a>`}</p>`;
  if (all.length === 0)
    return html`<h2>Rows</h2><p>${next === undefined ? 'No row differs: what is wanted is what the ledger says stands there.' : 'None of the rows that were looked at fits; there are more.'}</p>${paging}`;
  const body = all.map((one): Insert[] => [
    html`<span class="pick"><input type="checkbox" name="row" value="${one.row}" form="chosen" aria-label="${`Choose ${defanged(one.type, one.value).slice(0, 200)}`}">${shownValue(one.type, one.value)}</span><span class="t">${one.type}${everywhere && html` · <bdi>${one.siem}</bdi>`} · ${whyLink(one.value)}</span>`,
    pill(TONES[one.bucket], one.bucket),
    html`${one.wanted ? 'yes' : 'no'}${one.wanted && one.until !== null && html`<span class="t">until ${time(one.until)}</span>`}`,
    one.present,
    html`${one.exchanges.length > 0 && html`<bdi>${one.exchanges.join(', ')}</bdi>: `}${foreign(one.why)}`,
    html`${whatNext(one, now)}${one.bucket === 'park' && one.id !== null && retry(one.id, acting)}`,
  ]);
  const heads = [
    ...['Value', 'What', 'Wanted', 'There'].map((head) => ({ head })),
    ...['Why', 'What happens when'].map((head) => ({ head, wordy: true })),
  ];
  return html`<h2>Rows</h2>${table(many(all.length, 'row') + (next === undefined ? '' : ', and more on the next page'), heads, body)}${choice(all)}${paging}`;
}

/** What is done with rows is counted and shown before it is done (chosen.ts). */
const choice = (all: readonly DifferenceRow[]): Markup =>
  html`<form id="chosen" action="/difference/chosen" class="filters choice"><label><input type="checkbox" name="row" value="${all.map(({ row }) => row).join(',')}" form="chosen"> All ${number(all.length)} that are shown</label><span>With the chosen:</span><span class="buttons">${CHOICES.map(([name, words]) => html`<button name="do" value="${name}">${words}…</button>`)}</span></form>`;
const CHOICES = [
  ['suppress', 'Suppress'],
  ['retry', 'Try again'],
  ['repair', 'Repair'],
] as const;

function whatNext(one: DifferenceRow, now: number): Insert {
  switch (one.bucket) {
    case 'hold':
      return html`a person decides: <a href="/held/${one.hold}">hold ${one.hold}</a>`;
    case 'park':
      return one.id === null
        ? 'it comes by itself once there is room, or once it is surer or newer'
        : 'tried again when the partner changes it, or when somebody asks for it';
    case 'foreign':
      return 'it goes when every exchange was read to its end and none vouches for it';
    default:
      if (one.flying) return 'it is being written';
      if (one.next === null || Date.parse(one.next) <= now)
        return html`at the next cycle; waits for ${age(one.since, now)}`;
      return html`next try ${time(one.next)}, after ${many(one.attempts, 'attempt')}`;
  }
}

const retry = (id: string, acting: Acting): Markup =>
  html`<details class="more"><summary>Try it again</summary>${actionForm(acting, {
    to: '/difference',
    hidden: { id },
    asksReason: false,
    buttons: [{ name: 'do', value: 'retry', words: 'Try it again' }],
    command: `entente parked retry ${id}`,
  })}</details>`;
