// The last day of a peer as 48 bars, one for each half hour: how high a bar is says the same as its colour.
import type { Sample } from '../core/store/read/pages.ts';
import { html, type Markup } from './html.ts';
import { length, type Tone } from './words.ts';

const HALF_HOUR_MS = 30 * 60_000;
const COUNT = 48;
const HEIGHT: Readonly<Record<Tone, number>> = { ok: 9, late: 14, bad: 18, none: 3 };
const WORDS: Readonly<Record<Tone, string>> = { ok: 'in step', late: 'behind', bad: 'failing', none: 'not known' };
/** A shorter trouble is none of a half hour. */
const LEAST_SECS = 30;

export function dayBars(samples: readonly Sample[], role: Sample['role'], peer: string, now: number): Markup {
  const mine = new Map(samples.filter((one) => one.role === role && one.peer === peer).map((one) => [one.start, one]));
  const last = now - (now % HALF_HOUR_MS);
  const starts = Array.from({ length: COUNT }, (_, i) => last - (COUNT - 1 - i) * HALF_HOUR_MS);
  const tones = starts.map((start) => toneOf(mine.get(start)));
  const counts = (['ok', 'late', 'bad', 'none'] as const)
    .map((tone) => [tone, tones.filter((one) => one === tone).length] as const)
    .filter(([, n]) => n > 0);
  const label = `Last 24 hours in half hours: ${counts.map(([tone, n]) => `${n} ${WORDS[tone]}`).join(', ')}`;
  const bars = tones.map((tone, i) => {
    const height = HEIGHT[tone];
    return html`<rect class="b-${tone}" x="${i * 5}" y="${18 - height}" width="4" height="${height}" rx="1">${titleOf(starts[i]!, tone, mine.get(starts[i]!))}</rect>`;
  });
  return html`<svg class="day" viewBox="0 0 240 18" role="img" aria-label="${label}">${bars}</svg>`;
}

function toneOf(one: Sample | undefined): Tone {
  if (one === undefined) return 'none';
  if (one.failing >= LEAST_SECS) return 'bad';
  if (one.behind >= LEAST_SECS) return 'late';
  return one.ok > 0 ? 'ok' : 'none';
}

function titleOf(start: number, tone: Tone, one: Sample | undefined): Markup {
  const at = new Date(start).toISOString().slice(11, 16);
  const secs = tone === 'bad' ? one?.failing : tone === 'late' ? one?.behind : undefined;
  return html`<title>${at} UTC: ${WORDS[tone]}${secs === undefined ? '' : ` for ${length(secs * 1000)}`}</title>`;
}

/** One line over the day; half hours without a number leave a gap. */
export function dayLine(
  samples: readonly Sample[],
  role: Sample['role'],
  peer: string,
  now: number,
  value: (one: Sample) => number | undefined,
  label: string,
): Markup {
  const mine = new Map(samples.filter((one) => one.role === role && one.peer === peer).map((one) => [one.start, one]));
  const last = now - (now % HALF_HOUR_MS);
  const points = Array.from({ length: COUNT }, (_, i) => {
    const one = mine.get(last - (COUNT - 1 - i) * HALF_HOUR_MS);
    return one === undefined ? undefined : value(one);
  });
  const known = points.filter((one) => one !== undefined);
  if (known.length === 0) return html`<span class="soft">no figures yet</span>`;
  const top = Math.max(...known, 1);
  const dots = points.map((one, i) =>
    one === undefined ? '' : html`<circle cx="${i * 5 + 2}" cy="${(26 - (one / top) * 22).toFixed(1)}" r="1.8"/>`,
  );
  const runs: string[][] = [[]];
  for (const [i, one] of points.entries()) {
    if (one === undefined) runs.push([]);
    else runs.at(-1)!.push(`${i * 5 + 2},${(26 - (one / top) * 22).toFixed(1)}`);
  }
  const lines = runs.filter((run) => run.length > 1).map((run) => html`<polyline points="${run.join(' ')}"/>`);
  return html`<svg class="line" viewBox="0 0 240 30" role="img" aria-label="${label}"><title>${label}</title>${lines}${dots}</svg>`;
}
