// The flow as a picture: what comes from whom, what is wanted, who holds it, and what goes back. Every number of it
// stands in the tables too; the picture is for the eye.
import type { SiemReport, StatusReport } from '../core/model/status.ts';
import { html, type Markup } from './html.ts';
import { many, number } from './words.ts';

/** Boxes that one column has room for. */
const MOST = 6;
const ROW = 66;
const BOX = 50;

export function flowPicture(status: StatusReport, wanted: number): Markup {
  const { exchanges, siems, sightings } = status;
  const left = boxes(exchanges, (one) => ({
    name: one.name,
    line: one.type,
    number: number(one.objects),
    tone: one.state,
    told: one.report.state !== 'paused',
  }));
  const right = boxes(siems, (one) => ({
    name: one.name,
    line: syncWords(one),
    number: number(one.delivered),
    tone: one.state,
    told: false,
  }));
  const rows = Math.max(left.length, right.length, 1);
  const height = rows * ROW + 34;
  const middle = 20 + (rows * ROW) / 2;
  const yOf = (i: number, count: number) => 20 + (rows * ROW) / 2 - (count * ROW) / 2 + i * ROW + ROW / 2;
  const refused = exchanges.reduce((sum, one) => sum + one.refused, 0);
  const held = siems.reduce((sum, one) => sum + one.held, 0);
  const spoken = `${many(exchanges.length, 'exchange')} publish ${many(
    exchanges.reduce((sum, one) => sum + one.objects, 0),
    'object',
  )}; ${many(wanted, 'value is', 'values are')} wanted; ${siems
    .map((one) => `${one.name} holds ${number(one.delivered)}`)
    .join(', ')}; ${many(sightings.sent, 'sighting')} went back.`;
  const told = left.flatMap((one, i) => (one.told ? [yOf(i, left.length)] : []));
  return html`<h2>Flow</h2><div class="flow"><svg viewBox="-20 0 1180 ${height}" role="img" aria-labelledby="flow-title">
<title id="flow-title">${spoken}</title>
${left.map((one, i) => {
  const y = yOf(i, left.length);
  return html`${box(6, y, 200, one)}${arrow(206, y, 384, middle, one)}${along(214, y - 7, one.number)}`;
})}
<rect class="box main" x="386" y="${middle - 36}" width="230" height="72" rx="9"/>
<text x="501" y="${middle - 8}" class="mid big">${number(wanted)} wanted</text>
<text x="501" y="${middle + 16}" class="mid s">${number(refused)} refused · ${number(held)} held</text>
${right.map((one, i) => {
  const y = yOf(i, right.length);
  return html`${box(784, y, 230, one)}${arrow(616, middle, 782, y, one)}${along(772, y - 7, one.number, 'end')}`;
})}
${right.map((_, i) => html`<path class="back" d="M1014 ${yOf(i, right.length)}C1028 ${yOf(i, right.length)} 1026 ${middle} 1040 ${middle}"/>`)}
<rect class="box" x="1040" y="${middle - 36}" width="114" height="72" rx="9"/>
<text x="1097" y="${middle - 8}" class="mid">${number(sightings.sent)} told</text>
<text x="1097" y="${middle + 16}" class="mid s">${number(sightings.held)} held</text>
${told.length > 0 && wayBack(told, middle + 36, height - 8)}
</svg></div>`;
}

interface Box {
  readonly name: string;
  readonly line: string;
  readonly number: string;
  readonly tone: string;
  /** Sightings go there. */
  readonly told: boolean;
}

function boxes<T>(all: readonly T[], boxOf: (one: T) => Box): Box[] {
  if (all.length <= MOST) return all.map(boxOf);
  return [
    ...all.slice(0, MOST - 1).map(boxOf),
    {
      name: `and ${all.length - MOST + 1} more`,
      line: 'in the tables below',
      number: '',
      tone: 'paused',
      told: all.slice(MOST - 1).some((one) => boxOf(one).told),
    },
  ];
}

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

const box = (
  x: number,
  y: number,
  width: number,
  { name, line, tone }: Box,
): Markup => html`<rect class="box ${tone}" x="${x}" y="${y - BOX / 2}" width="${width}" height="${BOX}" rx="9"/>
<text x="${x + 16}" y="${y - 4}">${cut(name, 24)}</text><text class="s" x="${x + 16}" y="${y + 15}">${cut(line, 32)}</text>`;

const arrow = (x1: number, y1: number, x2: number, y2: number, { tone }: Box): Markup =>
  html`<path class="way ${tone}" d="M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}"/><path class="tip ${tone}" d="M${x2 - 8} ${y2 - 5}L${x2} ${y2}L${x2 - 8} ${y2 + 5}"/>`;

/** Along the lower edge and up at the left, into each exchange that is told. */
const wayBack = (told: readonly number[], from: number, low: number): Markup =>
  html`<path class="back" d="M1097 ${from}V${low}H-12V${told[0] ?? low}"/>${told.map(
    (y) => html`<path class="back" d="M-12 ${y}H4"/><path class="back tip" d="M-3 ${y - 5}L5 ${y}L-3 ${y + 5}"/>`,
  )}<text class="mid s" x="600" y="${low - 6}">sightings go back to those who published</text>`;

const along = (x: number, y: number, text: string, anchor: 'start' | 'end' = 'start'): Markup =>
  html`<text class="s along ${anchor}" x="${x}" y="${y}">${text}</text>`;

export type Sync = 'not kept' | 'not known' | 'behind' | 'drifted' | 'short' | 'in sync';

/** The sync axis. A SIEM that was reached last is known, whatever ails it; one that was not is not. */
export function syncState(one: SiemReport): Sync {
  if (one.state === 'paused') return 'not kept';
  const lost = one.last_failure !== null && one.last_success !== null && one.last_failure > one.last_success;
  if (one.last_success === null || (one.state === 'failing' && lost && one.pending === 0)) return 'not known';
  if (one.pending > 0) return 'behind';
  if (one.drift > 0) return 'drifted';
  return one.state !== 'ok' && one.parked > 0 ? 'short' : 'in sync';
}

export function syncWords(one: SiemReport): string {
  const sync = syncState(one);
  if (sync === 'behind') return `${number(one.pending)} behind`;
  if (sync === 'drifted') return `drifted ${number(one.drift)}`;
  return sync === 'short' ? `all but ${number(one.parked)}` : sync;
}
