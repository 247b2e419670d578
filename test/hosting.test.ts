// Where a SIEM runs, told from its configuration with the real connectors: what `check` warns of, and which hosts of ours
// nobody may put on a watchlist.
import { describe, expect, it } from 'vitest';
import { exchanges, siems } from '../src/connectors/registry.ts';
import { parseConfig } from '../src/core/config/load.ts';
import { policyFor } from '../src/core/config/policy.ts';
import { problemLine } from '../src/core/config/source.ts';
import { judge } from '../src/core/policy/intake.ts';
import { aClaim } from './builders/claim.ts';

/** `us-central1.gcp.cloud.es.io`, node `abc`, Kibana `def`. */
const CLOUD_ID = `watch:${Buffer.from('us-central1.gcp.cloud.es.io:443$abc$def').toString('base64')}`;
const PARTNER = { name: 'partner', type: 'taxii21', url: 'https://taxii.example/' };
const ELASTIC = { name: 'watch', type: 'elastic', auth: { api_key: 'a' } };

function loaded(siem: object, policy: object = {}) {
  const file = { instance: 'a', exchanges: [PARTNER], siems: [siem], policy };
  // JSON is YAML.
  const answer = parseConfig('/etc/entente.yaml', JSON.stringify(file), { exchanges, siems }, {});
  if ('problems' in answer) throw new Error(answer.problems.map(problemLine).join('\n'));
  return answer.config;
}

const warnings = (siem: object, policy: object = {}) => loaded(siem, policy).warnings.map((one) => one.message);

describe('a SIEM that looks like a service in a cloud', () => {
  it.each([
    ['an Elastic cloud id', { ...ELASTIC, cloud_id: CLOUD_ID }],
    ['a host of Elastic Cloud', { ...ELASTIC, url: 'https://abc.eu-west-1.aws.elastic-cloud.com' }],
    ['one node of several', { ...ELASTIC, url: ['https://es1.example', 'https://x.es.amazonaws.com'] }],
    ['Splunk Cloud', { name: 'watch', type: 'splunk', url: 'https://acme.splunkcloud.com:8089', auth: { token: 'a' } }],
    [
      'QRadar on Cloud',
      { name: 'watch', type: 'qradar', url: 'https://acme.qradar.ibmcloud.com', auth: { token: 'a' } },
    ],
  ])('by %s is told unless its hosting is', (_what, siem) => {
    const [found] = warnings(siem).filter((one) => one.includes('looks like a service in a cloud'));

    expect(found).toContain('hosting: cloud, or hosting: on_premises');
    expect(warnings({ ...siem, hosting: 'on_premises' }).join()).not.toContain('cloud');
  });

  it('is not one on a host of our own', () => {
    expect(warnings({ ...ELASTIC, url: 'https://es.soc.example' }).join()).not.toContain('cloud');
  });

  it('is told, once it is said to be one, that what states no PAP is kept out, unless that was decided', () => {
    const siem = { ...ELASTIC, url: 'https://es.example', hosting: 'cloud' };

    expect(warnings(siem).join()).toContain('objects that state no PAP are kept out');
    expect(warnings({ ...siem, highest_pap: 'amber' }).join()).not.toContain('no PAP');
    expect(warnings(siem, { without_pap: 'green' }).join()).not.toContain('no PAP');
  });
});

it('counts the host of a cloud id among our own hosts, so that no partner arms it', () => {
  const { intake } = policyFor(loaded({ ...ELASTIC, cloud_id: CLOUD_ID, hosting: 'on_premises' }), 'partner', 'watch');
  const value = { type: 'domain-name', value: 'abc.us-central1.gcp.cloud.es.io' } as const;

  expect(judge(value, aClaim(), intake)).toMatchObject({ kind: 'refuse', code: 'never_block_own_hosts' });
});
