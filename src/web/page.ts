// What a page is: named parts in a frame. The frame shows where one is and what waits; a part is what the client fetches
// again and swaps when the server says that it changed.
import type { StatusReport } from '../core/model/status.ts';
import { html, type Markup } from './html.ts';
import type { PageSource, Waiting, WebSource } from './source.ts';
import { number, pill, time } from './words.ts';

export type Screen = 'board' | 'difference' | 'value' | 'decisions' | 'history' | 'exchange' | 'none';

export interface Part {
  readonly name: string;
  readonly body: Markup;
}

export interface Page {
  readonly status?: number;
  readonly title: string;
  readonly screen: Screen;
  readonly parts: readonly Part[];
  /** An answer to what somebody did: asked for again it would be another page, so that no script does. */
  readonly still?: true;
}

/** Whether who looks may act: with no token configured nobody may, without signing in nobody does. */
export type Acting =
  | { readonly kind: 'no' }
  | { readonly kind: 'sign in' }
  | { readonly kind: 'may'; readonly form: string };

export interface PageRequest {
  readonly path: string;
  /** Parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly source: WebSource;
  readonly pages: PageSource;
  readonly status: StatusReport;
  readonly now: number;
  /** What waits for a person; of the sightings the first alone. */
  readonly waiting: Waiting;
  readonly acting: Acting;
}

export type PageMaker = (request: PageRequest) => Page | Promise<Page>;

const SCREENS: readonly { readonly screen: Screen; readonly href: string; readonly name: string }[] = [
  { screen: 'board', href: '/', name: 'Board' },
  { screen: 'difference', href: '/difference', name: 'Difference' },
  { screen: 'value', href: '/why', name: 'Value' },
  { screen: 'decisions', href: '/held', name: 'Decisions' },
  { screen: 'history', href: '/history', name: 'History' },
];

/** Everything before the page's own parts, as a part of its own: the state of the whole, and how much waits for a person. */
export function topPart(status: StatusReport, screen: Screen, waiting: number): Part {
  const nav = SCREENS.map(
    (one) =>
      html`<a href="${one.href}"${one.screen === screen && html` aria-current="page"`}>${one.name}${
        one.screen === 'decisions' &&
        waiting > 0 &&
        html` <span class="count">${number(waiting)}<span class="unseen"> waiting</span></span>`
      }</a>`,
  );
  return {
    name: 'top',
    body: html`<h1>${status.instance} ${statePill(status.state)}</h1><nav aria-label="Pages">${nav}</nav>`,
  };
}

const TONES = { ok: 'ok', paused: 'none', recovering: 'late', failing: 'bad' } as const;
export const statePill = (state: StatusReport['state']): Markup => pill(TONES[state], state);

export function wholePage(
  page: Page,
  top: Part,
  { version, instance }: StatusReport,
  acting: Acting,
  now: string,
): Markup {
  return frame(
    `${page.title} · ${instance}`,
    html`<a class="skip" href="#main">Skip to content</a>
<header data-part="${top.name}">${top.body}</header>
<main id="main">
${page.parts.map(({ name, body }) => html`<section data-part="${name}">${body}</section>\n`)}
</main>
<footer><p>Entente ${version}. As of ${time(now)}. <span id="live" role="status"></span></p>
<p>${signedIn(acting)}<a href="/status">status</a> · <a href="/metrics">metrics</a> · <a href="/health">health</a></p></footer>`,
    page.still !== true && html`<script type="module" src="/client.js"></script>`,
  );
}

const signedIn = (acting: Acting): Markup | false =>
  acting.kind === 'sign in'
    ? html`<a href="/sign-in">Sign in to decide</a> · `
    : acting.kind === 'may' && html`Signed in · `;

export function frame(title: string, body: Markup, more: Markup | false = false): Markup {
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Entente</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
${more}
</head>
<body>
${body}
</body>
</html>
`;
}

/** For a browser that has no token yet. */
export function signInPage(to: string, wrong?: string): Markup {
  return frame(
    'Sign in',
    html`<main id="main" class="narrow">
<h1>Entente</h1>
<form method="post" action="/sign-in">
<div class="stack"><input type="hidden" name="to" value="${to}">
<label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
${wrong !== undefined && html`<p role="alert" class="bad">${wrong}</p>`}</div>
</form>
<p class="soft">The token stands in the file that <code>listen.token_file</code> names.</p>
</main>`,
  );
}

/** One thing to say, with a way back. */
export function messagePage(title: string, text: Markup | string, screen: Screen = 'none', status = 200): Page {
  return {
    status,
    title,
    screen,
    still: true,
    parts: [{ name: 'message', body: html`<h2>${title}</h2><p>${text}</p>` }],
  };
}
