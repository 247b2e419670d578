// One value as it stood at a moment: armed where, since when, by whose word, by the record alone.
import { timeOf } from '../core/model/time-of.ts';
import { MOMENT, NO_MOMENT } from './compare.ts';
import { html, type Insert, type Markup } from './html.ts';
import type { ValueThen } from './source.ts';
import { foreign, peerName, pill, shownValue, table, time, type Tone } from './words.ts';

/** Undefined: nobody asked. A text: what is wrong with what was asked. */
export function momentOf(query: URLSearchParams, now: number): number | string | undefined {
  const typed = (query.get('at') ?? '').trim();
  if (typed === '') return undefined;
  const at = timeOf(typed, now);
  return at === undefined || at > now ? NO_MOMENT : at;
}

export function valueThen(
  value: string,
  typed: string | null,
  asked: number | string | undefined,
  found: readonly ValueThen[],
): Markup {
  return html`<h2>At a moment</h2><form class="filters" action="/why"><input type="hidden" name="value" value="${value}"><label>At this moment <input name="at" value="${typed}" placeholder="6h" size="22" required autocomplete="off" aria-describedby="moment"></label><button>Was it armed then?</button></form>
<p class="soft" id="moment">By the record. A moment: ${MOMENT}, in UTC or ago.${asked !== undefined && html` <a href="/why?value=${encodeURIComponent(value)}">As it is now</a>`}</p>${
    typeof asked === 'string' && html`<p role="alert" class="bad">${asked}</p>`
  }${typeof asked === 'number' && found.map((one) => answer(one, asked, found.length > 1))}`;
}

const STATES: Readonly<Record<ValueThen['siems'][number]['state'], { tone: Tone; words: string }>> = {
  armed: { tone: 'ok', words: 'armed' },
  not_armed: { tone: 'none', words: 'not armed' },
  unknown: { tone: 'late', words: 'not known' },
};

function answer({ type, value, siems, acts, untold }: ValueThen, at: number, several: boolean): Markup {
  const rows = siems.map((one): Insert[] => [
    peerName(one.siem),
    html`${pill(STATES[one.state].tone, STATES[one.state].words)}${one.held !== null && html`, held by ${foreign(one.held)}`}`,
    one.since === null ? '' : time(one.since),
    one.until === null ? '' : time(one.until),
    foreign(one.reason ?? ''),
    html`${one.object !== null && html`<code>${foreign(one.object)}</code>`}${one.marking !== null && html` TLP:${one.marking.toUpperCase()}`}`,
    one.record === null ? '' : String(one.record),
  ]);
  const heads = ['SIEM', 'State', 'Since', 'Until', 'By whose word', 'Object'].map((head) => ({ head }));
  return html`<h3>At ${time(new Date(at).toISOString())}${several && html`: ${shownValue(type, value)} as ${type}`}</h3>${table(
    html`<span class="unseen">Where it stood then</span>`,
    [...heads, { head: 'Record', numeric: true }],
    rows,
  )}${untold !== null && html`<p>More cannot be told: ${untold}.</p>`}${
    acts.length > 0 &&
    html`<ul class="plain">${acts.map(
      (one) =>
        html`<li>${time(one.at)} ${one.action} by <bdi>${one.by}</bdi>${typeof one.detail['reason'] === 'string' && html`: ${foreign(one.detail['reason'])}`}, record ${one.record}</li>`,
    )}</ul>`
  }`;
}
