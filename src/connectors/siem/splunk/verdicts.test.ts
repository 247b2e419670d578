// Verdicts read from a simulated Splunk when something is not as it should be, and what stands in the search for them.
import { expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import { ADDRESS, KEY, secs } from '../../../../test/builders/splunk-hits.ts';
import { context, errorOf, never, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import { INSTANCE, splunkConfig } from '../../../../test/contract/splunk-harness.ts';
import type { SiemConnector } from '../../../core/contracts/siem-connector.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import { verdictSearch } from './hit-search.ts';

const rig = new SplunkRig();
const WORDS = { false_positive_dispositions: ['disposition:3'] };
const EVENTS = { event_search: { indexes: ['main'], fields: { 'ipv4-addr': ['dest_ip'] } } };

async function armed(more: object, form: 'lookups' | 'threat_intel' = 'lookups'): Promise<SiemConnector> {
  const connector = await rig.opened({ more, form });
  await connector.apply(upserts([anEntry({ value: ADDRESS })], context(INSTANCE, form)), never);
  return connector;
}
const plant = (fields: Record<string, string>) =>
  void rig.server.state.events.push({ time: secs(), indexed: secs(), fields });
async function read(connector: SiemConnector, hits: Hit[] = []): Promise<Hit[]> {
  for await (const page of connector.hits!.read(undefined, never)) hits.push(...page.hits);
  return hits;
}

it('hits do not wait where Enterprise Security cannot be asked, and the failure says what to do', async () => {
  const connector = await armed({ ...WORDS, ...EVENTS });
  plant({ index: 'main', dest_ip: ADDRESS });
  rig.server.state.macros.clear();
  const hits: Hit[] = [];

  const error = await errorOf(read(connector, hits));

  expect(hits).toMatchObject([{ key: KEY, verdict: 'seen' }]);
  expect(error).toMatchObject({ kind: 'config', code: 'no_notables' });
  expect(error.message).toContain('false_positive_dispositions needs Enterprise Security');
  expect(await connector.probe(never)).toMatchObject({ ok: false, failure: { code: 'no_notables' } });
  expect(rig.server.state.jobs.size).toBe(0);
});

it('verdicts are read though no events are searched', async () => {
  const connector = await armed(WORDS);
  plant({ index: 'notable', entry_key: KEY, disposition: 'disposition:3' });

  expect(await read(connector)).toEqual([]);
  expect(rig.requests('search/v2/jobs 201')).toBe(1);
});

it('a notable about a row of another instance, or about nothing that is a value, is none of ours', async () => {
  const connector = await armed(WORDS, 'threat_intel');
  const disposed = { index: 'notable', disposition: 'disposition:3' };
  plant({ ...disposed, threat_key: 'entente:another', threat_collection_key: 'entente-another-1' });
  plant({ ...disposed, threat_key: `entente:${INSTANCE}`, threat_collection_key: '" OR 1=1' });

  expect(await read(connector)).toEqual([]);
});

it('the search holds ids from the configuration only, and an id with another sign is refused', () => {
  const place = { url: 'http://127.0.0.1:1', auth: { token: 'x' } };
  const config = splunkConfig({ ...place, more: { ...WORDS, ignore_hosts: ['scanner.example'] } });

  expect(verdictSearch(config, `entente:${INSTANCE}`)).toBe(
    'search `notable` | search entry_key=* (disposition="disposition:3") NOT (src="scanner.example" OR src_ip="scanner.example" OR host="scanner.example")' +
      ' | eval entente_key=entry_key | eval entente_hit=sha256(event_id) | sort 0 -_time | table _time, entente_hit, entente_key',
  );
  for (const hostile of ['a" OR index=*', '`x`', 'a|b', ''])
    expect(() => splunkConfig({ ...place, more: { false_positive_dispositions: [hostile] } })).toThrow();
});
