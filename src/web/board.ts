// The board: whether the watchlists equal the exchange, since when, and what to do if not.
import type { ExchangeReport, SiemReport, StatusReport } from '../core/model/status.ts';
import type { Sample } from '../core/store/read/pages.ts';
import { needsAttention } from './attention.ts';
import { dayBars, dayLine } from './bars.ts';
import { flowPicture, syncState, syncWords } from './flow.ts';
import { html, type Insert, type Markup } from './html.ts';
import { type Page, type Part, statePill } from './page.ts';
import type { Waiting } from './source.ts';
import {
  age,
  clock,
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

export interface BoardFacts {
  readonly status: StatusReport;
  readonly waiting: Waiting;
  readonly samples: readonly Sample[];
  readonly now: number;
}

export function board(facts: BoardFacts): Page {
  const { status, waiting, now } = facts;
  const { exchanges: sources, siems: targets } = status;
  const parts: readonly Part[] = [
    { name: 'verdict', body: verdict(facts) },
    { name: 'attention', body: needsAttention(status, waiting, now) },
    ...(sources.length * targets.length === 0 ? [{ name: 'empty', body: beginning(status) }] : []),
    ...(sources.length + targets.length === 0 ? [] : [{ name: 'flow', body: flowPicture(status, wanted(status)) }]),
    { name: 'find', body: searchBox('') },
    { name: 'siems', body: siems(facts) },
    { name: 'exchanges', body: exchanges(facts) },
    ...(status.sweeps.length === 0 ? [] : [{ name: 'sweeps', body: sweeps(status, now) }]),
  ];
  return { title: 'Board', screen: 'board', parts };
}

const wanted = ({ siems }: StatusReport): number => Math.max(0, ...siems.map((one) => one.wanted));

/** `init` overwrites nothing, so that it is given another file than the one that this daemon runs with. */
function beginning({ exchanges: sources, siems: targets }: StatusReport): Markup {
  const missing =
    sources.length + targets.length === 0
      ? 'No exchange and no SIEM is configured yet, so there is nothing to keep in step.'
      : targets.length === 0
        ? 'No SIEM is configured yet, so nothing is written anywhere.'
        : 'No exchange is configured yet, so nothing is taken in.';
  return html`<h2>Begin here</h2><p>${missing} <code>entente init new.yaml</code> asks for exchanges and SIEMs, contacts each and writes them down.
Put what it wrote under <code>exchanges</code> and <code>siems</code> into the configuration that runs (<code>config/example.yaml</code> shows all keys), try it with <code>entente check --probe</code>, and send the daemon a SIGHUP.</p>`;
}

export const searchBox = (value: string): Markup =>
  html`<h2 class="unseen">Ask why</h2><form class="find" role="search" action="/why"><label class="unseen" for="q">Value</label><input id="q" name="value" value="${value}" placeholder="Why is … armed?  198.51.100[.]7, evil[.]example, a hash, a URL" autocomplete="off" spellcheck="false" required><button>Ask why</button></form>`;

function verdict({ status, samples, now }: BoardFacts): Markup {
  const kept = status.siems.filter((one) => one.state !== 'paused');
  const inSync = kept.filter((one) => syncState(one) === 'in sync');
  const behind = kept.reduce((sum, one) => sum + one.pending, 0);
  const oldest = Math.max(0, ...kept.map((one) => one.oldest_pending_secs));
  const all = inSync.length === kept.length;
  const tone = kept.length === 0 ? 'none' : all ? 'ok' : 'late';
  const armed = armedOf(samples);
  const { sightings } = status;
  return html`<h2 class="unseen">At a glance</h2><div class="tiles">
<div class="tile"><h3>Sync</h3><p class="big">${pill(tone, kept.length === 0 ? 'no SIEM' : `${inSync.length} of ${many(kept.length, 'SIEM')} in sync`)}</p><p class="sub">${
    behind === 0 ? 'nothing is on its way' : `${many(behind, 'change')} on the way, oldest ${length(oldest * 1000)}`
  }</p></div>
<div class="tile"><h3>Health</h3><p class="big">${statePill(status.state)}</p><p class="sub">for ${age(status.since, now)}, ${HEALTH[status.state]}</p></div>
<div class="tile"><h3>From published to armed</h3><p class="big">${armed === undefined ? pill('none', 'no figures yet') : length(armed.mean * 1000)}</p><p class="sub">${
    armed === undefined
      ? 'new objects are followed until they are armed'
      : `on average in the last 24 h, at most ${length(armed.most * 1000)}`
  }</p>${armed !== undefined && dayLine(samples, 'whole', '', now, (one) => (one.armed === 0 ? undefined : one.armed_secs / one.armed), 'Time from published to armed, in half hours')}</div>
<div class="tile"><h3>Told to partners</h3><p class="big">${number(sightings.sent)}</p><p class="sub">${number(sightings.held)} held · ${number(sightings.denied)} denied by rule · ${number(sightings.hits)} ${sightings.hits === 1 ? 'hit' : 'hits'}</p></div>
</div>`;
}

const HEALTH = {
  ok: 'nobody has to act',
  paused: 'nothing is written',
  recovering: 'it heals by itself',
  failing: 'a person must act',
} as const;

function armedOf(samples: readonly Sample[]): { mean: number; most: number } | undefined {
  const whole = samples.filter((one) => one.role === 'whole');
  const n = whole.reduce((sum, one) => sum + one.armed, 0);
  if (n === 0) return undefined;
  return {
    mean: whole.reduce((sum, one) => sum + one.armed_secs, 0) / n,
    most: Math.max(...whole.map((one) => one.armed_most)),
  };
}

function siems({ status, samples, now }: BoardFacts): Markup {
  if (status.siems.length === 0) return html`<h2>SIEMs</h2><p>No SIEM is configured.</p>`;
  const columns = ['SIEM', 'Sync', 'Health', 'Last 24 h', 'Last success'].map((head) => ({ head }));
  const numbers = ['Wanted', 'There', 'Pending', 'Held', 'Parked'].map((head) => ({ head, numeric: true }));
  const rows = status.siems.map((one) => [
    html`${peerName(one.name, siemHref(one.name))}<span class="t">${one.type}</span>`,
    syncOf(one),
    healthOf(one, now),
    dayBars(samples, 'siem', one.name, now),
    ago(one.last_success, now),
    number(one.wanted),
    number(one.delivered),
    number(one.pending),
    html`${number(one.held)}${one.rejected > 0 && html`<span class="t">${number(one.rejected)} rejected</span>`}`,
    html`${number(one.parked)}${one.kept_out > 0 && html`<span class="t">${number(one.kept_out)} for want of room</span>`}`,
  ]);
  return html`<h2>SIEMs</h2>${table(html`<span class="unseen">What each SIEM shall hold and holds</span>`, [...columns, ...numbers], rows)}`;
}

function syncOf(one: SiemReport): Markup {
  const sync = syncState(one);
  const pilled = (tone: Tone, words: string, more: Insert) => html`${pill(tone, words)}<span class="t">${more}</span>`;
  switch (sync) {
    case 'not kept':
      return pilled('none', sync, foreign(one.reason ?? 'paused'));
    case 'not known':
      return pilled('none', sync, one.last_success === null ? 'never reached' : html`since ${time(one.since)}`);
    case 'behind': {
      const left = one.secs_left === null ? '' : `, about ${length(one.secs_left * 1000)} left`;
      return pilled('late', syncWords(one), `oldest ${length(one.oldest_pending_secs * 1000)}${left}`);
    }
    case 'drifted':
      return pilled('late', syncWords(one), 'at the last audit');
    case 'short':
      return pilled('late', syncWords(one), 'what is parked is not there');
    case 'in sync':
      return pill('ok', sync);
  }
}

/** How long it is so, and what hits or reports say beside it. */
function healthOf(one: SiemReport | ExchangeReport, now: number): Markup {
  const beside = 'hits' in one ? { name: 'hits', ...one.hits } : { name: 'reports', ...one.report };
  const troubled = beside.state === 'failing' || beside.state === 'recovering';
  return html`${statePill(one.state)}<span class="t">for ${age(one.since, now)}${troubled && html`; ${beside.name} ${beside.state}`}</span>`;
}

const ago = (iso: string | null, now: number): Markup =>
  iso === null ? html`never` : html`${age(iso, now)} ago<span class="t">${clock(iso, now)}</span>`;

function exchanges({ status, samples, now }: BoardFacts): Markup {
  if (status.exchanges.length === 0) return html`<h2>Exchanges</h2><p>No exchange is configured.</p>`;
  const columns = ['Exchange', 'Freshness', 'Health', 'Last 24 h', 'Next poll'].map((head) => ({ head }));
  const numbers = ['Objects', 'Indicators', 'Refused', 'Unreadable', 'Held'].map((head) => ({ head, numeric: true }));
  const rows = status.exchanges.map((one) => [
    html`${peerName(one.name, exchangeHref(one.name))}<span class="t">${one.type}</span>`,
    freshness(one, now),
    healthOf(one, now),
    dayBars(samples, 'exchange', one.name, now),
    nextPoll(one, now),
    number(one.objects),
    number(one.indicators),
    number(one.refused),
    number(one.parked),
    number(one.held),
  ]);
  return html`<h2>Exchanges</h2>${table(html`<span class="unseen">What each exchange sends</span>`, [...columns, ...numbers], rows)}`;
}

export function freshness(one: ExchangeReport, now: number): Markup {
  if (one.state === 'paused')
    return html`${pill('none', 'not read')}<span class="t">${foreign(one.reason ?? 'paused')}</span>`;
  if (one.last_success === null) return html`${pill('none', 'not known')}<span class="t">never reached</span>`;
  const tone = one.state === 'ok' ? 'ok' : one.state === 'failing' ? 'bad' : 'late';
  return html`${pill(tone, html`read ${age(one.last_success, now)} ago`)}${one.state === 'ok' && one.reason !== null && html`<span class="t">${foreign(one.reason)}</span>`}`;
}

function nextPoll(one: ExchangeReport, now: number): Markup {
  const next = one.next_attempt ?? one.next_poll;
  if (next === null) return html`none is planned`;
  const left = Date.parse(next) - now;
  return html`${left <= 0 ? 'now' : html`<span class="soft">at</span> ${clock(next, now)}`}`;
}

function sweeps({ sweeps: all }: StatusReport, now: number): Markup {
  const rows = all.map((one) => [one.kind, one.of ?? '', number(one.done), html`${age(one.since, now)}`]);
  return html`<h2>Work in steps</h2>${table(html`<span class="unseen">Work over all of something that is under way</span>`, [{ head: 'Work' }, { head: 'Of' }, { head: 'Rows so far', numeric: true }, { head: 'For' }], rows)}`;
}
