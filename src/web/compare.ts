// Two moments compared: what was armed, changed and disarmed between them, per SIEM, as the record has it.
import { parseEntryKey } from '../core/model/observable.ts';
import { timeOf } from '../core/model/time-of.ts';
import type { Between, Compared } from '../core/store/read/record-between.ts';
import { html, type Insert, type Markup } from './html.ts';
import { foreign, many, number, shownValue, siemHref, time, whyLink } from './words.ts';

/** What may be typed where a moment is asked for. */
export const MOMENT = '2026-11-28T06:00Z, 90m, 6h, 2d';
export const NO_MOMENT = `It needs a time that is past, such as ${MOMENT} (minutes, hours, days ago), the earlier one first.`;
const SHOWN = 10;

export interface Moments {
  readonly from: number;
  readonly to: number;
}

/** Undefined: nobody asked. A text: what is wrong with what was asked. */
export function momentsOf(query: URLSearchParams, now: number): Moments | string | undefined {
  const [a, b] = [(query.get('from') ?? '').trim(), (query.get('to') ?? '').trim()];
  if (a === '' && b === '') return undefined;
  const from = timeOf(a, now);
  const to = b === '' ? now : timeOf(b, now);
  return from === undefined || to === undefined || from > to || to > now ? NO_MOMENT : { from, to };
}

export function comparison(query: URLSearchParams, asked: Moments | string | undefined, found?: Compared): Markup {
  return html`<h2>Two moments compared</h2><form class="filters" action="/history"><label>From <input name="from" value="${query.get('from')}" placeholder="6h" size="22" required autocomplete="off" aria-describedby="moment"></label><label>To <input name="to" value="${query.get('to')}" placeholder="now" size="22" autocomplete="off" aria-describedby="moment"></label><button>Compare</button></form>
<p class="soft" id="moment">Moments: ${MOMENT}, in UTC or ago; no second one is now. From a moment ago: ${['1h', '24h', '7d'].map((one, i) => html`${i > 0 && ' · '}<a href="/history?from=${one}">${one}</a>`)}</p>${
    typeof asked === 'string' && html`<p role="alert" class="bad">${asked}</p>`
  }${typeof asked === 'object' && found !== undefined && answer(asked, found)}`;
}

function answer({ from, to }: Moments, found: Compared): Markup {
  const [a, b] = [new Date(from).toISOString(), new Date(to).toISOString()];
  const command = html`<code>entente history --compare ${a} ${b}</code>`;
  const title = html`<h3>${time(a)} to ${time(b)}</h3>`;
  if (found.told === 'nothing')
    return html`<div class="card">${title}<p>Between them are more records than a page goes through. The command does: ${command}</p></div>`;
  if (found.siems.length === 0) return html`<div class="card">${title}<p>Nothing changed in any SIEM.</p></div>`;
  return html`<div class="card">${title}${
    found.told === 'all'
      ? found.siems.map((one) => html`${heading(one)}${lists(one)}`)
      : html`${found.siems.map(heading)}<p>These are too many values to be named here. The command names them: ${command}</p>`
  }${found.told === 'all' && html`<p class="soft">All of it: ${command}</p>`}</div>`;
}

const heading = ({ siem, counts: { arm = 0, change = 0, disarm = 0 } }: Pick<Between, 'siem' | 'counts'>): Markup =>
  html`<h3><a href="${siemHref(siem)}"><bdi>${siem}</bdi></a>: ${number(arm)} armed, ${number(change)} changed, ${number(disarm)} disarmed</h3>`;

const WORDS = {
  armed: 'Armed at the end, and not at the beginning',
  disarmed: 'Armed at the beginning, and not at the end',
  changed: 'Armed at both, and written anew',
} as const;

function lists(one: Between): Markup {
  const said = (['armed', 'disarmed', 'changed'] as const).map((name): Insert => {
    const values = one[name];
    if (values.length === 0) return false;
    return html`<p>${WORDS[name]}: ${many(values.length, 'value')}</p><ul class="plain sample">${values.slice(0, SHOWN).map(item)}${
      values.length > SHOWN && html`<li class="soft">and ${number(values.length - SHOWN)} more</li>`
    }</ul>`;
  });
  return html`${said.every((text) => text === false) ? html`<p class="soft">All of it came and went between the two, or its values are told no more.</p>` : said}`;
}

function item(key: string): Markup {
  const one = parseEntryKey(key);
  if (one === undefined) return html`<li>${foreign(key)}</li>`; // of a version that knew another type
  const { type, value } = one;
  return html`<li>${shownValue(type, value)} <span class="soft">${type}</span> ${whyLink(value)}</li>`;
}
