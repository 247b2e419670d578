// The status page: what /status says, readable without a tool. One self-contained page without scripts; names and
// reasons come from partners and products, so every text is escaped.
import type { ExchangeReport, PartReport, SiemReport, StatusReport } from '../core/model/status.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
caption { text-align: left; font-size: 1.3rem; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8885; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.state { font-weight: 600; }
.ok { color: #1a7f37; } .recovering { color: #9a6700; } .failing { color: #cf222e; } .paused { color: #6e7781; }
input, button { font: inherit; padding: .5rem; max-width: 100%; box-sizing: border-box; }
@media (max-width: 48rem) {
  body { margin: 1rem auto; }
  table, tbody, tr, td, caption { display: block; }
  thead { position: absolute; left: -999rem; }
  tr { padding: .5rem 0; border-bottom: 2px solid #8885; }
  td, td.n { border: 0; padding: .1rem 0; text-align: left; }
  td:empty { display: none; }
  td[data-label]::before { content: attr(data-label) ': '; color: #6e7781; }
}
`;

const page = (title: string, body: string): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;

export function statusPage(status: StatusReport, now: string): string {
  const reasons = status.reasons.map((one) => `<li>${escaped(one)}</li>`).join('');
  return page(
    `${status.instance}: ${status.state}`,
    `<h1>${escaped(status.instance)} <span class="state ${status.state}">${status.state}</span></h1>
<p>Entente ${escaped(status.version)}, in this state since ${time(status.since)}. As of ${time(now)}; <a href="/">look again</a>.</p>
${reasons === '' ? '' : `<ul>${reasons}</ul>`}
${exchanges(status.exchanges)}
${siems(status.siems)}
${waysBack(status)}`,
  );
}

/** Beyond loopback, for a browser that has no token yet. */
export function signInPage(wrong?: string): string {
  return page(
    'Entente',
    `<h1>Entente</h1>
<form method="post" action="/sign-in">
<p><label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label> <button>Sign in</button></p>
${wrong === undefined ? '' : `<p role="alert">${escaped(wrong)}</p>`}
</form>`,
  );
}

const time = (iso: string): string => `<time datetime="${escaped(iso)}">${escaped(iso)}</time>`;

function exchanges(all: readonly ExchangeReport[]): string {
  const counts = ['objects', 'indicators', 'refused', 'parked', 'held'];
  const rows = all.map((one) => ({
    part: one,
    more: [one.type, one.next_attempt ?? one.next_poll ?? ''],
    counts: [one.objects, one.indicators, one.refused, one.parked, one.held],
  }));
  return table('Exchanges', ['type', 'next'], counts, rows);
}

function siems(all: readonly SiemReport[]): string {
  const counts = ['wanted', 'delivered', 'pending', 'parked', 'held', 'rejected', 'oldest, s'];
  const rows = all.map((one) => ({
    part: one,
    more: [one.type, one.next_attempt ?? ''],
    counts: [one.wanted, one.delivered, one.pending, one.parked, one.held, one.rejected, one.oldest_pending_secs],
  }));
  return table('SIEMs', ['type', 'next'], counts, rows);
}

/** Hits and reports have rows of their own: a SIEM may take entries and refuse its hits. */
function waysBack({ siems, exchanges }: StatusReport): string {
  const rows = [
    ...siems.map((one) => ({ part: { ...one.hits, name: `hits of ${one.name}` }, more: [], counts: [] })),
    ...exchanges.map((one) => ({ part: { ...one.report, name: `reports to ${one.name}` }, more: [], counts: [] })),
  ];
  return table('Way back', [], [], rows);
}

interface Row {
  readonly part: PartReport & { readonly name: string };
  readonly more: readonly string[];
  readonly counts: readonly number[];
}

function table(caption: string, more: readonly string[], counts: readonly string[], rows: readonly Row[]): string {
  if (rows.length === 0) return `<h2>${caption}</h2><p>None is configured.</p>`;
  const before = ['name', 'state', ...more, 'since', 'last success'];
  const after = ['reason', 'next action'];
  const head = [...before, ...counts, ...after];
  const cells = head.map((one) => `<th scope="col"${counts.includes(one) ? ' class="n"' : ''}>${one}</th>`).join('');
  const body = rows.map(({ part, more: given, counts: numbers }) => {
    const texts = [...given, part.since ?? '', part.last_success ?? (part.since === undefined ? '' : 'never')];
    const all = [
      `<td>${escaped(part.name)}</td><td class="state ${part.state}">${part.state}</td>`,
      ...texts.map((one, i) => cell(before[i + 2]!, one)),
      ...numbers.map((one, i) => `<td class="n" data-label="${counts[i]}">${one.toLocaleString('en')}</td>`),
      ...[part.reason ?? '', part.next_action ?? ''].map((one, i) => cell(after[i]!, one)),
    ];
    return `<tr>${all.join('')}</tr>`;
  });
  return `<table><caption>${caption}</caption><thead><tr>${cells}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

const cell = (label: string, text: string): string => `<td data-label="${label}">${escaped(text)}</td>`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? '');
}
