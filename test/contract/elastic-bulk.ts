// A bulk request is asked first only whether anything failed, and sent again for who it was. One suite for the simulator
// and the real products: the second sending changes nothing that stands, and every outcome is that of a single full answer.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { EncodeContext, Outcome } from '../../src/core/contracts/siem-connector.ts';
import { ConnectorError } from '../../src/core/model/failure.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { anEntry, NOON } from '../builders/entry.ts';
import { encodeBatch, joinBatches, removalBatch } from './batches.ts';
import { held, type SiemHarness } from './siem-harness.ts';

/** What may become of the second call: none of these says anything of what the first one did. */
const SECOND: readonly (readonly [string, Fault])[] = [
  ...[401, 403, 404, 405, 413, 429, 500, 503].map(
    (status) => [`status ${status}`, { action: 'status', status, body: '{}' }] as const,
  ),
  ...[403, 404].map(
    (status) =>
      [
        `a page with ${status}`,
        { action: 'status', status, body: '<!DOCTYPE html>', headers: { 'content-type': 'text/html' } },
      ] as const,
  ),
  ['no connection', { action: 'reset-before' }],
  ['a connection cut after it', { action: 'reset-after' }],
  ['a login page', { action: 'html' }],
  ['half an answer', { action: 'truncate' }],
  ['no answer', { action: 'hang' }],
];

export function elasticBulk(name: string, start: () => Promise<SiemHarness>): void {
  describe(`a bulk request to ${name}`, () => {
    let siem: SiemHarness;
    let revision = Date.UTC(2026, 10, 24) * 1000;
    const never = new AbortController().signal;
    const addresses = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => anEntry({ value: `198.18.9.${from + i}` }));

    beforeAll(async () => {
      siem = await start();
      await siem.connector.open(never);
    });
    afterEach(() => siem.faults?.set([]));
    afterAll(async () => {
      await siem?.connector.close();
      await siem?.stop();
    });

    const context = (): EncodeContext => {
      revision += 1;
      const { owner, settings } = siem;
      return { owner, writer: 'writer-1', revision, now: NOON, settings, facts: null };
    };
    const upserts = (entries: readonly Entry[], given = context()) =>
      encodeBatch(siem.definition, entries, given).batch;
    const removals = (entries: readonly Entry[], given = context()) =>
      removalBatch(
        siem.definition,
        entries.map((one) => one.key),
        given,
      );
    /** Bodies that the product refuses for good. */
    const spoilt = (entries: readonly Entry[], given = context()) => {
      const { definition, spoil } = siem;
      const encode: typeof definition.encode = (entry, ctx) => {
        const encoded = definition.encode(entry, ctx);
        return 'refused' in encoded ? encoded : { ...encoded, body: spoil!(encoded.body) };
      };
      return encodeBatch({ ...definition, encode }, entries, given).batch;
    };
    const calls = async (batch: Batch): Promise<{ readonly outcomes: readonly Outcome[]; readonly sent: number }> => {
      const before = siem.faults!.seen();
      const outcomes = await siem.connector.apply(batch, never);
      return { outcomes, sent: siem.faults!.seen() - before };
    };
    const told = (outcomes: readonly Outcome[]) =>
      new Map(outcomes.map((one) => [one.key as string, one.kind === 'failed' ? one.failure.kind : one.kind]));

    it('is one call where all of it is taken, removals of what is not there included', async () => {
      const [there, absent, fresh] = [addresses(1, 3), addresses(4, 3), addresses(7, 3)];
      await siem.connector.apply(upserts(there), never);

      const { outcomes, sent } = await calls(joinBatches(removals([...there, ...absent]), upserts(fresh)));

      expect(sent).toBe(1);
      expect(outcomes).toEqual([...there, ...absent, ...fresh].map(({ key }) => ({ key, kind: 'applied' })));
    });

    it('is sent again where one change is refused: the others are applied, at the revision that was sent', async () => {
      const ctx = context();
      const [stays, goes, bad] = [addresses(11, 3), addresses(14, 2), addresses(16, 1)];
      await siem.connector.apply(upserts(goes), never);
      const batch = joinBatches(upserts(stays, ctx), spoilt(bad, ctx), removals(goes));

      const { outcomes, sent } = await calls(batch);

      expect(sent).toBe(2);
      expect(outcomes).toHaveLength(batch.size);
      const kinds = told(outcomes);
      for (const { key } of [...stays, ...goes]) expect(kinds.get(key)).toBe('applied');
      expect(kinds.get(bad[0]!.key)).toBe('permanent');
      const rows = new Map((await held(siem)).map((row) => [row.key, row.revision]));
      for (const { key } of stays) expect(rows.get(key)).toBe(ctx.revision);
      for (const { key } of [...goes, ...bad]) expect(rows.has(key)).toBe(false);
    });

    it('tells what is older than what stands there from what it wrote a moment ago', async () => {
      const late = context();
      const newer = context();
      const [old, fresh] = [addresses(21, 2), addresses(23, 2)];
      await siem.connector.apply(upserts(old, newer), never);

      const { outcomes } = await calls(
        joinBatches(upserts(fresh, late), upserts([old[0]!], late), removals([old[1]!], late)),
      );

      const byKey = new Map(outcomes.map((one) => [one.key, one]));
      for (const { key } of fresh) expect(byKey.get(key)).toEqual({ key, kind: 'applied' });
      for (const { key } of old) expect(byKey.get(key)).toEqual({ key, kind: 'superseded', revision: newer.revision });
    });

    it('takes what it is given twice as applied, removals as well', async () => {
      const [put, gone] = [addresses(31, 2), addresses(33, 2)];
      await siem.connector.apply(upserts(gone), never);
      const batch = joinBatches(upserts(put), removals(gone));
      await siem.connector.apply(batch, never);

      const { outcomes } = await calls(batch);

      expect(new Set(told(outcomes).values())).toEqual(new Set(['applied']));
    });

    it.each(SECOND)(
      'whose second call ends with %s says of no change that it was not carried out',
      async (_, fault) => {
        const ctx = context();
        const [good, bad] = [addresses(41, 2), addresses(43, 1)];
        const batch = joinBatches(upserts(good, ctx), spoilt(bad, ctx));
        siem.faults!.set([{ ...fault, match: siem.faults!.match, skip: 1, times: 1 }]);

        const error: unknown = await siem.connector.apply(batch, never).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );

        expect(error).toBeInstanceOf(ConnectorError);
        // A refusal for good would have the rows parked, and a split would have them sent as if nothing stood there.
        expect(error).toMatchObject({
          uncertain: true,
          split: undefined,
          kind: expect.stringMatching(/retryable|config/),
        });
        siem.faults!.set([]);
        const kinds = told((await calls(batch)).outcomes);
        for (const { key } of good) expect(kinds.get(key)).toBe('applied');
        expect(kinds.get(bad[0]!.key)).toBe('permanent');
      },
    );

    it('that is stopped between its calls leaves open what became of it', async () => {
      const ctx = context();
      const batch = joinBatches(upserts(addresses(51, 1), ctx), spoilt(addresses(52, 1), ctx));
      siem.faults!.set([{ action: 'hang', match: siem.faults!.match, skip: 1, times: 1 }]);
      const stop = new AbortController();
      const before = siem.faults!.seen();
      const applying = siem.connector.apply(batch, stop.signal).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      await expect.poll(() => siem.faults!.seen() - before, { timeout: 10_000 }).toBe(2);

      stop.abort();

      expect(await applying).toMatchObject({ uncertain: true });
    });
  });
}
