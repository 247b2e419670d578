// One value: who says what of it, what was decided and why, where it stands, what comes next, and taking it off.
import type { Observable } from '../core/model/observable.ts';
import { shellWord } from '../core/model/shell-word.ts';
import { actionForm, hoursField } from './acting.ts';
import { searchBox } from './board.ts';
import { html, type Insert, type Markup } from './html.ts';
import type { Acting, Page, PageRequest, Part } from './page.ts';
import type { Off, ValueEntry, ValueReport } from './source.ts';
import { momentOf, valueThen } from './value-then.ts';
import {
  age,
  exchangeHref,
  foreign,
  many,
  number,
  peerName,
  pill,
  said,
  table,
  time,
  type Tone,
  shownValue,
  whyLink,
} from './words.ts';

const MOST_ASKED = 8_192;

export async function valuePage({ query, pages, acting, now }: PageRequest): Promise<Page> {
  const asked = (query.get('value') ?? '').trim().slice(0, MOST_ASKED);
  const find: Part = { name: 'find', body: searchBox(asked.length > 300 ? '' : asked) };
  if (asked === '')
    return page([
      find,
      {
        name: 'value',
        body: html`<p>Type or paste a value, defanged or not: an address or network, a domain, a URL, an e-mail address, a hash.</p>`,
      },
    ]);
  const report = await pages.value(asked);
  const parts = [find, { name: 'value', body: known(asked, report) }];
  const at = momentOf(query, now);
  const then: Part = {
    name: 'then',
    body: valueThen(asked, query.get('at'), at, typeof at === 'number' ? await pages.valueAt(asked, at) : []),
  };
  // Who asks for a moment finds it first.
  if (at !== undefined) parts.push(then);
  for (const entry of report.entries) parts.push(...entryParts(entry, report, now));
  if (report.refused.length > 0) parts.push({ name: 'refused', body: refused(report) });
  if (report.around.length > 0) parts.push({ name: 'around', body: around(report.around) });
  if (at === undefined && report.guesses.length > 0) parts.push(then);
  if (report.guesses.length > 0) parts.push({ name: 'off', body: takeOff(asked, report, acting, now) });
  return page(parts);
}

const page = (parts: readonly Part[]): Page => ({ title: 'Value', screen: 'value', parts });

function known(asked: string, { guesses, entries, refused: kept, more }: ValueReport): Markup {
  const [first] = guesses;
  const title = first === undefined ? foreign(asked) : shownValue(first.type, first.value);
  return html`<h2>${title}</h2>${
    first === undefined
      ? html`<p>This is no address, domain, URL, e-mail address or hash, so no list can hold it.</p>`
      : entries.length === 0 &&
        kept.length === 0 &&
        html`<p>Nothing is known of it: no indicator that an exchange of ours published names it.${more && html` Some refused objects name more values than are kept of them: <code>entente refused list</code>.`}</p>`
  }`;
}

function entryParts(entry: ValueEntry, report: ValueReport, now: number): Part[] {
  const several = report.entries.length > 1 && html`<p class="soft">As ${entry.type}</p>`;
  return [
    { name: `stands-${entry.type}`, body: html`${several}${stands(entry)}${suggestion(entry)}` },
    ...(entry.claims.length === 0 ? [] : [{ name: `claims-${entry.type}`, body: claims(entry) }]),
    { name: `line-${entry.type}`, body: timeLine(entry, now) },
    ...(entry.releases.length === 0 ? [] : [{ name: `told-${entry.type}`, body: releases(entry) }]),
  ];
}

const STATES: Readonly<Record<ValueEntry['siems'][number]['state'], { tone: Tone; words: string }>> = {
  delivered: { tone: 'ok', words: 'armed' },
  pending: { tone: 'late', words: 'on its way' },
  parked: { tone: 'bad', words: 'parked' },
  held: { tone: 'late', words: 'held' },
  not_wanted: { tone: 'none', words: 'not wanted' },
};

function stands({ siems, type }: ValueEntry): Markup {
  const rows = siems.map((one): Insert[] => {
    const { tone, words } = STATES[one.state];
    return [
      peerName(one.name),
      pill(tone, words),
      said(one.reason ?? ''),
      one.until === null ? '' : time(one.until),
      said(one.next_action),
    ];
  });
  return html`<h2>Where it stands</h2>${table(
    html`<span class="unseen">Where this ${type} stands</span>`,
    ['SIEM', 'State', 'Why', 'Until', 'What comes next'].map((head) => ({ head })),
    rows,
  )}`;
}

const CLAIM_TONES = { published: 'ok', revoked: 'none', vanished: 'none' } as const;
const DECISION_TONES: Readonly<Record<string, Tone>> = {
  accept: 'ok',
  hold: 'late',
  waits: 'late',
  refuse: 'bad',
  ended: 'none',
};

/** Of the hits and where it stands: one analyst's word against the partner's. */
function suggestion({ hits, siems }: ValueEntry): Markup | false {
  const wrong = hits.filter((one) => one.verdict === 'false_positive');
  const armed = siems.some((one) => one.state === 'delivered' || one.state === 'pending');
  if (wrong.length === 0 || !armed) return false;
  const said = wrong.map((one, i) => html`${i > 0 && ', '}<bdi>${one.siem}</bdi> (${many(one.count, 'time')})`);
  return html`<p><b>Called a false positive in ${said}, and armed.</b> If that holds for the value and not for one alert only, take it off below.</p>`;
}

function claims({ claims: all }: ValueEntry): Markup {
  return html`<h2>Who says so</h2>${all.map((claim) => {
    const marks = [
      claim.tlp === null ? 'no TLP' : `TLP:${claim.tlp.toUpperCase()}`,
      claim.pap === null ? undefined : `PAP:${claim.pap.toUpperCase()}`,
      claim.confidence === null ? 'no confidence' : `confidence ${claim.confidence}`,
    ].filter((one) => one !== undefined);
    return html`<article class="card"><h3><a href="${exchangeHref(claim.exchange)}"><bdi>${claim.exchange}</bdi></a>: ${foreign(claim.name ?? claim.object_id)}</h3>
<p>${pill(CLAIM_TONES[claim.state], claim.state)} · ${marks.join(' · ')} · modified ${time(claim.modified)}${claim.valid_until !== null && html` · valid until ${time(claim.valid_until)}`}</p>
<p class="soft"><code><bdi>${claim.object_id}</bdi></code></p>${claim.left_out !== null && html`<p>Left out of its pattern: ${foreign(claim.left_out)}</p>`}
<ol class="decisions">${claim.decisions.map((one) => html`<li><bdi>${one.siem}</bdi>: ${pill(DECISION_TONES[one.decision] ?? 'none', one.decision)} ${said(one.reason)}</li>`)}</ol></article>`;
  })}`;
}

/** What is known of its days, oldest first. */
function timeLine(entry: ValueEntry, now: number): Markup {
  const events = [
    ...entry.claims.map((one) => ({
      at: one.modified,
      what: html`<bdi>${one.exchange}</bdi> ${one.state === 'published' ? 'published it in this version' : `${one.state} it`}`,
    })),
    ...entry.siems.flatMap((one) =>
      one.since === null
        ? []
        : [{ at: one.since, what: html`<bdi>${one.name}</bdi>: ${STATES[one.state].words} since then` }],
    ),
    ...entry.hits.map((one) => ({
      at: one.last,
      what: html`seen in <bdi>${one.siem}</bdi>: ${many(one.count, 'hit')}, ${one.verdict}, first ${time(one.first)}`,
    })),
    ...entry.releases.flatMap((one) =>
      one.sent_at === null
        ? []
        : [{ at: one.sent_at, what: html`told <bdi>${one.exchange}</bdi>: count ${number(one.count)}` }],
    ),
    ...entry.siems.flatMap((one) =>
      one.until === null || Date.parse(one.until) < now
        ? []
        : [{ at: one.until, what: html`<bdi>${one.name}</bdi>: it expires` }],
    ),
  ].sort((a, b) => a.at.localeCompare(b.at));
  if (events.length === 0) return html`<h2>Its days</h2><p>No date is known of it.</p>`;
  return html`<h2>Its days</h2><ul class="plain">${events.map((one) => html`<li>${time(one.at)} ${one.what}</li>`)}</ul>`;
}

function releases({ releases: all }: ValueEntry): Markup {
  const rows = all.map((one): Insert[] => [
    peerName(one.exchange),
    time(one.window),
    number(one.count),
    one.state,
    html`${foreign(one.reason)}${one.rule !== null && html`<span class="t">rule ${one.rule}</span>`}`,
    one.sent_at === null ? '' : time(one.sent_at),
  ]);
  return html`<h2>What was told of it</h2>${table(html`<span class="unseen">Sightings of it</span>`, [{ head: 'To' }, { head: 'Window' }, { head: 'Count', numeric: true }, { head: 'State' }, { head: 'Why' }, { head: 'Sent' }], rows)}`;
}

function refused({ refused: all }: ValueReport): Markup {
  const rows = all.map((one): Insert[] => [
    peerName(one.exchange),
    html`<code><bdi>${one.object_id}</bdi></code>${one.name !== null && html`<span class="t">${foreign(one.name)}</span>`}`,
    foreign(one.reason),
    one.pattern === null ? '' : html`<span class="value">${foreign(one.pattern, 120)}</span>`,
  ]);
  return html`<h2>Kept out</h2>${table(
    'Objects that name it and are kept out',
    ['Exchange', 'Object', 'Reason', 'Pattern'].map((head) => ({ head })),
    rows,
  )}`;
}

const around = (all: readonly Observable[]): Markup =>
  html`<h2>What covers it</h2><ul class="plain">${all.map((one) => html`<li>${shownValue(one.type, one.value)} (${one.type}) ${whyLink(one.value)}</li>`)}</ul>`;

const REVIEW_DAYS = [30, 90, 180, 365];

/** The consequence first, then the form. */
function takeOff(asked: string, { entries, guesses, off }: ValueReport, acting: Acting, now: number): Markup {
  const there = entries.flatMap(({ siems }) =>
    siems.filter((one) => one.state !== 'not_wanted' && one.state !== 'parked'),
  );
  const names = [...new Set(there.map((one) => one.name))];
  const hidden = { value: asked };
  const consequence =
    names.length === 0
      ? html`<p>It stands in no SIEM now; taken off, it stays out while a partner publishes it.</p>`
      : html`<p>It leaves ${many(names.length, 'SIEM')}: ${names.map((one, i) => html`${i > 0 && ', '}<bdi>${one}</bdi>`)}. Nothing else does: other values that cover it stay.</p>`;
  return html`<h2>Take it off</h2>
${off.map((one) => offNow(one, asked, acting, now))}
<div class="card"><h3>For a time</h3>${consequence}<p class="soft">What goes: ${guesses.map((one, i) => html`${i > 0 && ', '}${shownValue(one.type, one.value)}`)}</p>
${actionForm(acting, {
  to: '/why',
  hidden: { ...hidden, kind: 'suppress' },
  fields: hoursField(),
  buttons: [{ name: 'do', value: 'suppress', words: 'Suppress' }],
  command: `entente suppress ${shellWord(asked)} --hours 24 --reason TEXT`,
})}</div>
<div class="card"><h3>Until somebody lifts it</h3><p>It is harmless here: off every SIEM, with a date at which the board asks for another look.</p>
${actionForm(acting, {
  to: '/why',
  hidden: { ...hidden, kind: 'harmless' },
  fields: html`<label class="wide">Look again in <select name="review_days">${REVIEW_DAYS.map((one) => html`<option value="${one}"${one === 90 && html` selected`}>${one} days</option>`)}</select></label>`,
  buttons: [{ name: 'do', value: 'harmless', words: 'Call it harmless' }],
  command: `entente harmless ${shellWord(asked)} --reason TEXT`,
})}</div>`;
}

function offNow(one: Off, asked: string, acting: Acting, now: number): Markup {
  const what =
    one.of === 'suppress'
      ? html`suppressed until ${time(one.until)}`
      : html`called harmless; another look is due at ${time(one.until)}${Date.parse(one.until) <= now && html`, which was ${age(one.until, now)} ago`}`;
  return html`<div class="card"><h3>It is off now</h3><p>${shownValue(one.type, one.value)} is ${what}, by <bdi>${one.by}</bdi>: ${foreign(one.reason)}</p>
${actionForm(acting, {
  to: '/why',
  hidden: { value: asked, kind: 'lift', id: String(one.id), of: one.of },
  asksReason: false,
  buttons: [{ name: 'do', value: 'lift', words: 'Lift it: it is armed again where it is wanted' }],
  command: `entente ${one.of} lift ${one.id}`,
})}</div>`;
}
