// The clauses that every SIEM connector keeps (docs/architecture.md, "The contracts"), as named tests. One suite
// for the in-memory double, every simulator and every real product that can be started. What a harness cannot
// offer (fault injection on a real product) is skipped with its reason printed, never silently.
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { EncodeContext, Outcome, SiemDefinition, WriterMark } from '../../src/core/contracts/siem-connector.ts';
import { ConnectorError, type Failure, toFailure } from '../../src/core/model/failure.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import type { Json } from '../../src/core/model/json.ts';
import type { EntryKey } from '../../src/core/model/observable.ts';
import { anEntry, DAY_MS, NOON } from '../builders/entry.ts';
import { encodeBatch, joinBatches, removalBatch } from './batches.ts';
import { AWKWARD, applied, bisected, failureOf, FAULTS, held, kinds, type SiemHarness } from './siem-harness.ts';

export type { SiemFaults, SiemHarness } from './siem-harness.ts';

/** The engine takes these for not carried out. */
const isCertain = ({ kind }: Failure): boolean => kind === 'config' || kind === 'permanent';

export function siemContract(name: string, start: () => Promise<SiemHarness>): void {
  describe(`contract of SIEM connectors: ${name}`, () => {
    let siem: SiemHarness;
    let facts: Json = null;
    let revision = Date.UTC(2026, 10, 23) * 1000;
    const never = new AbortController().signal;

    beforeAll(async () => {
      siem = await start();
      facts = (await siem.connector.open(never)).facts;
    });
    afterEach(() => siem.faults?.set([]));
    afterAll(async () => {
      await siem?.connector.close();
      await siem?.stop();
    });

    const context = (given: Partial<EncodeContext> = {}): EncodeContext => {
      revision += 1;
      return {
        owner: siem.owner,
        writer: 'writer-1',
        revision,
        now: NOON,
        settings: siem.settings,
        facts,
        ...given,
      };
    };
    const upserts = (entries: readonly Entry[], ctx = context()): Batch => {
      const { batch, refusals } = encodeBatch(siem.definition, entries, ctx);
      expect(refusals).toEqual([]);
      return batch;
    };
    /** Handles as list() knows them, for products that remove by handle. */
    const handles = async (): Promise<Map<EntryKey, string>> =>
      new Map((await held(siem)).flatMap((row) => (row.handle === undefined ? [] : [[row.key, row.handle] as const])));
    const removals = async (keys: readonly EntryKey[], ctx = context()): Promise<Batch> =>
      removalBatch(siem.definition, keys, ctx, await handles());
    const apply = (batch: Batch): Promise<readonly Outcome[]> => applied(siem, batch);

    it('tells by a probe that work can be done, and changes nothing', async () => {
      const before = (await held(siem)).length;

      const probe = await siem.connector.probe(never);

      expect(probe, probe.message).toMatchObject({ ok: true });
      expect((await held(siem)).length).toBe(before);
    });

    it('says at open and later which containers it has, under the names the definition gives', async () => {
      const ours = anEntry({ value: '192.0.2.1' });
      await apply(upserts([ours]));

      const containers = await siem.connector.containers(never);

      expect(containers.map((one) => one.name)).toContain(siem.definition.container(ours.type, siem.settings));
      expect(containers.every((one) => one.identity !== '')).toBe(true);
    });

    describe('1. apply is idempotent', () => {
      it('takes the upsert of a held entry as an update', async () => {
        const entry = anEntry({ value: '192.0.2.11' });

        expect(await apply(upserts([entry]))).toMatchObject([{ key: entry.key, kind: 'applied' }]);
        const later = context();
        expect(await apply(upserts([{ ...entry, until: entry.until + DAY_MS }], later))).toMatchObject([
          { key: entry.key, kind: 'applied' },
        ]);

        const rows = (await held(siem)).filter((row) => row.key === entry.key);
        expect(rows).toHaveLength(1);
        expect(rows[0]).toMatchObject({ revision: later.revision });
      });

      it('takes the same batch again as applied', async () => {
        const entry = anEntry({ value: '192.0.2.12' });
        const batch = upserts([entry]);

        await apply(batch);

        expect(kinds(await apply(batch))).toEqual(['applied']);
      });

      it('takes the removal of an absent entry as applied', async () => {
        const batch = await removals([anEntry({ value: '192.0.2.13' }).key]);

        expect(kinds(await apply(batch))).toEqual(['applied']);
        expect(kinds(await apply(batch))).toEqual(['applied']);
      });

      it('removes what it has put', async () => {
        const entry = anEntry({ value: '192.0.2.14' });
        await apply(upserts([entry]));

        expect(kinds(await apply(await removals([entry.key])))).toEqual(['applied']);

        expect((await held(siem)).map((row) => row.key)).not.toContain(entry.key);
      });
    });

    it('2. answers every change once, by its key', async () => {
      const entries = Array.from({ length: 40 }, (_, i) => anEntry({ value: `198.51.100.${i + 1}` }));
      await apply(upserts(entries.slice(0, 20)));
      const batch = joinBatches(
        upserts(entries.slice(20)),
        await removals(entries.slice(0, 20).map((entry) => entry.key)),
      );

      const outcomes = await apply(batch);

      expect(outcomes.map((one) => one.key).sort()).toEqual(entries.map((entry) => entry.key).sort());
      expect(new Set(kinds(outcomes))).toEqual(new Set(['applied']));
      const keys = (await held(siem)).map((row) => row.key);
      expect(keys).toEqual(expect.arrayContaining(entries.slice(20).map((entry) => entry.key)));
      for (const entry of entries.slice(0, 20)) expect(keys).not.toContain(entry.key);
    });

    it('3. lets one bad change fail alone', async ({ skip }) => {
      const { spoil, definition } = siem;
      if (spoil === undefined) return skip('this harness cannot make a body that the product refuses');
      const ctx = context();
      const good = [anEntry({ value: '192.0.2.31' }), anEntry({ value: '192.0.2.33' })];
      const bad = anEntry({ value: '192.0.2.32' });
      const spoilt: SiemDefinition = {
        ...definition,
        encode: (entry, given) => {
          const encoded = definition.encode(entry, given);
          return 'refused' in encoded ? encoded : { ...encoded, body: spoil(encoded.body) };
        },
      };
      const badBatch = encodeBatch(spoilt, [bad], ctx).batch;

      const outcomes = await bisected(siem, joinBatches(upserts([good[0]!], ctx), badBatch, upserts([good[1]!], ctx)));

      const byKey = new Map(outcomes.map((one) => [one.key, one]));
      expect(byKey.get(bad.key)).toMatchObject({ kind: 'failed', failure: { kind: 'permanent' } });
      for (const entry of good) expect(byKey.get(entry.key)).toMatchObject({ kind: 'applied' });
    });

    it("4. leaves an analyst's own entry of the same value alone", async () => {
      const entry = anEntry({ value: '192.0.2.41' });
      await siem.foreign.plant(entry);
      const before = await siem.foreign.read(entry);
      expect(before).toBeDefined();

      await apply(upserts([entry]));
      const listed = (await held(siem)).filter((row) => row.key === entry.key);
      await apply(await removals([entry.key]));

      expect(listed.length).toBeLessThanOrEqual(1);
      expect(await siem.foreign.read(entry)).toEqual(before);
      expect((await held(siem)).map((row) => row.key)).not.toContain(entry.key);
      expect((await siem.connector.foreign?.(never)) ?? 1).toBeGreaterThanOrEqual(1);
    });

    describe('5. list yields what apply did', () => {
      it('with key, slot, writer, revision and expiry', async () => {
        const entry = anEntry({ value: '192.0.2.51', until: NOON + 10 * DAY_MS });
        const ctx = context({ writer: 'writer-of-test-5' });
        await apply(upserts([entry], ctx));

        const row = (await held(siem)).find((one) => one.key === entry.key);

        expect(row).toMatchObject({
          key: entry.key,
          slot: siem.definition.slot(entry.type, entry.value, siem.settings),
          writer: 'writer-of-test-5',
          revision: ctx.revision,
        });
        // Some products keep whole seconds.
        if (row?.until !== undefined) expect(Math.abs(row.until - entry.until)).toBeLessThan(1000);
      });

      it('only the slots that are asked for', async () => {
        const entries = ['192.0.2.52', '192.0.2.53', '192.0.2.54'].map((value) => anEntry({ value }));
        await apply(upserts(entries));
        const slots = [entries[0]!, entries[2]!].map((one) => siem.definition.slot(one.type, one.value, siem.settings));

        const rows = await held(siem, [...slots, siem.definition.slot('ipv4-addr', '192.0.2.55', siem.settings)]);

        expect(rows.map((row) => row.slot).sort()).toEqual([...slots].sort());
      });
    });

    describe('6. expected faults come out classified', () => {
      for (const [fault, action, kind] of FAULTS) {
        it(`${fault}: ${kind}`, async ({ skip }) => {
          const { faults } = siem;
          if (faults === undefined) return skip('no fault injection on this product');
          const batch = upserts([anEntry({ value: '192.0.2.61' })]);
          faults.set([{ ...action, match: faults.match, times: 1 }]);

          const failure = await failureOf(siem, batch);

          expect(failure, JSON.stringify(failure)).toMatchObject({ kind: faults.kinds?.[fault] ?? kind });
          expect(failure.message.length).toBeGreaterThan(10);
          if (fault === 'too many requests') expect(failure.retryAfterMs).toBe(7000);
          faults.set([]);
          expect(kinds(await apply(batch))).toEqual(['applied']);
        });
      }

      for (const status of [401, 403, 404]) {
        it(`a later call of one batch that gets ${status}: what stands is never told as refused`, async ({ skip }) => {
          const { faults } = siem;
          if (faults === undefined) return skip('no fault injection on this product');
          const entries = AWKWARD.filter((one) => siem.definition.observables.includes(one.type)).map((one) =>
            anEntry(one),
          );
          const { batch } = encodeBatch(siem.definition, entries, context());
          faults.set([{ action: 'status', status, body: '{}', match: faults.match, skip: 1 }]);

          const refused = await applied(siem, batch).then(
            (outcomes) => outcomes.flatMap((one) => (one.kind === 'failed' && isCertain(one.failure) ? [one.key] : [])),
            (error: unknown) =>
              error instanceof ConnectorError && !error.uncertain ? batch.changes.map((change) => change.key) : [],
          );

          faults.set([]);
          // As the engine does after a refusal.
          await siem.connector.open(never);
          const standing = (await held(siem)).map((row) => row.key);
          for (const key of refused) expect(standing).not.toContain(key);
          await apply(await removals(batch.changes.map((change) => change.key)));
        });
      }

      it('a credential that is refused: config', async ({ skip }) => {
        if (siem.badCredential === undefined) return skip('this harness has no login to refuse');
        const connector = await siem.badCredential();

        const error = await connector.open(never).then(() => undefined, toFailure);
        const probe = await connector.probe(never);

        expect(error).toMatchObject({ kind: 'config' });
        expect(probe).toMatchObject({ ok: false });
        await connector.close();
      });

      it('a certificate that is not trusted: config', async ({ skip }) => {
        if (siem.badTls === undefined) return skip('this harness has no TLS');
        const connector = await siem.badTls();

        const error = await connector.open(never).then(() => undefined, toFailure);

        expect(error).toMatchObject({ kind: 'config' });
        await connector.close();
      });
    });

    it('7. retries nothing by itself', async ({ skip }) => {
      const { faults } = siem;
      if (faults === undefined) return skip('no fault injection on this product');
      const batch = upserts([anEntry({ value: '192.0.2.71' })]);
      for (const action of ['status', 'reset-before'] as const) {
        faults.set([{ action, ...(action === 'status' ? { status: 503 } : {}), match: faults.match }]);
        const before = faults.seen();

        await failureOf(siem, batch);

        expect(faults.seen() - before).toBe(1);
      }
    });

    describe('8. abort', () => {
      it('ends a hanging call promptly', async ({ skip }) => {
        const { faults } = siem;
        if (faults === undefined) return skip('no fault injection on this product');
        faults.set([{ action: 'hang', match: faults.match }]);
        const stop = new AbortController();
        const began = performance.now();
        setTimeout(() => stop.abort(), 50);

        await expect(siem.connector.apply(upserts([anEntry({ value: '192.0.2.81' })]), stop.signal)).rejects.toThrow();

        expect(performance.now() - began).toBeLessThan(900);
      });

      it('before the call sends nothing', async () => {
        const entry = anEntry({ value: '192.0.2.82' });

        await expect(siem.connector.apply(upserts([entry]), AbortSignal.abort())).rejects.toThrow();

        expect((await held(siem)).map((row) => row.key)).not.toContain(entry.key);
      });
    });

    it('9. shows no secret in any error or probe', async ({ skip }) => {
      const { faults, secrets } = siem;
      if (secrets.length === 0) return skip('this harness has no secret');
      const said: string[] = [inspect(siem.connector, { depth: 12 }), inspect(await siem.connector.probe(never))];
      for (const [, action] of faults === undefined ? [] : FAULTS.filter(([, one]) => one.action !== 'hang')) {
        faults?.set([{ ...action, match: faults.match, times: 1 }]);
        const result: unknown = await siem.connector
          .apply(upserts([anEntry({ value: '192.0.2.91' })]), never)
          .catch((error: unknown) => error);
        said.push(inspect(result, { depth: 12 }), JSON.stringify(result));
      }
      if (siem.badCredential !== undefined) {
        const connector = await siem.badCredential();
        const error: unknown = await connector.open(never).catch((thrown: unknown) => thrown);
        said.push(inspect(error, { depth: 12 }), inspect(await connector.probe(never)));
        await connector.close();
      }

      for (const secret of secrets) for (const text of said) expect(text.includes(secret)).toBe(false);
    });

    it('10. keeps awkward values through the round trip', async () => {
      const ctx = context();
      const asked = AWKWARD.filter((one) => siem.definition.observables.includes(one.type)).map((one) => anEntry(one));
      const { batch, refusals } = encodeBatch(siem.definition, asked, ctx);
      const kept = asked.filter((entry) => !refusals.some((one) => one.key === entry.key));
      // A refusal is honest, but it says why, and a connector that refuses most of this list is no connector.
      for (const one of refusals) expect(one.refused.length).toBeGreaterThan(5);
      expect(kept.length).toBeGreaterThanOrEqual(Math.ceil(asked.length / 2));

      expect(new Set(kinds(await apply(batch)))).toEqual(new Set(['applied']));
      const rows = (await held(siem)).map((row) => row.key);
      for (const entry of kept) expect(rows).toContain(entry.key);

      await apply(await removals(kept.map((entry) => entry.key)));
      const left = (await held(siem)).map((row) => row.key);
      for (const entry of kept) expect(left).not.toContain(entry.key);
    });

    it('keeps the writer mark, and gives back the one that stood before', async () => {
      const mark = (boot: string): WriterMark => ({ writer: 'writer-1', boot, revision: ++revision, at: NOON });
      const first = mark('boot-1');
      // What was signed last goes with it, where there is such a thing.
      const second = { ...mark('boot-2'), checkpoint: `12345 ${'A'.repeat(43)}= ${'b'.repeat(91)}=` };

      await siem.connector.writer(first, never);

      expect(await siem.connector.writer(undefined, never)).toEqual(first);
      expect(await siem.connector.writer(second, never)).toEqual(first);
      expect(await siem.connector.writer(undefined, never)).toEqual(second);
      expect((await held(siem)).every((row) => row.key !== undefined)).toBe(true);
    });

    describe('a product with versions', () => {
      it('says superseded for a late write, and keeps the newer one', async ({ skip }) => {
        if (!siem.definition.versioned) return skip('this product has no versions; the in-flight rule guards it');
        const entry = anEntry({ value: '192.0.2.101' });
        const late = context();
        const newer = context();
        await apply(upserts([{ ...entry, confidence: 90 }], newer));
        const before = await siem.read(entry);

        const outcomes = await apply(upserts([{ ...entry, confidence: 10 }], late));

        expect(outcomes).toEqual([{ key: entry.key, kind: 'superseded', revision: newer.revision }]);
        expect(await siem.read(entry)).toEqual(before);
      });

      it('says superseded for a late removal, and keeps the entry', async ({ skip }) => {
        if (!siem.definition.versioned) return skip('this product has no versions; the in-flight rule guards it');
        const entry = anEntry({ value: '192.0.2.102' });
        const late = context();
        const newer = context();
        await apply(upserts([entry], newer));

        const outcomes = await apply(await removals([entry.key], late));

        expect(outcomes).toEqual([{ key: entry.key, kind: 'superseded', revision: newer.revision }]);
        expect((await held(siem)).map((row) => row.key)).toContain(entry.key);
      });
    });

    it('remembers a removal, so that a late write does not bring the entry back', async ({ skip }) => {
      if (!siem.definition.versioned) return skip('this product has no versions; the in-flight rule guards it');
      const entry = anEntry({ value: '192.0.2.103' });
      await apply(upserts([entry]));
      const late = context();
      await apply(await removals([entry.key]));

      const outcomes = await apply(upserts([entry], late));

      expect(kinds(outcomes)).toEqual(['superseded']);
      expect((await held(siem)).map((row) => row.key)).not.toContain(entry.key);
    });

    it('gives a container that was deleted and made again another identity', async ({ skip }) => {
      if (siem.dropContainer === undefined) return skip('this harness cannot delete containers');
      const name = siem.definition.container('ipv4-addr', siem.settings);
      const identity = async () => (await siem.connector.containers(never)).find((one) => one.name === name)?.identity;
      const before = await identity();

      await siem.dropContainer('ipv4-addr');
      const between = await identity();
      await siem.connector.open(never);
      const after = await identity();

      expect(before).toBeDefined();
      expect(between).not.toBe(before);
      expect(after).toBeDefined();
      expect(after).not.toBe(before);
      const entry = anEntry({ value: '192.0.2.111' });
      expect(kinds(await apply(upserts([entry])))).toEqual(['applied']);
    });
  });
}
