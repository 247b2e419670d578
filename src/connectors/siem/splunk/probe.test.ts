// `check --probe` asks what real work asks, and changes nothing.
import { describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import { addresses, never, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import { ES_APP } from '../../../simulators/splunk/threat-intel.ts';

const rig = new SplunkRig();
const EVENTS = { event_search: { indexes: ['main'], fields: { 'ipv4-addr': ['dest_ip'] } } };
const failing = { headers: { 'content-type': 'text/html' }, body: '<html><body>no</body></html>' };

describe('a probe', () => {
  it('leaves everything as it stood', async () => {
    const connector = await rig.opened({ more: EVENTS });
    await connector.apply(upserts([...addresses(3), anEntry({ value: '192.0.2.7' })]), never);
    const before = JSON.stringify([...rig.server.state.collections].map(([name, one]) => [name, [...one.documents]]));

    const probe = await connector.probe(never);

    expect(probe, probe.message).toMatchObject({ ok: true, message: expect.stringContaining('hits can be searched') });
    const after = JSON.stringify([...rig.server.state.collections].map(([name, one]) => [name, [...one.documents]]));
    expect(after).toBe(before);
    expect(rig.server.state.jobs.size).toBe(0);
  });

  it.each([
    ['DELETE', 405],
    ['DELETE', 403],
    ['POST /servicesNS/nobody/entente/storage', 405],
  ])('finds that %s is refused on the way with %i', async (match, status) => {
    const connector = await rig.opened();
    rig.server.setFaults([{ match, action: 'status', status, ...failing }]);

    const probe = await connector.probe(never);

    expect(probe).toMatchObject({ ok: false });
    expect(probe.message).toContain(`refused by something in between (${status}, a web page)`);
  });

  it.each(['auto', 'never'] as const)(
    'names a field that would lose its values, with provision: %s',
    async (provision) => {
      await rig.opened();
      rig.server.state.collections.get('entente/entente_ip')!.settings.set('field.ip', 'number');
      const connector = rig.connect({ provision });

      const probe = await connector.probe(never);
      const opened = await connector.open(never).then(
        () => 'opened',
        (error: unknown) => String(error),
      );

      const named = 'field ip of collection entente_ip is declared as number and has to be string';
      // Where we may, it is corrected at the start.
      if (provision === 'never')
        expect([probe.message, opened].map((said) => said.includes(named))).toEqual([true, true]);
      else expect([probe.ok, opened]).toEqual([true, 'opened']);
      const now = rig.server.state.collections.get('entente/entente_ip')!.settings.get('field.ip');
      expect(now).toBe(provision === 'never' ? 'number' : 'string');
    },
  );

  it("names such a field of Enterprise Security's, which we never change", async () => {
    rig.server.state.collections.get(`${ES_APP}/http_intel`)!.settings.set('field.url', 'number');

    const probe = await rig.connect({ form: 'threat_intel' }).probe(never);

    expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(probe.message).toContain('field url of collection http_intel is declared as number');
  });

  it.each([
    ['lookups', EVENTS],
    ['threat_intel', {}],
  ] as const)('finds that hits cannot be read, with form %s', async (form, more) => {
    const connector = await rig.opened({ form, more });
    const user = [...rig.server.state.users.values()].find((one) => one.name === rig.server.username)!;
    Object.assign(user, { capabilities: user.capabilities.filter((one) => one !== 'search') });

    const without = await connector.probe(never);
    Object.assign(user, { capabilities: [...user.capabilities, 'search'] });
    rig.server.state.settings.searchQuota = 0;
    const full = await connector.probe(never);

    expect(without).toMatchObject({ ok: false, message: expect.stringContaining('lacks the capability search') });
    expect(full).toMatchObject({ ok: false, message: expect.stringContaining('maximum number of concurrent') });
  });

  it('names an index that is not there, or that the account may not search', async () => {
    const fields = { 'ipv4-addr': ['dest_ip'] };
    const connector = await rig.opened({ more: { event_search: { indexes: ['main', 'prox*', 'dns'], fields } } });
    const at = Date.now() / 1000;
    rig.server.state.events.push({ time: at, indexed: at, fields: { index: 'proxy_1' } });

    expect(await connector.probe(never)).toMatchObject({
      ok: true,
      message: expect.stringContaining('hits can be searched, but dns is not there or may not be searched'),
    });
  });

  it('does not ask for hits before there is anything to search with', async () => {
    const probe = await rig.connect({ more: EVENTS }).probe(never);

    expect(probe, probe.message).toMatchObject({ ok: true, message: expect.stringContaining('will be created') });
    expect(rig.requests('search/')).toBe(0);
  });
});

describe('what an administrator tuned', () => {
  it('is left alone, and only what is needed is completed', async () => {
    const connector = await rig.opened();
    const { collections, lookups } = rig.server.state;
    const network = lookups.get('entente/entente_network')!.settings;
    const tuned = {
      max_matches: '50',
      fields_list: `${network.get('fields_list')}, site, analyst`,
      filter: 'kind!="x"',
    };
    for (const [name, value] of Object.entries({ ...tuned, case_sensitive_match: 'true' })) network.set(name, value);
    lookups.get('entente/entente_ip')!.settings.set('fields_list', '_key, ip, kind, entry_key, note');
    const ip = collections.get('entente/entente_ip')!.settings;
    ip.set('accelerated_fields.by_ip', '{"ip":1,"owner":1}');
    ip.set('field.note', 'string');
    const posts = rig.requests('POST data/transforms/lookups');

    await connector.open(never);

    expect(Object.fromEntries(network)).toMatchObject({ ...tuned, case_sensitive_match: 'true' });
    expect(lookups.get('entente/entente_ip')!.settings.get('fields_list')).toBe(
      '_key, ip, kind, entry_key, note, valid_until, tlp, source_ids, names',
    );
    expect(ip.get('accelerated_fields.by_ip')).toBe('{"ip":1,"owner":1}');
    expect(ip.get('field.note')).toBe('string');
    expect(rig.requests('POST data/transforms/lookups') - posts).toBe(1);
  });

  it('with provision: never, a definition that is not there is warned of and stops no delivery', async () => {
    await rig.opened();
    rig.server.state.lookups.delete('entente/entente_subdomain');
    const said: unknown[] = [];
    const log = {
      error() {},
      info() {},
      debug() {},
      warn: (_: string, more?: object) => void said.push(more),
      child: () => log,
    };
    const connector = rig.connect({ provision: 'never', log });

    await connector.open(never);

    expect(said).toEqual([{ lookup: 'entente_subdomain', lacks: [] }]);
    expect((await connector.apply(upserts(addresses(1)), never)).map((one) => one.kind)).toEqual(['applied']);
  });
});
