// What needs a person, the worst and oldest first: at most ten lines, each with its reason, what to do, since when, and
// where to look.
import type { StatusReport } from '../core/model/status.ts';
import { html, type Markup } from './html.ts';
import type { Waiting } from './source.ts';
import { age, exchangeHref, many, said, siemHref, type Tone } from './words.ts';

interface Line {
  readonly tone: Extract<Tone, 'bad' | 'late'>;
  readonly who: string;
  readonly reason: string;
  readonly next: string | null;
  readonly since: string | null;
  readonly href: string;
  readonly where: string;
}

const MOST = 10;

export function needsAttention(status: StatusReport, waiting: Waiting, now: number): Markup {
  const lines = linesOf(status, waiting);
  if (lines.length === 0) return html`<h2>Needs attention</h2><p class="quiet">Nothing. Nobody has to do anything.</p>`;
  const shown = lines.slice(0, lines.length > MOST ? MOST - 1 : MOST);
  const left = lines.length - shown.length;
  return html`<h2>Needs attention</h2><ul class="attn">${shown.map((one) => item(one, now))}${
    left > 0 && html`<li><span class="what">${many(left, 'more line')}: <a href="/status">status</a></span></li>`
  }</ul>`;
}

const item = (one: Line, now: number): Markup =>
  html`<li class="${one.tone}"><span class="what"><span class="unseen">${one.tone === 'bad' ? 'Failing: ' : 'Worth a look: '}</span>${
    one.who !== '' && html`<b><bdi>${one.who}</bdi></b> `
  }${said(one.reason)}</span><span class="since">${age(one.since, now)}</span><span class="do">${one.next !== null && said(one.next)}</span><a href="${one.href}">${one.where}</a></li>`;

export function linesOf(status: StatusReport, { sets, sightings, disputed }: Waiting): Line[] {
  const lines: Line[] = [];
  const part = (who: string, href: string, where: string, given: Given): void => {
    if (given.state !== 'failing' && given.state !== 'recovering') return;
    lines.push({
      tone: given.state === 'failing' ? 'bad' : 'late',
      who,
      reason: withoutName(given.reason ?? given.state, who),
      next: given.next_action ?? null,
      since: given.since ?? null,
      href,
      where,
    });
  };
  for (const one of status.siems) {
    part(one.name, siemHref(one.name), 'Difference', one);
    part(`hits of ${one.name}`, siemHref(one.name), 'Difference', one.hits);
    if (one.drift > 0)
      lines.push({
        tone: 'late',
        who: one.name,
        reason: `held ${many(one.drift, 'entry', 'entries')} otherwise than the ledger said, at the last audit`,
        next: `It is put right by itself; to look: entente reconcile --siem ${one.name}`,
        since: null,
        href: siemHref(one.name),
        where: 'Difference',
      });
  }
  for (const one of status.exchanges) {
    part(one.name, exchangeHref(one.name), 'Exchange', one);
    part(`reports to ${one.name}`, exchangeHref(one.name), 'Exchange', one.report);
    // Fine, and yet with something to say: it was quiet for long, or a collection is odd.
    if (one.state === 'ok' && one.reason !== null)
      lines.push({
        tone: 'late',
        who: one.name,
        reason: withoutName(one.reason, one.name),
        next: null,
        since: null,
        href: exchangeHref(one.name),
        where: 'Exchange',
      });
  }
  for (const one of sets)
    lines.push({
      tone: 'late',
      who: one.siem,
      reason: `${many(one.count, WORDS[one.kind][0], WORDS[one.kind][1])} of ${one.exchange} ${one.count === 1 ? 'waits' : 'wait'} for a person: ${one.reason}`,
      next: 'Nothing happens until somebody approves or rejects exactly this set.',
      since: one.created,
      href: `/held/${one.id}`,
      where: 'Decide',
    });
  const { held } = status.sightings;
  if (held > 0)
    lines.push({
      tone: 'late',
      who: '',
      reason: `${many(held, 'sighting')} ${held === 1 ? 'waits' : 'wait'} for a person`,
      next: 'What nobody approves is denied when its time is over.',
      since: sightings[0]?.created ?? null,
      href: '/held',
      where: 'Decide',
    });
  if (disputed.length > 0)
    lines.push({
      tone: 'late',
      who: '',
      reason: `${many(disputed.length, 'value')} that somebody called a false positive ${disputed.length === 1 ? 'is' : 'are'} armed`,
      next: 'Suppress it, call it harmless, or leave it as it is.',
      since: disputed[0]?.last ?? null,
      href: '/held#disputed',
      where: 'Look',
    });
  const told = (reason: string) =>
    lines.some((line) => reason.endsWith(line.reason)) || /hold \d+ \(|sightings wait for a person/.test(reason);
  // Beside a new configuration that is refused the old one runs on.
  for (const { condition, reason, next_action: next } of status.conditions ?? [])
    lines.push({
      tone: condition === 'reload-refused' ? 'late' : 'bad',
      who: '',
      reason,
      next,
      since: null,
      href: '/status',
      where: 'Status',
    });
  for (const reason of status.reasons)
    if (!told(reason) && !(status.conditions ?? []).some((one) => reason.startsWith(one.reason)))
      lines.push({ tone: 'late', who: '', reason, next: null, since: null, href: '/status', where: 'Status' });
  const rank = { bad: 0, late: 1 };
  return lines.sort((a, b) => rank[a.tone] - rank[b.tone] || (a.since ?? '9').localeCompare(b.since ?? '9'));
}

type Given = {
  readonly state: string;
  readonly reason: string | null;
  readonly next_action?: string | null;
  readonly since?: string;
};
const WORDS = {
  intake: ['value', 'values'],
  removal: ['removal', 'removals'],
  addition: ['addition', 'additions'],
} as const;

/** The name stands before it already. */
function withoutName(reason: string, who: string): string {
  for (const start of [`${who}: `, `SIEM ${who}: `, `exchange ${who}: `, `${who} `])
    if (reason.startsWith(start)) return reason.slice(start.length);
  return reason;
}

export const waitingCount = ({ sets, sightings }: Waiting, held: number): number =>
  sets.length + Math.max(held, sightings.length);
