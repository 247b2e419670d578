// How values, times, numbers and states are written on every page. Two axes, never one colour: a state is a word, a
// shape and a colour, so that it is read without any one of them.
import { html, type Insert, type Markup } from './html.ts';

export type Tone = 'ok' | 'late' | 'bad' | 'none';

const SHAPES: Readonly<Record<Tone, string>> = {
  ok: 'M6 0a6 6 0 1 0 0 12A6 6 0 0 0 6 0zm-.9 8.6L2.5 6l1-1 1.6 1.6 3.4-3.4 1 1z',
  late: 'M6 .5 12 11H0zM5.4 4v3.6h1.2V4zm0 4.4v1.2h1.2V8.4z',
  bad: 'M3.5 0h5L12 3.5v5L8.5 12h-5L0 8.5v-5zM5.3 2.6v4.2h1.4V2.600zm0 5.2v1.5h1.4V7.8z',
  none: 'M0 0h12v12H0zM1.500 1.500v9h9v-9zM3.500 5.300h5v1.400h-5z',
};

export function pill(tone: Tone, words: Insert): Markup {
  const shape = html`<svg viewBox="0 0 12 12" aria-hidden="true"><path fill="currentColor" fill-rule="evenodd" d="${SHAPES[tone]}"/></svg>`;
  return html`<span class="pill ${tone}">${shape}<span>${words}</span></span>`;
}

export const number = (n: number): string => n.toLocaleString('en');
export const many = (n: number, one: string, more = `${one}s`): string => `${number(n)} ${n === 1 ? one : more}`;

/** To the second in UTC; the machine-readable one keeps what there is. */
export function time(iso: string | null | undefined): Markup {
  if (iso === null || iso === undefined || iso === '') return html`never`;
  return html`<time datetime="${iso}">${iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2')} UTC</time>`;
}

/** Of the last or the next day, where the date would only be in the way. */
export function clock(iso: string, now: number): Markup {
  if (Math.abs(Date.parse(iso) - now) > 43_200_000) return time(iso);
  return html`<time datetime="${iso}">${iso.slice(11, 19)} UTC</time>`;
}

/** A length of time in one unit. */
export function length(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1.5) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  return minutes < 2 * 1440 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

/** A name of usual length is not broken in its middle. */
export const peerName = (name: string, href?: string): Markup => {
  const text = html`<bdi${name.length <= MOST_UNBROKEN && html` class="name"`}>${name}</bdi>`;
  return href === undefined ? text : html`<a href="${href}">${text}</a>`;
};
const MOST_UNBROKEN = 24;

/** How long ago. The client counts on by itself, so that the passing of time is no change of the page (live.ts). */
export function age(iso: string | null | undefined, now: number): Markup | string {
  const then = Date.parse(iso ?? '');
  if (Number.isNaN(then)) return '';
  return html`<time class="age" datetime="${iso}">${length(now - then)}</time>`;
}
export const AGE = /(<time class="age" datetime="[^"]*">)[^<]*/g;

const MOST_SHOWN = 200;

/** Text of somebody else, of any length and direction; cut, with the whole on demand. */
export function foreign(text: string, most = MOST_SHOWN): Markup {
  if (text === '') return html``; // an empty cell takes no room on a phone
  if (text.length <= most) return html`<bdi>${text}</bdi>`;
  const cut = text.slice(0, most);
  return html`<details class="long"><summary><bdi>${cut}…</bdi> <span class="show">show ${number(text.length)} characters</span></summary><bdi>${text}</bdi></details>`;
}

const TIMES = /\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z/g;

/** A sentence of ours, which may quote others; its times are written as all times here. */
export const said = (text: string): Markup => foreign(text.replace(TIMES, '$1 $2 UTC'));

/** A value of a watchlist: defanged, and never a link. */
export const shownValue = (type: string, value: string): Markup =>
  html`<span class="value">${foreign(defanged(type, value))}</span>`;

export function defanged(type: string, value: string): string {
  switch (type) {
    case 'url': {
      const [, scheme = '', host = '', rest = ''] = /^(\w+:\/\/)([^/?#]*)(.*)$/s.exec(value) ?? ['', '', '', value];
      return scheme.replace(/^http/i, 'hxxp') + host.replaceAll('.', '[.]') + rest;
    }
    case 'email-addr':
      return value.replace('@', '[@]').replace(/\.(?=[^.]*$)/, '[.]');
    case 'domain-name':
    case 'ipv4-addr':
      return value.replace(/\.(?=[^.]*$)/, '[.]');
    default:
      return value;
  }
}

export const whyLink = (value: string, words = 'why'): Markup =>
  html`<a href="/why?value=${encodeURIComponent(value)}">${words}</a>`;
export const siemHref = (name: string): string => `/siem/${encodeURIComponent(name)}/difference`;
export const exchangeHref = (name: string): string => `/exchange/${encodeURIComponent(name)}`;

/** A table that a screen reader can walk and a phone can fold: each cell says what it is. */
export interface Column {
  readonly head: string;
  readonly numeric?: boolean;
  /** Of sentences, and not to be made narrow by the others. */
  readonly wordy?: boolean;
}
export function table(caption: Insert, columns: readonly Column[], rows: readonly (readonly Insert[])[]): Markup {
  const head = columns.map(
    ({ head, numeric }) => html`<th scope="col"${numeric === true && html` class="n"`}>${head}</th>`,
  );
  const body = rows.map(
    (cells) =>
      html`<tr>${cells.map((cell, i) => {
        const { head = '', numeric, wordy } = columns[i] ?? {};
        if (i === 0) return html`<th scope="row">${cell}</th>`;
        return html`<td data-h="${head}"${numeric === true ? html` class="n"` : wordy === true && html` class="wordy"`}>${cell}</td>`;
      })}</tr>`,
  );
  return html`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
