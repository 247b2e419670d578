// What follows from doing something with rows of the difference that somebody chose: counted and shown, then asked for.
import type { DifferenceRow } from '../core/store/read/difference-rows.ts';
import { actionForm, hoursField } from './acting.ts';
import { ROW } from './forms.ts';
import { html, type Insert, type Markup } from './html.ts';
import { messagePage, type Page, type PageRequest } from './page.ts';
import type { Chosen } from './source.ts';
import { age, foreign, many, number, peerName, shownValue, siemHref, table, whyLink } from './words.ts';

export async function chosenPage(request: PageRequest): Promise<Page> {
  const { query, pages } = request;
  const what = query.get('do') ?? '';
  const plan = PLANS[what];
  if (plan === undefined)
    return messagePage('No such act', html`Rows are suppressed, tried again or repaired. ${BACK}`, 'difference', 404);
  const asked = query.getAll('row').flatMap((one) => one.split(','));
  const names = [...new Set(asked)].filter((one) => ROW.test(one));
  const siem = query.get('siem');
  if (names.length === 0 && siem === null)
    return messagePage(
      'Nothing was chosen',
      html`Choose rows first, then say what shall be done with them. ${BACK}`,
      'difference',
    );
  const chosen = await pages.chosen(names);
  if (chosen.rows.length === 0 && siem === null)
    return messagePage('Nothing is left to do', html`None of the chosen rows differs any more. ${BACK}`, 'difference');
  const parts = [{ name: 'plan', body: plan(chosen, request) }];
  if (chosen.rows.length > 0) parts.push({ name: 'rows', body: rows(chosen.rows, request.now) });
  return { title: 'What is done with the chosen', screen: 'difference', parts };
}

const BACK = html`<a href="/difference">Difference</a>`;

const PLANS: Readonly<Record<string, ((chosen: Chosen, request: PageRequest) => Markup) | undefined>> = Object.assign(
  // No name of an object's own kind is an act.
  Object.create(null) as Record<string, (chosen: Chosen, request: PageRequest) => Markup>,
  { suppress, retry, repair },
);

function gone({ gone: n }: Chosen): Markup | false {
  return (
    n > 0 &&
    html`<p>${number(n)} of the chosen rows ${n === 1 ? 'differs no more and is' : 'differ no more and are'} left out.</p>`
  );
}

const shown = ({ rows: all, set }: Chosen) => ({ rows: all.map(({ row }) => row).join(','), set });

function suppress(chosen: Chosen, { acting }: PageRequest): Markup {
  const values = new Set(chosen.rows.map(({ type, value }) => `${type} ${value}`)).size;
  const places = Object.entries(chosen.standing).filter(([, n]) => n > 0);
  const consequence =
    places.length === 0
      ? 'They stand in no SIEM now; taken off, they stay out while a partner publishes them.'
      : html`They leave ${many(places.length, 'SIEM')}: ${places.map(([siem, n], i) => html`${i > 0 && ', '}<bdi>${siem}</bdi> ${number(n)}`)}. Nothing else does: other values that cover them stay.`;
  return html`<h2>Suppress ${many(values, 'value')}</h2><div class="card"><p>${consequence}</p>${gone(chosen)}<p class="soft">Set <code>${chosen.set}</code></p>${
    values > 0 &&
    actionForm(acting, {
      to: '/difference/chosen',
      hidden: shown(chosen),
      fields: hoursField(),
      buttons: [{ name: 'do', value: 'suppress', words: `Suppress ${many(values, 'value')}` }],
      command: 'entente suppress VALUE --hours 24 --reason TEXT',
    })
  }</div>`;
}

function retry(chosen: Chosen, { acting }: PageRequest): Markup {
  const parked = chosen.rows.filter(({ bucket, id }) => bucket === 'park' && id !== null).length;
  const others = chosen.rows.length - parked;
  return html`<h2>Try again</h2><div class="card"><p>${many(parked, 'parked row')} ${parked === 1 ? 'is' : 'are'} tried again at the next cycle${
    others > 0 &&
    html`; ${number(others)} ${others === 1 ? 'is' : 'are'} not parked, or only for want of room, and ${others === 1 ? 'needs' : 'need'} nobody for that`
  }.</p>${gone(chosen)}${
    parked > 0 &&
    actionForm(acting, {
      to: '/difference/chosen',
      hidden: shown(chosen),
      asksReason: false,
      buttons: [{ name: 'do', value: 'retry', words: `Try ${many(parked, 'row')} again` }],
      command: 'entente parked retry ID',
    })
  }</div>`;
}

/** Of whole SIEMs: what is wrong there is known once all that stands there was compared. */
function repair({ rows: all }: Chosen, { acting, status, query }: PageRequest): Markup {
  const names = new Set([...all.map(({ siem }) => siem), query.get('siem')]);
  const siems = status.siems.filter(({ name }) => names.has(name));
  if (siems.length === 0) return html`<h2>Repair</h2><p>No SIEM is configured under this name. ${BACK}</p>`;
  return html`${siems.map(
    (one) =>
      html`<h2>Repair <bdi>${one.name}</bdi></h2><div class="card"><p>It lists all ${many(one.delivered, 'entry', 'entries')} that carry our mark there and compares them with what is wanted. What is missing is added, what is otherwise is written anew, and what nobody wants goes; nothing that others own is touched. At the last audit ${one.drift === 0 ? 'nothing was' : html`${many(one.drift, 'entry was', 'entries were')}`} otherwise than the ledger said.</p>${actionForm(
        acting,
        {
          to: '/difference/chosen',
          hidden: { siem: one.name },
          asksReason: false,
          buttons: [{ name: 'do', value: 'repair', words: `Repair ${one.name}` }],
          command: `entente reconcile --siem ${one.name} --repair`,
        },
      )}</div>`,
  )}`;
}

function rows(all: readonly DifferenceRow[], now: number): Markup {
  const body = all.map((one): Insert[] => [
    html`${shownValue(one.type, one.value)}<span class="t">${one.type} · ${whyLink(one.value)}</span>`,
    peerName(one.siem, siemHref(one.siem)),
    one.bucket,
    html`${one.exchanges.length > 0 && html`<bdi>${one.exchanges.join(', ')}</bdi>: `}${foreign(one.why)}`,
    html`${age(one.since, now)}`,
  ]);
  const heads = ['Value', 'SIEM', 'What', 'Why', 'For'].map((head) => ({ head }));
  return html`<h2>What was chosen</h2>${table(many(all.length, 'row'), heads, body)}`;
}
