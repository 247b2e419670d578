import { describe, expect, it } from 'vitest';
import { ElasticConfig, nodeUrls } from './config.ts';
import { indexName } from './settings.ts';
import { elastic } from './index.ts';

const parse = (more: Record<string, unknown>) =>
  ElasticConfig.safeParse({ type: 'elastic', url: 'https://es.example:9200', ...more });
const wrong = (more: Record<string, unknown>) => parse(more).error?.issues.map((issue) => issue.message) ?? [];

describe('the configuration of an Elastic SIEM', () => {
  it('takes one URL, several, or a cloud id, and only one of these', () => {
    const cloud = `deployment:${Buffer.from('cloud.example$abc$kib').toString('base64')}`;

    expect(parse({}).success).toBe(true);
    expect(parse({ url: ['https://a.example', 'https://b.example'] }).success).toBe(true);
    expect(nodeUrls({ cloud_id: cloud })).toEqual(['https://abc.cloud.example']);
    expect(wrong({ cloud_id: cloud })).toContain('either url or cloud_id');
    expect(wrong({ url: undefined })).toContain('either url or cloud_id');
    expect(wrong({ url: undefined, cloud_id: 'nonsense' })).toContain('a cloud id: name, colon, base64 text');
  });

  it('prints no secret', () => {
    const read = parse({ auth: { username: 'entente', password: 'hush-hush' } });

    expect(read.success).toBe(true);
    expect(JSON.stringify(read.data)).not.toContain('hush-hush');
  });

  it.each(['logs-ti-x', 'Upper', 'a,b', 'star*', '-dash', 'a b'])('refuses the index name %s', (index) => {
    expect(parse({ index }).success).toBe(false);
  });

  it('names the index after the instance, without a second dash', () => {
    expect(indexName(undefined, 'ncirc-mons')).toBe('logs-ti_entente_ncirc_mons.indicator');
    expect(indexName('own', 'ncirc-mons')).toBe('own');
  });

  it('shows that a default and a written-out index are the same place', () => {
    const config = ElasticConfig.parse({ type: 'elastic', url: 'https://es.example:9200/' });
    const written = ElasticConfig.parse({
      type: 'elastic',
      url: 'https://es.example:9200',
      index: 'logs-ti_entente_mons.indicator',
    });

    expect(elastic.places(config, 'mons')).toEqual(elastic.places(written, 'mons'));
    expect(elastic.places(config, 'other')).not.toEqual(elastic.places(written, 'mons'));
  });
});
