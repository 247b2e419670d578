// What a person does with rows of a page: it is done to exactly what was shown, by one request, or refused.
import { describe, expect, it, onTestFinished } from 'vitest';
import { aSiem, indicators, ipv4, NOW, Rig } from '../../test/builders/store.ts';
import type { App } from '../app.ts';
import type { Json } from '../core/model/json.ts';
import { StoreReader } from '../core/store/read/status.ts';
import { RefusedReader } from '../core/store/read/refused.ts';
import { Pages } from './pages.ts';

function pagesOf(rig: Rig) {
  const requests: Json[] = [];
  const app = {
    config: { state: rig.path, siems: [], exchanges: [] },
    clock: { monotonic: () => 0, sleep: async () => {} },
    now: () => NOW,
    reader: { standing: (values: readonly unknown[]) => ({ siem: values.length }) },
    store: {
      makeRequest: async (kind: string, args: object) => requests.push({ kind, ...args } as Json),
      requestOutcome: async () => ({ ok: true, value: 'done' }),
    },
    // The pages need no more of it for this.
  } as unknown as App;
  const pages = new Pages(app);
  onTestFinished(() => pages.close());
  return { pages, requests };
}

describe('rows that were chosen', () => {
  it('are one request, under the code of what was shown', async () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    const { pages, requests } = pagesOf(rig);
    const shown = await pages.chosen(['1-1', '1-3', '1-77']);
    expect([shown.rows.map(({ value }) => value), shown.gone, shown.standing]).toEqual([
      ['198.18.0.0', '198.18.0.2'],
      1,
      { siem: 2 },
    ]);

    const asked = { rows: ['1-1', '1-3', '1-77'], set: shown.set };
    const outcome = await pages.act({ kind: 'suppress-chosen', ...asked, hours: 24, reason: 'noise' }, 'Ann');

    expect(outcome).toEqual({ done: 'done' });
    expect(requests).toEqual([
      {
        kind: 'suppress',
        observables: [
          { type: 'ipv4-addr', value: '198.18.0.0' },
          { type: 'ipv4-addr', value: '198.18.0.2' },
        ],
        hours: 24,
        reason: 'noise',
        false_positive: false,
      },
    ]);
  });

  it('are refused once one of them is otherwise than it was shown', async () => {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    const { pages, requests } = pagesOf(rig);
    const { set } = await pages.chosen(['1-1', '1-2']);

    rig.deliver(NOW, 'siem', (key) =>
      key.endsWith('198.18.0.1') ? { kind: 'park', reason: 'too long' } : { kind: 'applied' },
    );
    const outcome = await pages.act({ kind: 'retry-chosen', rows: ['1-1', '1-2'], set }, 'Ann');

    expect(outcome).toEqual({ refused: expect.stringContaining('changed since') as string });
    expect(requests).toEqual([]);

    const now = await pages.chosen(['1-1', '1-2']);
    await pages.act({ kind: 'retry-chosen', rows: ['1-1', '1-2'], set: now.set }, 'Ann');
    expect(requests).toEqual([{ kind: 'retry-parked', ids: ['1-2'] }]);
  });
});

describe('a value', () => {
  it('is judged by never-block lists that the store looked it up on: none is read here', async () => {
    const neverBlock = {
      actions: { mine: 'refuse' },
      own: { networks: [], domains: [] },
      lists: '/nowhere/lists',
    } as const;
    const given = aSiem();
    const [pair] = Object.values(given.rules);
    const rules = { partner: { ...pair!, intake: { ...pair!.intake, neverBlock } } };
    const rig = new Rig();
    rig.commit(indicators(0, 1));
    rig.close();
    const reader = new StoreReader({ ...rig.spec, siems: [{ ...given, rules }] });
    onTestFinished(() => reader.close());
    const found = { list: 'mine', what: 'is listed', within: true };

    const why = reader.why(ipv4('198.18.0.0'), NOW, new Map([['/nowhere/lists', [found]]]));

    expect(why?.claims[0]?.decisions).toMatchObject([
      { decision: 'refuse', reason: expect.stringContaining('is listed (never-block list mine)') as string },
    ]);
    expect(() => reader.why(ipv4('198.18.0.0'), NOW)).toThrow('never-block lists cannot be read');
    new RefusedReader({ ...rig.spec, siems: [{ ...given, rules }] }).close();
  });
});
