// Real feeds, read whole. The expected counts were taken from the files by other means (a script of regular
// expressions, and by hand where a pattern is compound); no value is ever resolved or opened.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataDir } from '../../../test/data.ts';
import type { IncomingIndicator } from '../model/entry.ts';
import { readObject } from './objects.ts';

const data = dataDir();

describe.skipIf(data === undefined)('real feeds', () => {
  it.each([
    ['2025-12-10', 157],
    ['2025-12-11', 0],
    ['2025-12-13', 339],
    ['2025-12-14', 992],
  ])('honeypot-feed %s: all %i indicators are exact', (day, count) => {
    const read = readAll([`honeypot-feed/${day}.json`]);

    expect(read.indicators).toHaveLength(count);
    expect(read.reasons).toEqual({});
    for (const indicator of read.indicators) {
      expect(indicator.observables).toHaveLength(1);
      expect(indicator).toMatchObject({ tlp: 'clear', revoked: false, observables: [{ type: 'ipv4-addr' }] });
      // Seven days after the last look, give or take the feed's own rounding.
      expect(indicator.validUntil! - indicator.validFrom).toBeGreaterThan(6.9 * 86_400_000);
    }
  });

  it('honeypot-feed: 1,288 distinct addresses stand behind 1,488 indicators', () => {
    const read = readAll(bundlesIn('honeypot-feed'));

    expect(read.indicators).toHaveLength(1488);
    expect(read.values.size).toBe(1288);
  });

  it('mvt-indicators: domains and e-mail are exact, files and processes are refused by name', () => {
    const read = readAll(bundlesIn('mvt-indicators'));

    expect(read.types).toEqual({ 'domain-name': 644, 'email-addr': 36 });
    expect(read.reasons).toEqual({
      'unsupported: file:path': 15,
      'unsupported: process:name': 1,
      'unsupported: configuration-profile:id': 1,
    });
    expect(read.kinds).toEqual({ indicator: 697, relationship: 697, name: 2 });
    expect(read.indicators.every(({ validUntil, tlp }) => validUntil === undefined && tlp === undefined)).toBe(true);
  });

  it('tweetfeed: all 59 are exact and TLP:CLEAR', () => {
    const read = readAll(['tweetfeed/stix/today.json']);

    expect(read.types).toEqual({ url: 29, 'domain-name': 28, "file:hashes.'SHA-256'": 1, 'ipv4-addr': 1 });
    expect(read.indicators.every(({ tlp, openMarkings }) => tlp === 'clear' && openMarkings === undefined)).toBe(true);
  });

  it('elevator: 53 of 77 compound patterns have values, 7 of them exactly, and every other says what was left out', () => {
    const read = readAll(bundlesIn('elevator'));

    expect(read.indicators).toHaveLength(77);
    expect(read.indicators.filter(({ observables }) => observables.length > 0)).toHaveLength(53);
    expect(read.indicators.filter(({ refusal }) => refusal === undefined)).toHaveLength(7);
    expect(read.reasons['not a valid STIX pattern']).toBeUndefined();
    expect(Object.values(read.reasons).reduce((sum, count) => sum + count, 0)).toBe(70);
  });

  it('OASIS examples: 30 of 36 are exact, one in part, markings and names are read', () => {
    const read = readAll(bundlesIn('oasis-examples'));

    expect(read.indicators).toHaveLength(36);
    expect(read.indicators.filter(({ observables }) => observables.length > 0)).toHaveLength(31);
    expect(read.reasons).toEqual({
      'operator MATCHES': 1,
      'unsupported: email-message:subject': 1,
      'unsupported object path': 1,
      'unsupported: file:name': 2,
      'not a domain name': 1,
    });
    expect(read.kinds['marking']).toBe(2);
    expect(read.ignored).toMatchObject({ sighting: 2, 'observed-data': 2 });
    expect(read.refusals).toEqual([]);
  });
});

function bundlesIn(folder: string): string[] {
  return readdirSync(join(data ?? '', folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(json|stix2)$/.test(name))
    .map((name) => join(folder, name));
}

function readAll(files: readonly string[]) {
  const indicators: IncomingIndicator[] = [];
  const reasons: Record<string, number> = {};
  const types: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  const ignored: Record<string, number> = {};
  const refusals: string[] = [];
  const values = new Set<string>();
  const count = (counts: Record<string, number>, name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const file of files) {
    const parsed: unknown = JSON.parse(readFileSync(join(data ?? '', file), 'utf8'));
    // Single objects stand beside bundles in the OASIS examples.
    const objects = (parsed as { objects?: unknown[] }).objects ?? [parsed].flat();
    for (const raw of objects) {
      const read = readObject(raw);
      if ('ignored' in read) count(ignored, read.ignored);
      else if ('refusal' in read) refusals.push(read.refusal.reason);
      else {
        count(kinds, read.object.kind);
        if (read.object.kind !== 'indicator') continue;
        indicators.push(read.object);
        if (read.object.refusal !== undefined) count(reasons, read.object.refusal);
        for (const { type, value } of read.object.observables) {
          values.add(`${type}|${value}`);
          count(types, type);
        }
      }
    }
  }
  return { indicators, reasons, types, kinds, ignored, refusals, values };
}
