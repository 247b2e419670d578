// What happened, newest first: polls, deliveries, holds, decisions, outages, one row for what goes on.
import type { AuditState, HistoryEntry, HistoryKind } from '../core/store/read/history.ts';
import { HISTORY_KINDS } from '../core/store/read/history.ts';
import { comparison, momentsOf } from './compare.ts';
import { html, type Insert, type Markup } from './html.ts';
import type { Page, PageRequest } from './page.ts';
import {
  age,
  exchangeHref,
  foreign,
  length,
  many,
  number,
  peerName,
  pill,
  siemHref,
  table,
  time,
  type Tone,
} from './words.ts';

const PAGE = 50;

export async function historyPage({ query, pages, now }: PageRequest): Promise<Page> {
  const kind = HISTORY_KINDS.find((one) => one === query.get('kind'));
  const before = /^\d{1,15}$/.exec(query.get('before') ?? '')?.[0];
  const found = await pages.history({ kinds: kind === undefined ? undefined : [kind], before, limit: PAGE + 1 });
  const rows = found.slice(0, PAGE);
  const state = await pages.audit();
  const asked = momentsOf(query, now);
  const compared = typeof asked === 'object' ? await pages.compare(asked.from, asked.to) : undefined;
  return {
    title: 'History',
    screen: 'history',
    // What was goes through no change, and looked at again it would be gone through again.
    ...(compared === undefined ? {} : { still: true }),
    parts: [
      { name: 'record', body: recordState(state, now) },
      { name: 'compare', body: comparison(query, asked, compared) },
      { name: 'filters', body: filters(kind) },
      { name: 'rows', body: list(rows, kind, before, found.length > PAGE, now) },
    ],
  };
}

/** Of its end, as the daemon looks at it by itself; the whole of it is for the command. */
function recordState({ size, checkpoint, verified }: AuditState, now: number): Markup {
  const looked =
    verified === null
      ? pill('none', 'not looked at yet')
      : verified.sound
        ? pill('ok', 'as it was written')
        : pill('bad', 'not what was written');
  return html`<h2>The record</h2><div class="card"><p>${looked}${
    verified !== null &&
    html` at the last look, ${age(verified.at, now)} ago${verified.says !== null && html`: ${foreign(verified.says)}`}`
  }. ${many(size, 'record')}; ${
    checkpoint === null
      ? 'never signed yet'
      : html`signed up to ${number(checkpoint.size)}, ${age(checkpoint.at, now)} ago`
  }.</p><p class="soft">Each look takes what came since the one before; <code>entente audit verify</code> goes through all of it, and asks the SIEMs.</p></div>`;
}

const TONES: Readonly<Record<HistoryKind, Tone>> = {
  poll: 'ok',
  delivery: 'ok',
  hold: 'late',
  decision: 'ok',
  configuration: 'none',
  sighting: 'ok',
  outage: 'bad',
  record: 'none',
};

function filters(chosen: HistoryKind | undefined): Markup {
  const options = HISTORY_KINDS.map(
    (one) => html`<option value="${one}"${one === chosen && html` selected`}>${one}</option>`,
  );
  return html`<h2>History</h2><form class="filters" action="/history"><label>What <select name="kind"><option value="">all</option>${options}</select></label><button>Filter</button></form>`;
}

function list(
  rows: readonly HistoryEntry[],
  kind: HistoryKind | undefined,
  before: string | undefined,
  more: boolean,
  now: number,
): Markup {
  const link = (id?: number) =>
    `/history?${new URLSearchParams({ ...(kind === undefined ? {} : { kind }), ...(id === undefined ? {} : { before: String(id) }) }).toString()}`;
  if (rows.length === 0)
    return html`<h2 class="unseen">Rows</h2><p>${before === undefined ? 'Nothing of this kind happened yet.' : 'There is nothing before that.'}</p>`;
  return html`<h2 class="unseen">Rows</h2>${historyTable(rows, now)}<p>${before !== undefined && html`<a href="${link()}">From the newest</a> `}${
    more && html`<a href="${link(rows.at(-1)!.id)}" rel="next">Earlier</a>`
  }</p>`;
}

export function historyTable(rows: readonly HistoryEntry[], now: number): Markup {
  const body = rows.map((one): Insert[] => [
    html`${time(one.at)}<span class="t">${age(one.at, now)} ago · <a href="/history?from=${one.at}">since then</a></span>`,
    pill(one.kind === 'outage' && one.until !== null ? 'late' : TONES[one.kind], one.kind),
    subject(one),
    lasted(one),
    counts(one),
    details(one),
  ]);
  return table(
    html`<span class="unseen">What happened, newest first</span>`,
    ['When', 'What', 'Who', 'For', 'Counts', 'More'].map((head) => ({ head, wordy: head === 'Counts' })),
    body,
  );
}

function subject({ role, subject: name }: HistoryEntry): Markup {
  if (role === 'exchange') return peerName(name, exchangeHref(name));
  if (role === 'siem') return peerName(name, siemHref(name));
  return peerName(name);
}

function lasted({ kind, at, until }: HistoryEntry): Insert {
  if (until === null) return kind === 'outage' ? html`<span class="name">goes on</span>` : '';
  const ms = Date.parse(until) - Date.parse(at);
  return ms < 1000 ? '' : length(ms);
}

const counts = ({ counts: all }: HistoryEntry): Markup =>
  html`${Object.entries(all)
    .filter(([, n]) => n > 0)
    .map(([name, n], i) => html`${i > 0 && ' · '}${number(n)} ${counted(name, n)}`)}`;

/** As the record names what was done, in the words of a person. */
const DONE: Readonly<Record<string, string>> = {
  arm: 'armed',
  change: 'changed',
  disarm: 'disarmed',
  hold: 'held',
  unhold: 'let go',
};
const counted = (name: string, n: number): string => DONE[name] ?? (n === 1 ? name.replace(/(?<!s)s$/, '') : name);

const details = ({ detail }: HistoryEntry): Markup =>
  html`${Object.entries(detail)
    .filter(([, one]) => one !== null && one !== '')
    .map(
      ([name, one], i) =>
        html`${i > 0 && '; '}${name === 'reason' ? '' : `${name.replaceAll('_', ' ')} `}${foreign(typeof one === 'string' ? one : JSON.stringify(one))}`,
    )}`;
