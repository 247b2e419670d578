// One configuration and three SIEMs, when values, limits, credentials and administrators get in the way: what each
// SIEM holds is read on its own side.
import { afterEach, describe, expect, it } from 'vitest';
import type { Observable } from '../../src/core/model/observable.ts';
import { type ThreeSiems, threeSiems } from '../builders/three-siems.ts';

let three: ThreeSiems | undefined;
afterEach(async () => {
  await three?.close();
  three = undefined;
});

const SIEMS = ['elastic', 'splunk', 'qradar'] as const;
const HOUR = 3_600_000;
let made = 0;

function indicator(pattern: string) {
  const at = new Date(Date.now() - HOUR).toISOString();
  made += 1;
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${made.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    created: at,
    modified: at,
    valid_from: at,
    valid_until: new Date(Date.now() + 240 * HOUR).toISOString(),
    pattern,
    pattern_type: 'stix',
  };
}
/** Lower halves of the benchmarking network, which no built-in rule refuses. */
const addresses = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const n = from + i;
    return indicator(`[ipv4-addr:value = '198.18.${n >> 8}.${n & 255}']`);
  });
const siem = (name: string) => three!.app.reader.siems().find((one) => one.name === name)!;
const done = { complete: true, left: [] };
const counts = () => Object.fromEntries(Object.entries(three!.held()).map(([name, values]) => [name, values.length]));
const standing = (observable: Observable) =>
  Object.fromEntries(three!.app.reader.why(observable, Date.now())!.siems.map((one) => [one.name, one]));

describe('a value that one product refuses', () => {
  const long = `https://long.example/${'a'.repeat(8000)}`;
  const quoted = `https://quote.example/a"b\\c'd`;

  it('is parked there with the words of that product, stands in the others, and `why` shows it', async () => {
    three = await threeSiems({
      data: [
        indicator(`[url:value = '${long}']`),
        indicator(`[url:value = '${quoted.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}']`),
        indicator("[domain-name:value = 'bücher.example']"),
        indicator("[ipv6-addr:value = '2001:4d88:0:0::7']"),
        indicator("[ipv6-addr:value = '2001:4d88:1::/48']"),
      ],
    });

    expect(await three.run()).toEqual(done);

    const { elastic, splunk, qradar } = three.held();
    expect(elastic).toEqual([long, quoted, 'xn--bcher-kva.example', '2001:4d88::7', '2001:4d88:1::/48'].sort());
    expect(splunk).toEqual(elastic);
    expect(qradar).toEqual(elastic.filter((value) => value !== long && value !== '2001:4d88:1::/48'));
    expect(SIEMS.map((name) => siem(name).parked)).toEqual([0, 0, 2]);
    expect(standing({ type: 'url', value: long })).toMatchObject({
      elastic: { state: 'delivered' },
      splunk: { state: 'delivered' },
      qradar: {
        state: 'parked',
        reason: expect.stringMatching(/QRadar refused the entry with 422 \(code 20007\): .*too long/),
      },
    });
    expect(standing({ type: 'ipv6-addr', value: '2001:4d88:1::/48' })).toMatchObject({
      splunk: { state: 'delivered' },
      qradar: { state: 'parked', reason: expect.stringContaining('no set type for IPv6 networks') },
    });
  });
});

describe('a SIEM that changes while it is filled', () => {
  it('takes smaller batches once its limits were lowered, and loses nothing', { timeout: 60_000 }, async () => {
    three = await threeSiems({ data: addresses(0, 1200) });
    expect(await three.run()).toEqual(done);
    three.splunk.state.settings.max_documents_per_batch_save = 70;
    three.qradar.settings.maxBodyBytes = 20_000;

    three.taxii.load(addresses(1200, 2400));

    expect(await three.run()).toEqual(done);
    expect(counts()).toEqual({ elastic: 2400, splunk: 2400, qradar: 2400 });
    expect(SIEMS.map((name) => siem(name).parked)).toEqual([0, 0, 0]);
  });

  it.each([
    ['splunk', 'entente_ip/batch_save', 4],
    ['qradar', 'PATCH /api/reference_data_collections/set_entries', 1],
  ] as const)(
    'keeps what it has when the token of %s is revoked half-way, and the others are filled',
    async (name, match, skip) => {
      three = await threeSiems({ data: addresses(0, 2600) });
      three.splunk.state.settings.max_documents_per_batch_save = 500;
      three[name].setFaults([{ match, skip, action: 'status', status: 401, body: '{}' }]);

      const report = await three.run(1_500);

      expect(report.complete).toBe(false);
      const { [name]: half, ...others } = counts();
      expect(half).toBeGreaterThan(0);
      expect(half).toBeLessThan(2600);
      expect(Object.values(others)).toEqual([2600, 2600]);
      expect(siem(name).delivered).toBe(half);
      expect(three.app.deliverers.get(name)?.failure).toMatchObject({
        kind: 'config',
        message: expect.stringContaining('401'),
      });
    },
  );

  it('is filled again where an administrator deleted its collection, index or set', { timeout: 60_000 }, async () => {
    three = await threeSiems({ data: [...addresses(0, 300), indicator("[domain-name:value = 'evil.example']")] });
    expect(await three.run()).toEqual(done);
    three.elastic.dropIndex('logs-ti_entente_three.indicator');
    three.splunk.state.collections.delete('entente/entente_ip');
    three.qradar.store.sets.delete(three.qradar.store.byName('Entente IPv4')!.id);

    expect(await three.run()).toEqual(done);

    expect(counts()).toEqual({ elastic: 301, splunk: 301, qradar: 301 });
  });
});

describe('a QRadar set at its most entries', () => {
  it('takes 20,000 unless configured, and what stays out is reported', { timeout: 300_000 }, async () => {
    three = await threeSiems({ data: addresses(0, 20_003), maxEntries: 'default' });

    expect(await three.run()).toEqual(done);

    expect(counts()).toEqual({ elastic: 20_003, splunk: 20_003, qradar: 20_000 });
    expect(siem('qradar')).toMatchObject({ wanted: 20_003, delivered: 20_000, parked: 3, keptOut: 3 });
    const out = three.app.reader.parked(10);
    expect(out).toHaveLength(3);
    expect(out[0]?.reason).toContain('the watchlist is full: Entente IPv4 holds max_entries 20000');
  });
});
