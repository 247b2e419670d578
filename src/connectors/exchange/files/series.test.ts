import { describe, expect, it } from 'vitest';
import { gaps, numberIn, seeNumber, type Series } from './series.ts';

const having = (...names: string[]) =>
  names.reduce<Readonly<Record<string, Series>>>((all, name) => seeNumber(all, name), {});

describe('a numbered series', () => {
  it.each([
    ['low-000017.json', 'low-*.json', 17],
    ['bundle_7.stix.json', 'bundle_*.stix.json', 7],
    ['in/17.jsonl', 'in/*.jsonl', 17],
    ['17', '*', 17],
    ['feed.0003', 'feed.*', 3],
    ['low-00000123.json', 'low-*.json', 123],
  ])('is told by the number that ends a name: %s', (name, series, number) => {
    expect(numberIn(name)).toEqual({ series, number });
  });

  it.each([
    'indicators.json',
    'sha256.json',
    'v2',
    'feed-20260131.json',
    'feed-2026-01-31.json',
    'feed_202601.json',
    '2026-01-31T12-30-00.json',
    '1767225600000.json',
    '5f3a9c2e-1111-4222-8333-123456789012.json',
    'low-7-final.json',
  ])('is not told by a date, a time, a digest or an id: %s', (name) => {
    expect(numberIn(name)).toBeUndefined();
  });

  it('has no gap while numbers follow each other, wherever they begin', () => {
    expect(gaps(having('low-8.json', 'low-9.json', 'low-10.json', 'other-1.json'))).toBeUndefined();
  });

  it('tells what is missing until it comes', () => {
    const all = having('low-1.json', 'low-2.json', 'low-5.json', 'low-9.json');
    expect(gaps(all)).toBe(
      'missing from a numbered series: low-*.json 3 to 4, low-*.json 6 to 8; ask the sender for them',
    );

    const some = seeNumber(seeNumber(all, 'low-7.json'), 'low-3.json');
    expect(gaps(some)).toMatch(/: low-\*\.json 4, low-\*\.json 6, low-\*\.json 8;/);
    expect(gaps(['4', '6', '8'].reduce((seen, n) => seeNumber(seen, `low-${n}.json`), some))).toBeUndefined();
  });

  it('that begins anew far ahead tells no gap', () => {
    expect(gaps(having('low-1.json', 'low-500000.json'))).toBeUndefined();
  });

  it('changes nothing when a number comes again', () => {
    const all = having('low-1.json', 'low-3.json');

    expect(seeNumber(all, 'low-3.json')).toBe(all);
  });
});
