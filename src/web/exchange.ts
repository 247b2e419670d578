// One exchange: what it sends, how fresh, what of it is kept out and why, and what goes back to it.
import type { ExchangeReport, StatusReport } from '../core/model/status.ts';
import type { ExchangeDetails, Sample } from '../core/store/read/pages.ts';
import { dayBars } from './bars.ts';
import { freshness } from './board.ts';
import { historyTable } from './history.ts';
import { html, type Insert, type Markup } from './html.ts';
import { messagePage, type Page, type PageRequest, statePill } from './page.ts';
import { age, clock, foreign, length, many, number, pill, said, table, time } from './words.ts';

/** Of all exchanges, and of this one. */
const MOST_LOOKED = 200;
const MOST_POLLS = 12;

export async function exchangePage({ params, pages, status, now }: PageRequest): Promise<Page> {
  const name = params['name'] ?? '';
  const one = status.exchanges.find((found) => found.name === name);
  if (one === undefined)
    return messagePage(
      'No such exchange',
      html`None is configured under this name. <a href="/">Board</a>`,
      'none',
      404,
    );
  const [details, samples, history] = await Promise.all([
    pages.exchange(name),
    pages.samples(),
    pages.history({ kinds: ['poll', 'outage'], limit: MOST_LOOKED }),
  ]);
  const polls = history.filter((found) => found.role === 'exchange' && found.subject === name).slice(0, MOST_POLLS);
  return {
    title: name,
    screen: 'exchange',
    parts: [
      { name: 'exchange', body: head(one, samples, details, now) },
      {
        name: 'polls',
        body: html`<h2>Polls</h2>${polls.length === 0 ? html`<p>None was kept yet.</p>` : historyTable(polls, now)}`,
      },
      { name: 'collections', body: collections(one, now) },
      { name: 'coverage', body: coverage(one, details) },
      { name: 'back', body: back(one, details, now) },
      { name: 'never-block', body: neverBlock(status) },
    ],
  };
}

function head(
  one: ExchangeReport,
  samples: readonly Sample[],
  details: ExchangeDetails | undefined,
  now: number,
): Markup {
  return html`<h2><bdi>${one.name}</bdi> <span class="soft">${one.type}</span></h2><dl>
<dt>Health</dt><dd>${statePill(one.state)} for ${age(one.since, now)}${one.reason !== null && html`: ${foreign(one.reason)}`}</dd>
${one.next_action !== null && html`<dt>What to do</dt><dd>${said(one.next_action)}</dd>`}
<dt>Freshness</dt><dd>${freshness(one, now)}; something new ${details?.lastNew == null ? 'has not come yet' : html`${age(details.lastNew, now)} ago, at ${time(details.lastNew)}`}</dd>
<dt>Last 24 h</dt><dd>${dayBars(samples, 'exchange', one.name, now)}</dd>
<dt>Last success</dt><dd>${time(one.last_success)}</dd>
<dt>Last failure</dt><dd>${time(one.last_failure)}</dd>
<dt>Next poll</dt><dd>${nextPoll(one, now)}</dd>
<dt>Rhythm</dt><dd>${rhythm(one)}</dd>
<dt>Credentials</dt><dd>${credentials(one, now)}</dd>
<dt>Cursor</dt><dd>${one.cursor === null ? 'it begins at the start' : html`<code>${foreign(one.cursor, 120)}</code>`}</dd>
${one.files !== undefined && html`<dt>Files</dt><dd>${number(one.files.accepted)} accepted · ${number(one.files.refused)} refused · ${number(one.files.waiting)} waiting</dd>`}
</dl>`;
}

function nextPoll(one: ExchangeReport, now: number): Markup {
  const next = one.next_attempt ?? one.next_poll;
  if (next === null) return html`none is planned`;
  const left = Date.parse(next) - now;
  const every = one.poll_every_secs == null ? '' : `; every ${length(one.poll_every_secs * 1000)} by schedule`;
  return html`${left <= 0 ? 'now' : html`in ${length(left)}, at ${clock(next, now)}`}${one.next_attempt !== null && ', after a failure'}${every}`;
}

function rhythm({ polls_late: late = 0, last_success: success }: ExchangeReport): Markup {
  if (late === 0) return html`${success === null ? 'nothing was read yet' : pill('ok', 'nothing is late')}`;
  return html`${pill('late', many(late, 'poll'))} came due since the last that succeeded`;
}

const WHOSE = { own: 'our', peer: 'its' } as const;
const SOON_MS = 14 * 86_400_000;

/** The first to end first; two weeks before, as the alert does. */
function credentials({ expires = [] }: ExchangeReport, now: number): Markup {
  if (expires.length === 0) return html`<span class="soft">neither certificate nor token says when it ends</span>`;
  return html`${expires.map(({ what, whose, at }, i) => {
    const left = Date.parse(at) - now;
    const words = left <= 0 ? `ended ${length(-left)} ago` : `${length(left)} left`;
    return html`${i > 0 && ' · '}${WHOSE[whose]} ${what} ${pill(left <= 0 ? 'bad' : left < SOON_MS ? 'late' : 'ok', words)} <span class="soft">${left <= 0 ? 'at' : 'until'} ${time(at)}</span>`;
  })}`;
}

function collections(one: ExchangeReport, now: number): Markup {
  if (one.collections.length === 0) return html`<h2>Collections</h2><p>Nothing is known of any yet.</p>`;
  const rows = one.collections.map((found): Insert[] => [
    html`${foreign(found.title)}<span class="t"><bdi>${found.id}</bdi></span>`,
    statePill(found.state),
    found.last_success === null ? 'never' : html`${age(found.last_success, now)} ago`,
    foreign(found.reason ?? ''),
    said(found.next_action ?? ''),
  ]);
  return html`<h2>Collections</h2>${table(
    html`<span class="unseen">What is read of it</span>`,
    ['Collection', 'Health', 'Last success', 'Reason', 'What to do'].map((caption) => ({ head: caption })),
    rows,
  )}`;
}

function coverage(one: ExchangeReport, details: ExchangeDetails | undefined): Markup {
  const ignored = Object.entries(one.ignored).sort((a, b) => b[1] - a[1]);
  const rows = (details?.refused ?? []).map((found): Insert[] => [
    html`${foreign(found.kind)}${found.reason !== found.kind && html`<span class="t">${foreign(found.reason)}</span>`}`,
    number(found.of),
    html`<code><bdi>${found.object_id}</bdi></code>${found.name !== null && html`<span class="t">${foreign(found.name)}</span>`}`,
    found.pattern === null ? '' : html`<span class="value">${foreign(found.pattern, 120)}</span>`,
  ]);
  return html`<h2>What it sends</h2><p>${many(one.objects, 'object')}, of which ${many(one.indicators, 'indicator')}; ${number(one.refused)} refused, ${number(one.parked)} unreadable, ${many(one.held, 'entry', 'entries')} held.</p>
${ignored.length > 0 && html`<p>Ignored, by type or reason: ${ignored.map(([type, n], i) => html`${i > 0 && ', '}<bdi>${type}</bdi> ${number(n)}`)}.</p>`}
${rows.length > 0 && table('Refused, with examples', [{ head: 'Reason' }, { head: 'Objects', numeric: true }, { head: 'Example' }, { head: 'Pattern' }], rows)}
${one.refused > 0 && html`<p>All of them: <code>entente refused list --exchange ${one.name}</code></p>`}`;
}

function back({ report }: ExchangeReport, details: ExchangeDetails | undefined, now: number): Markup {
  const told = details?.told ?? {};
  return html`<h2>What goes back</h2><p>${statePill(report.state)}${report.since !== undefined && html` for ${age(report.since, now)}`}${report.reason !== null && html`: ${foreign(report.reason)}`}</p>
<p>${['sent', 'held', 'queued', 'denied', 'failed'].map((state, i) => html`${i > 0 && ' · '}${number(told[state] ?? 0)} ${state}`)}</p>`;
}

function neverBlock({ never_block: lists }: StatusReport): Markup {
  const met = lists.filter((one) => one.refused + one.noted > 0);
  if (met.length === 0) return html`<h2>Never-block</h2><p>No list met a value yet.</p>`;
  const rows = met.map((one) => [html`<bdi>${one.list}</bdi>`, one.action, number(one.refused), number(one.noted)]);
  return html`<h2>Never-block</h2>${table('Values that lists met, over all exchanges', [{ head: 'List' }, { head: 'Action' }, { head: 'Refused', numeric: true }, { head: 'Noted', numeric: true }], rows)}`;
}
