// The status page: what /status says, readable without a tool. One self-contained page without scripts; names and
// reasons come from partners and products, so every text is escaped.
import type { ExchangeReport, SiemReport, StatusReport } from '../core/model/status.ts';

export function statusPage(status: StatusReport): string {
  const reasons = status.reasons.map((one) => `<li>${escaped(one)}</li>`).join('');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="15">
<title>${escaped(status.instance)}: ${status.state}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8885; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.state { font-weight: 600; }
.ok { color: #1a7f37; } .recovering { color: #9a6700; } .failing { color: #cf222e; } .paused { color: #6e7781; }
</style>
</head>
<body>
<h1>${escaped(status.instance)} <span class="state ${status.state}">${status.state}</span></h1>
<p>Entente ${escaped(status.version)}, in this state since ${escaped(status.since)}.</p>
${reasons === '' ? '' : `<ul>${reasons}</ul>`}
<h2>Exchanges</h2>
${exchanges(status.exchanges)}
<h2>SIEMs</h2>
${siems(status.siems)}
</body>
</html>
`;
}

function exchanges(all: readonly ExchangeReport[]): string {
  if (all.length === 0) return '<p>None is configured.</p>';
  const rows = all.flatMap((one) => [
    row(one, [one.objects, one.indicators, one.refused, one.parked, one.held]),
    ...(one.collections.length > 1 ? one.collections : one.collections.filter(({ reason }) => reason !== null)).map(
      (part) => row({ ...part, name: `${one.name} / ${part.title}`, type: 'collection' }, ['', '', '', '', '']),
    ),
  ]);
  return table(['objects', 'indicators', 'refused', 'parked', 'held'], rows);
}

function siems(all: readonly SiemReport[]): string {
  if (all.length === 0) return '<p>None is configured.</p>';
  const rows = all.map((one) => row(one, [one.wanted, one.delivered, one.pending, one.parked, one.held]));
  return table(['wanted', 'delivered', 'pending', 'parked', 'held'], rows);
}

function table(counts: readonly string[], rows: readonly string[]): string {
  const head = ['name', 'state', 'last success', ...counts.map((one) => `${one}`), 'reason', 'next action'];
  const cells = head.map((one) => `<th${counts.includes(one) ? ' class="n"' : ''}>${one}</th>`).join('');
  return `<table><thead><tr>${cells}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

type Row = Pick<ExchangeReport | SiemReport, 'name' | 'type' | 'state' | 'last_success' | 'reason' | 'next_action'>;

function row(one: Row, counts: readonly (number | '')[]): string {
  const numbers = counts.map((count) => `<td class="n">${count.toLocaleString('en')}</td>`).join('');
  return `<tr><td>${escaped(one.name)}<br><small>${escaped(one.type)}</small></td><td class="state ${one.state}">${one.state}</td><td>${escaped(one.last_success ?? 'never')}</td>${numbers}<td>${escaped(one.reason ?? '')}</td><td>${escaped(one.next_action ?? '')}</td></tr>`;
}

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
