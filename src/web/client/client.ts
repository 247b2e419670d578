// What script adds to pages that are whole without it: parts are swapped when the server says that they changed, ages
// count on, and / goes to the search box. Nothing is kept and nothing leaves this host.

const ANNOUNCE_EVERY_MS = 5_000;
const AGES_EVERY_MS = 10_000;
const page = location.pathname + location.search;

let source: EventSource | undefined;
let fetching = false;
let again = false;
/** Parts that wait until nobody writes in them any more. */
const waiting = new Set<string>();

function watch(): void {
  if (source !== undefined || document.hidden) return;
  source = new EventSource(`/events?page=${encodeURIComponent(page)}`);
  source.addEventListener('changed', () => void refresh());
  source.addEventListener('open', () => say('Live.'));
  source.addEventListener('error', () => {
    if (source?.readyState !== EventSource.CLOSED) return say('Not live just now; it is tried again.');
    source = undefined;
    say('Not live: open the page again.');
  });
}

/** A page that nobody looks at asks for nothing; looked at again, it is brought up to date by the first word of its stream. */
function look(): void {
  if (document.hidden) {
    source?.close();
    source = undefined;
  } else watch();
}

async function refresh(): Promise<void> {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    do {
      again = false;
      const answer = await fetch(page, { headers: { accept: 'text/html' }, redirect: 'error' });
      if (answer.status === 401) say('Signed out: open the page again.');
      if (!answer.ok) return;
      swap(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    } while (again);
  } catch {
    say('Not live just now; it is tried again.');
  } finally {
    fetching = false;
  }
}

const partsOf = (of: Document): Map<string, HTMLElement> =>
  new Map([...of.querySelectorAll<HTMLElement>('[data-part]')].map((one) => [one.dataset['part'] ?? '', one]));

function swap(next: Document): void {
  const [old, fresh] = [partsOf(document), partsOf(next)];
  const told: string[] = [];
  let busy = false;
  let before: HTMLElement | undefined;
  for (const [name, part] of fresh) {
    const there = old.get(name);
    if (there === undefined) {
      const made = document.importNode(part, true);
      if (before === undefined || name === 'top') continue;
      (before.closest('main') === null ? document.querySelector('main') : before.parentElement)?.insertBefore(
        made,
        before.closest('main') === null ? (document.querySelector('main')?.firstChild ?? null) : before.nextSibling,
      );
      flash(made);
      told.push(titleOf(made));
      before = made;
      continue;
    }
    before = there;
    if (plain(there) === plain(part)) continue;
    if (isBusy(there)) {
      waiting.add(name);
      busy = true;
      continue;
    }
    waiting.delete(name);
    const news = spokenOf(there) !== spokenOf(part);
    replace(there, part);
    if (news) told.push(titleOf(there));
  }
  for (const [name, part] of old)
    if (!fresh.has(name) && !isBusy(part)) {
      told.push(titleOf(part));
      part.remove();
    }
  for (const time of document.querySelectorAll('footer time')) {
    const now = next.querySelector('footer time');
    if (now !== null) time.replaceWith(document.importNode(now, true));
  }
  if (document.title !== next.title) document.title = next.title;
  // One voice: what is said of others would drown what the person at work here must hear.
  if (busy) say('This changed while you write; it is shown when you are done. A decision covers only what you see.');
  else announce(told);
}

/** As it was sent: without what this script, or a reader who opened something, changed. */
function plain(part: HTMLElement): string {
  const copy = part.cloneNode(true) as HTMLElement;
  for (const one of copy.querySelectorAll('time.age')) one.textContent = '';
  for (const one of copy.querySelectorAll('details[open]')) one.removeAttribute('open');
  for (const one of copy.querySelectorAll('.changed')) one.classList.remove('changed');
  return copy.innerHTML.replaceAll(' class=""', '');
}

/** Its words without the passing of time, which is no news. */
function spokenOf(part: HTMLElement): string {
  const copy = part.cloneNode(true) as HTMLElement;
  for (const one of copy.querySelectorAll('time, svg')) one.remove();
  return copy.textContent.replace(/\s+/g, ' ');
}

/** Somebody writes or chooses in it, or has written. */
function isBusy(part: HTMLElement): boolean {
  const active = document.activeElement;
  if (active !== null && part.contains(active) && active.matches('input, select, textarea')) return true;
  return [...part.querySelectorAll('input:not([type=hidden])')].some(
    (one) => one instanceof HTMLInputElement && (one.value !== one.defaultValue || one.checked !== one.defaultChecked),
  );
}

/** Where one is, and what one opened, stays. */
function replace(there: HTMLElement, part: HTMLElement): void {
  const focus = there.contains(document.activeElement) ? pathTo(there, document.activeElement) : undefined;
  const open = [...there.querySelectorAll('details')].map((one) => one.open);
  const before = new Set([...there.querySelectorAll<HTMLElement>('td, li, .tile')].map(spokenOf));
  const made = document.importNode(part, true);
  there.replaceChildren(...made.childNodes);
  const details = [...there.querySelectorAll('details')];
  if (details.length === open.length) for (const [i, one] of details.entries()) one.open = open[i] ?? false;
  tick();
  for (const one of there.querySelectorAll<HTMLElement>('td, li, .tile')) if (!before.has(spokenOf(one))) flash(one);
  if (focus !== undefined) elementAt(there, focus)?.focus({ preventScroll: true });
}

function pathTo(root: Element, to: Element | null): number[] {
  const path: number[] = [];
  for (let at = to; at !== null && at !== root; at = at.parentElement)
    path.unshift([...(at.parentElement?.children ?? [])].indexOf(at));
  return path;
}

function elementAt(root: Element, path: readonly number[]): HTMLElement | undefined {
  let at: Element | undefined = root;
  for (const i of path) at = at?.children[i];
  return at instanceof HTMLElement ? at : undefined;
}

function flash(one: HTMLElement): void {
  one.classList.add('changed');
  one.addEventListener('animationend', () => one.classList.remove('changed'), { once: true });
}

const titleOf = (part: HTMLElement): string => part.querySelector('h1, h2')?.textContent.trim() ?? 'the page';

const news = new Set<string>();
let spoken = -Infinity;
let speaking: number | undefined;

/** To those who hear the page: politely, and not more often than every five seconds. */
function announce(titles: readonly string[]): void {
  for (const one of titles) news.add(one);
  if (news.size === 0 || speaking !== undefined) return;
  speaking = setTimeout(
    () => {
      speaking = undefined;
      spoken = performance.now();
      say(`Changed: ${[...news].join(', ')}.`);
      news.clear();
    },
    Math.max(0, spoken + ANNOUNCE_EVERY_MS - performance.now()),
  );
}

function say(text: string): void {
  const live = document.getElementById('live');
  if (live !== null && live.textContent !== text) live.textContent = text;
}

/** As words.ts writes them. */
function lengthOf(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1.5) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  return minutes < 2 * 1440 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

/** How far this browser's clock is from the server's, by the page's own date. */
const skew =
  Date.now() - (Date.parse(document.querySelector('footer time')?.getAttribute('datetime') ?? '') || Date.now());

function tick(): void {
  const now = Date.now() - skew;
  for (const one of document.querySelectorAll('time.age')) {
    const text = lengthOf(now - Date.parse(one.getAttribute('datetime') ?? ''));
    if (one.textContent !== text) one.textContent = text;
  }
}

document.addEventListener('focusout', () => {
  if (waiting.size > 0) setTimeout(() => void refresh(), 0);
});
document.addEventListener('keydown', (event) => {
  const field = event.target instanceof Element && event.target.matches('input, select, textarea');
  if (event.key !== '/' || field || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.getElementById('q');
  if (box === null) return;
  event.preventDefault();
  box.focus();
});
document.addEventListener('visibilitychange', look);
setInterval(tick, AGES_EVERY_MS);
watch();
