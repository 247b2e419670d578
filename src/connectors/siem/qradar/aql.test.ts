import { describe, expect, it } from 'vitest';
import { entryKey } from '../../../core/model/observable.ts';
import { BUCKET_MS, halves, hitQuery, hitsOf, isSpread, type Watched, windowsOf } from './aql.ts';
import { QRadarConfig } from './config.ts';

const TEN = Date.UTC(2026, 0, 5, 10);
const watched = (given: Partial<Watched> = {}): Watched => ({
  set: 'Entente IPv4',
  field: 'destinationip',
  ignored: [],
  ...given,
});
const bucket = { from: TEN, to: TEN + BUCKET_MS };
const hour = { from: TEN, to: TEN + 6 * BUCKET_MS };
const config = (more: object) =>
  QRadarConfig.safeParse({ type: 'qradar', url: 'https://qradar.example', auth: { token: 't' }, ...more }).success;

describe('the query', () => {
  it('asks for value, times and count of one set and field, between epoch times', () => {
    expect(hitQuery(watched({ domainId: 3, ignored: ['192.0.2.9'] }), bucket, TEN + 1234)).toBe(
      'SELECT destinationip AS value, MIN(starttime) AS first_seen, MAX(starttime) AS last_seen, SUM(eventcount) AS hits ' +
        "FROM events WHERE REFERENCESETCONTAINS('Entente IPv4', destinationip) " +
        `AND starttime >= ${TEN} AND starttime < ${bucket.to} AND domainid = 3 ` +
        "AND NOT INCIDR('192.0.2.9/32', sourceip) GROUP BY destinationip " +
        `START ${TEN} STOP ${bucket.to + 1234}`,
    );
  });

  it('writes what it compares as the set holds it', () => {
    const compared = (fold: Watched['fold']) =>
      /REFERENCESETCONTAINS\((.*?)\) AND/.exec(
        hitQuery(watched({ field: 'URL Host', ...(fold && { fold }) }), bucket, 0),
      )?.[1];

    expect(compared(undefined)).toBe(`'Entente IPv4', "URL Host"`);
    expect(compared('case')).toBe(`'Entente IPv4', LOWER("URL Host")`);
    expect(compared('name')).toBe(`'Entente IPv4', REPLACEALL('[.]$', LOWER("URL Host"), '')`);
  });

  it('quotes names with blanks, and is another text at another time', () => {
    const text = hitQuery(watched({ field: 'URL Host' }), bucket, TEN);

    expect(text).toContain(`REFERENCESETCONTAINS('Entente IPv4', "URL Host")`);
    expect(hitQuery(watched({ field: 'URL Host' }), bucket, TEN + 1)).not.toBe(text);
  });

  it.each([
    ['a set', { set: "Entente') OR (1=1" }],
    ['a set with a backslash', { set: 'Entente\\' }],
    ['a field', { field: 'URL" OR "1" = "1' }],
    ['a field with a line break', { field: 'URL\n-- ' }],
    ['a network', { ignored: ["0.0.0.0/0', sourceip) OR NOT INCIDR('192.0.2.0/24"] }],
  ])('is never made when %s would leave its quotes', (_what, hostile) => {
    expect(() => hitQuery(watched(hostile), bucket, TEN)).toThrow('cannot stand in AQL');
  });

  it('has no name from configuration that would leave its quotes', () => {
    expect(config({ set_prefix: "Entente') OR (1=1" })).toBe(false);
    expect(config({ event_fields: { url: ['URL" OR "1'] } })).toBe(false);
    expect(config({ event_fields: { url: ["URL'"] } })).toBe(false);
    expect(config({ ignore_hosts: ["192.0.2.1', sourceip) OR ('"] })).toBe(false);
    expect(config({ ignore_hosts: ['192.0.2.0/33'] })).toBe(false);
    expect(config({ event_fields: { url: ['URL', 'Request URL (proxy)'] }, ignore_hosts: ['192.0.2.0/24'] })).toBe(
      true,
    );
  });

  it('stays short at the longest that can be configured, and does not grow with the set', () => {
    const ignored = Array.from({ length: 100 }, () => '255.255.255.255/32');
    const longest = hitQuery(
      watched({ set: `${'s'.repeat(80)} SHA256`, field: `f ${'x'.repeat(126)}`, ignored }),
      bucket,
      TEN,
    );

    expect(longest.length).toBeLessThan(8000);
    expect(hitQuery(watched(), bucket, TEN).length).toBeLessThan(400);
  });
});

describe('windows', () => {
  it('begin at a bucket and cover everything once', () => {
    const windows = windowsOf(TEN + 61_000, TEN + 20 * 3_600_000 + 5);

    expect(windows[0]?.from).toBe(TEN);
    expect(windows.at(-1)?.to).toBe(TEN + 20 * 3_600_000 + 5);
    expect(windows.slice(1).every((one, i) => one.from === windows[i]?.to && one.from % BUCKET_MS === 0)).toBe(true);
  });

  it('are halved at a bucket until each is one', () => {
    expect(halves({ from: TEN, to: TEN + BUCKET_MS + 5 })).toEqual([bucket, { from: bucket.to, to: bucket.to + 5 }]);
    expect(halves(hour)[0]).toEqual({ from: TEN, to: TEN + 3 * BUCKET_MS });
  });
});

describe('rows', () => {
  const row = (given: object = {}) => ({
    value: '192.0.2.1',
    first_seen: TEN + 1000,
    last_seen: TEN + 2000,
    hits: 17.0,
    ...given,
  });
  const keyOf = (value: string) => (value === '192.0.2.1' ? entryKey('ipv4-addr', value) : undefined);

  it('are the same hit in every window that holds their bucket', () => {
    const [wide] = hitsOf([row()], watched(), hour, keyOf);
    const [narrow] = hitsOf([row({ hits: 18 })], watched(), bucket, keyOf);

    expect(wide).toMatchObject({ key: 'ipv4-addr|192.0.2.1', verdict: 'seen', first: TEN + 1000, count: 17 });
    expect(narrow).toMatchObject({ dedupe: wide?.dedupe, count: 18 });
  });

  it('of other fields and other buckets are other hits', () => {
    const later = row({ first_seen: TEN + BUCKET_MS, last_seen: TEN + BUCKET_MS });
    const all = [
      ...hitsOf([row(), later], watched(), hour, keyOf),
      ...hitsOf([row()], watched({ field: 'sourceip' }), hour, keyOf),
    ];

    expect(new Set(all.map((hit) => hit.dedupe)).size).toBe(3);
  });

  it('over several buckets, and of values that are not ours, are no hit', () => {
    const spread = row({ last_seen: TEN + BUCKET_MS });

    expect(isSpread(spread, hour)).toBe(true);
    expect(hitsOf([spread, row({ value: '192.0.2.2' })], watched(), hour, keyOf)).toEqual([]);
  });
});
