import { describe, expect, it } from 'vitest';
import { feed, feedBundle } from './feed.ts';
import { type StixObject, textOf } from './stix-object.ts';

const of = (type: string, objects: Iterable<StixObject>): StixObject[] =>
  [...objects].filter((one) => one.type === type);
const ids = (objects: readonly StixObject[]): string[] => objects.map(({ id }) => id);

describe('the generated feed', () => {
  it('is the same for the same options and shares no indicator with another seed', () => {
    const mine = feedBundle({ seed: 7, count: 200 });
    const others = new Set(ids(of('indicator', feed({ seed: 8, count: 200 }))));

    expect(feedBundle({ seed: 7, count: 200 })).toEqual(mine);
    expect(ids(of('indicator', mine.objects)).filter((id) => others.has(id))).toEqual([]);
  });

  it('brings as many new indicators as asked for, and irregular ones on top', () => {
    expect(of('indicator', feed({ count: 500, irregular: 0 }))).toHaveLength(500);
    expect(of('indicator', feed({ count: 500, irregular: 0.1 }))).toHaveLength(550);
  });

  it('has all families of observables', () => {
    const patterns = of('indicator', feed({ count: 10_000, irregular: 0 })).map((one) => textOf(one, 'pattern'));
    const has = (text: string): boolean => patterns.some((pattern) => pattern.includes(text));

    const texts = (
      'ipv4-addr:value =|ISSUBSET|ipv6-addr:value|domain-name:value|url:value|email-addr:value|hashes.MD5|' +
      "hashes.'SHA-1'|hashes.'SHA-256'|network-traffic:dst_ref|windows-registry-key:key|mutex:name| IN (| OR | AND |" +
      'FOLLOWEDBY|resolves_to_refs'
    ).split('|');
    expect(texts.filter((text) => !has(text))).toEqual([]);
  });

  it('names only addresses and domains that are nobody’s', () => {
    const text = JSON.stringify(of('indicator', feed({ count: 5000, irregular: 0 })));
    const addresses = [...text.matchAll(/\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}\b/g)];
    const reserved = ([, a, b, c]: RegExpMatchArray): boolean =>
      Number(a) >= 240 || `${a}.${b}` === '198.18' || ['192.0.2', '198.51.100', '203.0.113'].includes(`${a}.${b}.${c}`);

    expect(addresses.length).toBeGreaterThan(3000);
    expect(addresses.filter((one) => !reserved(one)).map(([whole]) => whole)).toEqual([]);
    const domains = [...text.matchAll(/domain-name:value = '([^']+)'/g)].map(([, name]) => name?.split('.').at(-1));
    expect(new Set(domains)).toEqual(new Set(['example', 'test', 'invalid']));
  });

  it('links indicators to named malware, all within the feed', () => {
    const objects = [...feed({ count: 300 })];
    const known = new Set(ids(objects));
    const links = of('relationship', objects);

    expect(links.length).toBeGreaterThan(50);
    expect(links.every((one) => known.has(textOf(one, 'source_ref')) && known.has(textOf(one, 'target_ref')))).toBe(
      true,
    );
    expect(of('malware', objects).every(({ name }) => typeof name === 'string')).toBe(true);
  });

  it('marks every regular indicator with TLP 2.0, some with PAP', () => {
    const objects = [...feed({ count: 500, irregular: 0 })];
    const names = new Map(of('marking-definition', objects).map((one) => [one.id, textOf(one, 'name')]));
    const used = of('indicator', objects).map((one) =>
      (one['object_marking_refs'] as string[]).map((id) => names.get(id) ?? ''),
    );

    expect(used.every(([first]) => first?.startsWith('TLP:'))).toBe(true);
    expect(new Set(used.map(([first]) => first)).size).toBe(5);
    expect(used.some(([, second]) => second?.startsWith('PAP:'))).toBe(true);
  });

  it('begins a later day with new versions and revocations of what earlier days brought', () => {
    const earlier = new Map(
      [0, 1, 2].flatMap((day) => of('indicator', feed({ count: 300, day })).map((one) => [one.id, one] as const)),
    );

    const again = of('indicator', feed({ count: 300, day: 3 })).filter(({ id }) => earlier.has(id));

    expect(again.length).toBeGreaterThan(10);
    expect(again.some((one) => one['revoked'] === true)).toBe(true);
    expect(again.every((one) => textOf(one, 'modified') > textOf(earlier.get(one.id), 'modified'))).toBe(true);
  });

  it('lies within the day it is made for', () => {
    const start = Date.parse('2026-03-01T00:00:00Z');
    const times = of('indicator', feed({ count: 100, day: 2, start, irregular: 0 })).map((one) =>
      Date.parse(textOf(one, 'modified')),
    );

    expect(Math.min(...times)).toBeGreaterThanOrEqual(start + 2 * 86_400_000);
    expect(Math.max(...times)).toBeLessThan(start + 3 * 86_400_000);
  });

  it('expires most indicators later and a few already', () => {
    const all = of('indicator', feed({ count: 2000, irregular: 0 }));
    const expired = all.filter((one) => (textOf(one, 'valid_until') || '9') < textOf(one, 'created'));

    expect(expired.length).toBeGreaterThan(5);
    expect(expired.length).toBeLessThan(60);
    expect(all.some((one) => one['valid_until'] === undefined)).toBe(true);
    expect(all.every((one) => (textOf(one, 'valid_until') || '9') > textOf(one, 'valid_from'))).toBe(true);
  });
});
