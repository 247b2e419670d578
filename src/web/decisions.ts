// What waits for a person: mass removals and additions, values that policy holds, and sightings. Each shows what it
// covers and the worst that follows; a decision names the code of what was shown, and covers nothing that came since.
import type { Disputed } from '../core/store/read/disputed.ts';
import type { HeldSet } from '../core/store/read/waiting.ts';
import type { HeldSighting } from '../core/store/read/sightings.ts';
import { actionForm } from './acting.ts';
import { html, type Insert, type Markup } from './html.ts';
import { messagePage, type Acting, type Page, type PageRequest, type Part } from './page.ts';
import { age, foreign, many, number, table, time, shownValue, whyLink } from './words.ts';

const SAMPLE = 8;
const MOST_SIGHTINGS = 50;

export async function decisionsPage({ pages, acting, now, status }: PageRequest): Promise<Page> {
  const { sets, sightings, disputed } = await pages.waiting(MOST_SIGHTINGS);
  const parts: Part[] = [];
  if (sets.length + sightings.length === 0)
    parts.push({
      name: 'none',
      body: html`<h2>Nothing waits for a person</h2><p>Mass removals and additions, values that policy holds, and sightings that a rule keeps back would stand here, each with what follows from a yes and from a no.</p>`,
    });
  for (const set of sets) {
    const sample = await pages.held(set.id, 0);
    const siem = status.siems.find((one) => one.name === set.siem);
    parts.push({
      name: `hold-${set.id}`,
      body: holdCard(set, siem?.wanted ?? 0, sample?.entries.slice(0, SAMPLE) ?? [], acting, now),
    });
  }
  for (const one of sightings) {
    const shown = await pages.heldSighting(one.id);
    parts.push({ name: `sighting-${one.id}`, body: sightingCard(one, shown?.stix, acting) });
  }
  const more = status.sightings.held - sightings.length;
  if (more > 0)
    parts.push({
      name: 'more',
      body: html`<p>${many(more, 'more sighting')}: <code>entente held list --kind sighting</code></p>`,
    });
  if (disputed.length > 0) parts.push({ name: 'disputed', body: disputedList(disputed) });
  return { title: 'Decisions', screen: 'decisions', parts };
}

/** A suggestion, so without a button of its own: the page of the value says what would follow. */
function disputedList(all: readonly Disputed[]): Markup {
  const rows = all.map((one): Insert[] => [
    shownValue(one.type, one.value),
    list(one.said),
    number(one.count),
    time(one.last),
    list(one.armed),
    whyLink(one.value, 'Take it off'),
  ]);
  const columns = [
    { head: 'Value' },
    { head: 'Said in' },
    { head: 'Times', numeric: true },
    { head: 'Of an event at' },
    { head: 'Armed in' },
    { head: 'To do' },
  ];
  return html`<h2 id="disputed">Called a false positive, and armed</h2>
<p>Somebody closed an alert of it as a false positive. Suppress it, call it harmless, or leave it: nothing follows by itself, and it goes from this list with its hits.</p>
${table(html`<span class="unseen">Values that somebody called a false positive</span>`, columns, rows)}`;
}

const list = (names: readonly string[]): Markup =>
  html`${names.map((one, i) => html`${i > 0 && ', '}<bdi>${one}</bdi>`)}`;

const WORDS = {
  removal: { title: 'Mass removal', one: 'removal', yes: 'Approve: remove them', no: 'Reject: keep them' },
  addition: { title: 'Mass addition', one: 'addition', yes: 'Approve: arm them', no: 'Reject: keep them out' },
  intake: { title: 'Held by policy', one: 'value', yes: 'Approve: arm them', no: 'Reject: keep them out' },
} as const;

type Entry = { readonly type: string; readonly value: string };

function holdCard(set: HeldSet, wanted: number, sample: readonly Entry[], acting: Acting, now: number): Markup {
  const words = WORDS[set.kind];
  return html`<article class="card"><h2>${words.title}: ${many(set.count, words.one)}, <bdi>${set.siem}</bdi></h2>
<p>${foreign(set.reason)}. Asked for by <bdi>${set.exchange}</bdi>, held for ${age(set.created, now)}, since ${time(set.created)}. It never lapses into a yes.</p>
<p><b>${worst(set, wanted)}</b></p>
<ul class="plain sample">${sample.map((one) => html`<li>${shownValue(one.type, one.value)} <span class="soft">${one.type}</span> ${whyLink(one.value)}</li>`)}</ul>
${set.count > sample.length && html`<p><a href="/held/${set.id}">All ${number(set.count)}</a></p>`}
${decide(String(set.id), set.set, words.yes, words.no, acting)}</article>`;
}

function worst({ kind, count, siem }: HeldSet, wanted: number): string {
  const share =
    kind === 'removal' && wanted + count > 0
      ? `, ${Math.round((100 * count) / (wanted + count))} % of what it holds`
      : '';
  const these = count === 1 ? 'this one' : `these ${number(count)}`;
  return kind === 'removal'
    ? `Worst case of a yes: ${these} ${count === 1 ? 'leaves' : 'leave'} ${siem}${share}, and nothing there alerts on them any more.`
    : `Worst case of a yes: ${these} ${count === 1 ? 'is' : 'are'} armed in ${siem}, and each may raise alerts.`;
}

function sightingCard(one: HeldSighting, stix: unknown, acting: Acting): Markup {
  return html`<article class="card"><h2>Sighting for <bdi>${one.exchange}</bdi>: ${one.says}, count ${number(one.count)}</h2>
<p>${foreign(one.reason)}. Held since ${time(one.created)}; denied by itself at ${time(one.expires)}.</p>
<p><b>Worst case of a yes: exactly this leaves the house, and cannot be taken back:</b></p>
<pre tabindex="0" aria-label="The exact STIX">${stix === undefined ? 'it cannot be shown any more' : JSON.stringify(stix, null, 2)}</pre>
${decide(one.id, one.set, 'Approve: send it', 'Reject: never send it', acting)}</article>`;
}

const decide = (id: string, set: string, yes: string, no: string, acting: Acting): Markup =>
  html`<p class="soft">Set <code>${set}</code></p>${actionForm(acting, {
    to: '/held',
    hidden: { id, set },
    buttons: [
      { name: 'decision', value: 'approve', words: yes },
      { name: 'decision', value: 'reject', words: no },
    ],
    command: `entente held approve ${id} --set ${set} --reason TEXT`,
  })}`;

/** Everything that one hold covers, page by page. */
export async function holdPage({ params, query, pages, waiting, acting, now, status }: PageRequest): Promise<Page> {
  const id = Number(params['id']);
  const after = Number(query.get('after') ?? 0);
  const set = waiting.sets.find((one) => one.id === id);
  const found = set === undefined || !Number.isSafeInteger(after) ? undefined : await pages.held(id, after);
  if (set === undefined || found === undefined)
    return messagePage(
      'Nothing is held under this number',
      html`It was decided, or its rows came to nothing. <a href="/held">Decisions</a>`,
      'decisions',
      404,
    );
  const wanted = status.siems.find((one) => one.name === set.siem)?.wanted ?? 0;
  const rows = found.entries.map((one) => [shownValue(one.type, one.value), one.type, whyLink(one.value)]);
  return {
    title: `Hold ${id}`,
    screen: 'decisions',
    parts: [
      { name: `hold-${id}`, body: holdCard(set, wanted, [], acting, now) },
      {
        name: 'entries',
        body: html`${table(`What it covers${after > 0 ? ', continued' : ''}`, [{ head: 'Value' }, { head: 'Type' }, { head: 'More' }], rows)}
<p>${after > 0 && html`<a href="/held/${id}">From the start</a> `}${found.next !== undefined && html`<a href="/held/${id}?after=${found.next}">Next</a>`}</p>`,
      },
    ],
  };
}
