// Searches over planted events, and the life of a job.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSplunk, startSplunk } from './index.ts';
import { type Ask, ask, said } from './testing.ts';

const NOON = Date.UTC(2026, 10, 23, 12);
const clock = { now: () => NOON, monotonic: () => 0, sleep: async () => {} };
let server: RunningSplunk;

beforeEach(async () => {
  server = await startSplunk({ clock });
  const at = (minutes: number) => NOON / 1000 - minutes * 60;
  server.state.events.push(
    { time: at(30), indexed: at(1), fields: { index: 'proxy', src: '192.0.2.1', url: 'https://a.example/', n: '5' } },
    { time: at(10), indexed: at(10), fields: { index: 'proxy', src: '192.0.2.2', url: 'https://b.example/', n: '12' } },
    { time: at(5), indexed: at(5), fields: { index: 'dns', src: '192.0.2.1', query: ['a.example', 'b.example'] } },
  );
});
afterEach(() => server.close());

async function rows(search: string, form: Record<string, string> = {}): Promise<Record<string, unknown>[]> {
  const told = await ask(server, 'POST', '/services/search/v2/jobs', {
    form: { search, exec_mode: 'oneshot', ...form },
  });
  if (told.status !== 200) throw new Error(told.text);
  return told.json<{ results: Record<string, unknown>[] }>().results;
}
const sources = async (search: string, form?: Record<string, string>) =>
  (await rows(search, form)).map((row) => row['src']);

describe('a search', () => {
  it('finds by field, wildcard, comparison, NOT, OR and brackets, newest first', async () => {
    expect(await sources('search index=proxy')).toEqual(['192.0.2.2', '192.0.2.1']);
    expect(await sources('search url="https://a.*"')).toEqual(['192.0.2.1']);
    expect(await sources('search index=proxy n>6')).toEqual(['192.0.2.2']);
    expect(await sources('search index=* NOT index=proxy')).toEqual(['192.0.2.1']);
    expect(await sources('search (index=dns OR n=12) src=192.0.2.*')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await sources('search index=dns query=b.example')).toEqual(['192.0.2.1']);
  });

  it('counts events by index, also where there are none', async () => {
    expect(await rows('| eventcount summarize=false index=proxy index="d*" index=main | fields index, count')).toEqual([
      { index: 'main', count: '0' },
      { index: 'proxy', count: '2' },
      { index: 'dns', count: '1' },
    ]);
    expect(await rows('| eventcount index=*')).toEqual([{ count: expect.stringMatching(/^\d+$/) }]);
    expect(await rows('| eventcount summarize=false index=none')).toEqual([]);
  });

  it('tells event time from index time', async () => {
    expect(await sources('search index=proxy earliest=-15m')).toEqual(['192.0.2.2']);
    expect(await sources('search index=proxy _index_earliest=-2m')).toEqual(['192.0.2.1']);
    expect(await sources('search index=proxy', { index_earliest: String(NOON / 1000 - 120) })).toEqual(['192.0.2.1']);
    expect(await sources('search index=proxy latest=-20m')).toEqual(['192.0.2.1']);
  });

  it('reckons fields by eval: joined and compared texts, digests, and several values', async () => {
    const evaluated = async (expression: string) =>
      (await rows(`search index=dns | eval x=${expression} | table x`)).map((row) => row['x']);

    expect(await evaluated(`src."|".'index'`)).toEqual(['192.0.2.1|dns']);
    expect(await evaluated('src.missing')).toEqual([undefined]);
    expect(await evaluated('sha256("abc")')).toEqual([
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    ]);
    expect(await evaluated('mvdedup(mvappend(query, missing, "a.example"))')).toEqual([['a.example', 'b.example']]);
    expect(await evaluated('mvmap(query, if(query=="b.".missing, query, null()))')).toEqual([undefined]);
    expect(await evaluated('mvmap(query, if(query=="b.example", query, null()))')).toEqual(['b.example']);
    expect(await evaluated('mvmap(query, rtrim(upper.lower(query), "e"))')).toEqual([undefined]);
    expect(await evaluated('mvmap(query, rtrim(lower(query), "le"))')).toEqual([['a.examp', 'b.examp']]);
    expect(await evaluated('src, y=x."!", x=y')).toEqual(['192.0.2.1!']);
    expect(await evaluated('coalesce(missing, query, "-")')).toEqual([['a.example', 'b.example']]);
    expect(await evaluated('max(mvappend("9", "12"))')).toEqual(['12']);
    await expect(evaluated('nothing(src)')).rejects.toThrow('unsupported or undefined');
    await expect(evaluated('src.')).rejects.toThrow('malformed');
  });

  it('tells each event from every other by its bucket and its place there', async () => {
    const found = await rows('search index=* | table _bkt, _cd');

    expect(new Set(found.map((row) => JSON.stringify([row['_bkt'], row['_cd']]))).size).toBe(3);
    expect(await rows('search index=* | table _bkt, _cd')).toEqual(found);
  });

  it('shapes rows by table, fields, sort, head, dedup and stats', async () => {
    expect(await rows('search index=proxy | sort 0 _indextime | table src n')).toEqual([
      { src: '192.0.2.2', n: '12' },
      { src: '192.0.2.1', n: '5' },
    ]);
    expect(await rows('search index=* | stats count by src')).toEqual([
      { src: '192.0.2.1', count: '2' },
      { src: '192.0.2.2', count: '1' },
    ]);
    expect(await rows('search index=* | dedup src | head 1 | fields src | fields - _time')).toEqual([
      { src: '192.0.2.1' },
    ]);
    expect(await rows('| makeresults count=2 | stats count')).toEqual([{ count: '2' }]);
  });

  it('is refused by name when it is not understood, or missing', async () => {
    const told = async (form: Record<string, string>) => ask(server, 'POST', '/services/search/jobs', { form });

    expect(said(await told({ search: 'abcd' }))).toEqual(['FATAL', "Unknown search command 'abcd'."]);
    expect(said(await told({ search: 'search * | timechart count' }))[1]).toBe("Unknown search command 'timechart'.");
    expect((await told({})).status).toBe(400);
    expect(said(await told({ search: '| inputlookup none' }))[1]).toContain("Could not construct lookup 'none'");
  });
});

describe('a lookup', () => {
  const LOOKUPS = '/servicesNS/nobody/search/data/transforms/lookups';

  beforeEach(async () => {
    await ask(server, 'POST', '/servicesNS/nobody/search/storage/collections/config', { form: { name: 'c' } });
    const form = { name: 'l', external_type: 'kvstore', collection: 'c', fields_list: '_key, url, net, note' };
    await ask(server, 'POST', LOOKUPS, { form: { ...form, case_sensitive_match: 'false', match_type: 'CIDR(net)' } });
    await ask(server, 'POST', '/servicesNS/nobody/search/storage/collections/data/c/batch_save', {
      body: [
        { _key: '1', url: 'https://a.example/', note: 'lower' },
        { _key: '2', url: 'https://B.example/', note: 'stored with an upper-case letter' },
        { _key: '3', net: '192.0.2.0/31', note: 'network' },
        { _key: '4', url: 'https://a.example/', note: 'again', hidden: 'not in fields_list' },
      ],
    });
  });

  it('joins rows, several values at once, and finds no document that is not in lower case', async () => {
    const found = await rows('search index=proxy | lookup l url OUTPUT note, hidden | table src note hidden');

    expect(found).toEqual([{ src: '192.0.2.2' }, { src: '192.0.2.1', note: ['lower', 'again'] }]);
    const local = 'search index=proxy | lookup local=true l url OUTPUT note, hidden | table src note hidden';
    expect(await rows(local)).toEqual(found);
  });

  it('looks each value of a field up, and gives max_matches rows for each', async () => {
    server.state.lookups.get('search/l')!.settings.set('max_matches', '1');
    const url = ['https://other.example/', 'https://a.example/'];
    server.state.events.push({ time: NOON / 1000, indexed: NOON / 1000, fields: { index: 'web', url, dest: 'x' } });

    expect(await rows('search index=web | lookup l url OUTPUT note | table note')).toEqual([{ note: 'lower' }]);
    const both = 'search index=web | eval url=mvappend(url, "https://a.example/") | lookup l url OUTPUT note';
    expect(await rows(`${both} | table note`)).toEqual([{ note: ['lower', 'lower'] }]);
    expect(await rows('search index=web | mvexpand url | table dest url')).toEqual(
      url.map((one) => ({ dest: 'x', url: one })),
    );
  });

  it('folds what it looks for, or not, since the pages of the product contradict each other', async () => {
    const found = () => rows('| makeresults | eval url="HTTPS://A.example/" | lookup l url OUTPUT note | table note');

    expect(await found()).toEqual([{ note: ['lower', 'again'] }]);
    server.state.settings.lookupsFoldCase = false;
    expect(await found()).toEqual([{}]);
  });

  it('finds nothing while the KV store has not started, says so, and the search goes on to its end', async () => {
    server.state.settings.kvReadyAt = NOON + 1;
    const form = { search: 'search index=proxy | lookup l url OUTPUT note', exec_mode: 'oneshot' };

    const told = (await ask(server, 'POST', '/services/search/v2/jobs', { form })).json<{
      results: object[];
      messages: object[];
    }>();

    expect(told.results).toHaveLength(2);
    expect(told.messages).toEqual([{ type: 'ERROR', text: expect.stringContaining("lookup 'l' is not available") }]);
  });

  it('keeps with OUTPUTNEW what an earlier lookup found', async () => {
    const first = 'search index=proxy | lookup l url OUTPUT note | lookup l net AS src';

    expect((await rows(`${first} OUTPUTNEW note | table note`)).at(-1)).toEqual({ note: ['lower', 'again'] });
    expect((await rows(`${first} OUTPUT note | table note`)).at(-1)).toEqual({ note: 'network' });
  });

  it('compares networks with addresses', async () => {
    expect(
      await rows('search index=proxy | lookup l net AS src OUTPUTNEW note AS why | where isnotnull(why) | table src'),
    ).toEqual([{ src: '192.0.2.1' }]);
  });

  it('is seen by other apps and plain users only when it is shared', async () => {
    const asReader: Ask = {
      as: `Bearer ${server.reader.token}`,
      form: { search: '| inputlookup l where note="network"', exec_mode: 'oneshot' },
    };
    const path = '/servicesNS/analyst/launcher/search/jobs';

    expect((await ask(server, 'POST', path, asReader)).status).toBe(400);
    const shared = { owner: 'nobody', sharing: 'global', 'perms.read': '*' };
    expect((await ask(server, 'POST', `${LOOKUPS}/l/acl`, { form: { sharing: 'global' } })).status).toBe(400);
    expect((await ask(server, 'POST', `${LOOKUPS}/l/acl`, { form: shared })).status).toBe(200);
    expect((await ask(server, 'POST', path, asReader)).json()).toMatchObject({ results: [{ note: 'network' }] });
  });
});

describe('a job', () => {
  const JOBS = '/services/search/v2/jobs';
  const start = async (form: Record<string, string>) =>
    (await ask(server, 'POST', JOBS, { form })).json<{ sid: string }>().sid;

  it('is read page by page until an empty page, and its rows do not change', async () => {
    const sid = await start({ search: 'search index=proxy | table src' });
    server.state.events.push({ time: NOON / 1000, indexed: NOON / 1000, fields: { index: 'proxy', src: 'late' } });
    const page = async (offset: number) =>
      (await ask(server, 'POST', `${JOBS}/${sid}/results`, { form: { count: '1', offset: String(offset) } })).json<{
        results: unknown[];
      }>().results;

    expect([await page(0), await page(1), await page(2)]).toEqual([[{ src: '192.0.2.2' }], [{ src: '192.0.2.1' }], []]);
  });

  it('is not ready at once, and can be finalized, post-processed and cancelled', async () => {
    server.state.settings.jobMs = 60_000;
    const sid = await start({ search: 'search index=*' });
    const state = async () => (await ask(server, 'GET', `${JOBS}/${sid}`)).json<{ entry: { content: object }[] }>();

    expect((await state()).entry[0]?.content).toMatchObject({ isDone: false, dispatchState: 'RUNNING' });
    expect((await ask(server, 'GET', `${JOBS}/${sid}/results`)).status).toBe(204);
    await ask(server, 'POST', `${JOBS}/${sid}/control`, { form: { action: 'finalize' } });
    expect((await state()).entry[0]?.content).toMatchObject({ isDone: true, resultCount: 3 });
    const post = await ask(server, 'GET', `${JOBS}/${sid}/results`, { query: { search: 'stats count by index' } });
    expect(post.json()).toMatchObject({ post_process_count: 2 });
    const cancelled = await ask(server, 'POST', `${JOBS}/${sid}/control`, { form: { action: 'cancel' } });
    expect(said(cancelled)).toEqual(['INFO', 'Search job cancelled.']);
    expect(said(await ask(server, 'GET', `${JOBS}/${sid}`))).toEqual(['FATAL', 'Unknown sid.']);
  });

  it('answers 204 before it is ready to tell its state, and tells its messages when it is done', async () => {
    server.state.settings.jobUnreadyMs = 1;
    const early = await start({ search: 'search index=*' });
    expect(await ask(server, 'GET', `${JOBS}/${early}`)).toMatchObject({ status: 204, text: '' });

    Object.assign(server.state.settings, {
      jobUnreadyMs: 0,
      jobMessages: [{ type: 'ERROR', text: 'A peer is down.' }],
    });
    const sid = await start({ search: 'search index=*' });
    const state = (await ask(server, 'GET', `${JOBS}/${sid}`)).json<{ entry: { content: object }[] }>();
    expect(state.entry[0]?.content).toMatchObject({
      isDone: true,
      isFailed: false,
      messages: [{ type: 'ERROR', text: 'A peer is down.' }],
    });
  });

  it('is refused with 503 above the quota', async () => {
    server.state.settings.jobMs = 60_000;
    server.state.settings.searchQuota = 1;
    await start({ search: 'search index=*' });

    const told = await ask(server, 'POST', JOBS, { form: { search: 'search index=*' } });

    expect(told.status).toBe(503);
    expect(said(told)[1]).toContain('maximum number of concurrent historical searches');
  });

  it('streams by export one object a line, and an empty set as its last row', async () => {
    const lines = async (search: string) =>
      (await ask(server, 'POST', `${JOBS}/export`, { form: { search } })).text.trim().split('\n');

    const full = await lines('search index=proxy | table src');
    expect(JSON.parse(full.at(-1)!)).toEqual({
      preview: false,
      offset: 1,
      lastrow: true,
      result: { src: '192.0.2.1' },
    });
    expect(await lines('search index=none')).toEqual(['{"preview":false,"lastrow":true}']);
  });

  it('is found under v2 from 9.0.1 on only', async () => {
    const old = await startSplunk({ version: '8.2.5' });
    const search = { search: '| makeresults' };

    expect((await ask(old, 'POST', JOBS, { form: search })).status).toBe(404);
    expect((await ask(old, 'POST', '/services/search/jobs', { form: search })).status).toBe(201);
    await old.close();
  });
});
