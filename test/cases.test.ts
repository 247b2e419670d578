// What users of neighbouring products complained about in public, as a table of objects and what must become of them.
// Each case runs through reading and the store, with the rules that a configuration file makes.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { storeSpec } from '../src/app/specs.ts';
import { exchanges, siems } from '../src/connectors/registry.ts';
import { readObjects } from '../src/connectors/exchange/taxii21/objects.ts';
import { parseConfig } from '../src/core/config/load.ts';
import { problemLine } from '../src/core/config/source.ts';
import { tellIgnored } from '../src/core/ingest/told.ts';
import { OBSERVABLE_TYPES } from '../src/core/model/observable.ts';
import { aSiem, Rig } from './builders/store.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const MINUTE = 60_000;

const Case = z.strictObject({
  name: z.string(),
  kind: z.string(),
  config: z.strictObject({
    siem: z.record(z.string(), z.unknown()).default({}),
    policy: z.record(z.string(), z.unknown()).default({}),
  }),
  objects: z.array(z.record(z.string(), z.unknown())),
  later: z.array(z.record(z.string(), z.unknown())).default([]),
  expected: z.strictObject({
    armed: z.array(
      z.strictObject({
        type: z.enum(OBSERVABLE_TYPES),
        value: z.string(),
        tlp: z.string().optional(),
        until_at_most: z.string().optional(),
      }),
    ),
    refused: z.array(z.strictObject({ id: z.string(), value: z.string().optional(), reason_like: z.string() })),
    note: z.string().optional(),
  }),
});
type Case = z.output<typeof Case>;

/** `$ENTENTE_CASES`, else `../shared/cases` beside the repository. */
function cases(): Case[] {
  const folder = process.env['ENTENTE_CASES'] ?? resolve(import.meta.dirname, '../../shared/cases');
  const file = join(folder, 'objects.jsonl');
  if (!existsSync(file)) {
    console.warn(`The cases of others are skipped: no file ${file}. Name its folder in ENTENTE_CASES.`);
    return [];
  }
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => Case.parse(JSON.parse(line)));
}

/** What a file with these settings tells the store; its SIEM is the one of the store's own tests. */
function specOf({ siem, policy }: Case['config']) {
  const file = {
    instance: 'cases',
    exchanges: [{ name: 'partner', type: 'taxii21', url: 'http://127.0.0.1:9/' }],
    siems: [{ name: 'siem', type: 'elastic', url: 'http://127.0.0.1:9', hosting: 'on_premises', ...siem }],
    policy: { removal_brake: { at_least: 1e6 }, addition_brake: { at_least: 1e6 }, ...policy },
  };
  // JSON is YAML.
  const answer = parseConfig('/etc/entente.yaml', JSON.stringify(file), { exchanges, siems }, {});
  if ('problems' in answer) throw new Error(answer.problems.map(problemLine).join('\n'));
  const spec = storeSpec(answer.config);
  return { ...spec, siems: spec.siems.map(({ rules }) => ({ ...aSiem(), rules })) };
}

/** Reasons by object id: what the store kept of the object, what reading refused, and what policy says of its claims. */
async function run({ config, objects, later }: Case) {
  const { exchanges: partners, siems: watching } = specOf(config);
  const rig = new Rig({ exchanges: partners, siems: watching });
  const told: string[] = [];
  const reasons: { id: string; text: string }[] = [];
  for (const [i, batch] of [objects, ...later.map((one) => [one])].entries()) {
    const { read, notes } = await readObjects(batch, 'the answer', new AbortController().signal);
    told.push(...notes);
    const ignored: Record<string, number> = {};
    for (const one of read) if (one.kind === 'ignored') ignored[one.type] = (ignored[one.type] ?? 0) + 1;
    const page = {
      objects: read.flatMap((one) => (one.kind === 'object' ? [one.object] : [])),
      refusals: read.flatMap((one) => (one.kind === 'refusal' ? [one.refusal] : [])),
    };
    for (const { objectId, reason, detail } of page.refusals)
      reasons.push({ id: objectId ?? '', text: `${reason}: ${detail}` });
    const report = rig.commit(page.objects, NOW + i * MINUTE, 'partner', page);
    const { indicators } = rig.read((reader) => reader.exchanges()[0]!);
    told.push(tellIgnored(ignored, indicators) ?? '');
    if (report.conflicting > 0) told.push(`${report.conflicting} conflicting`);
    rig.deliver(NOW + i * MINUTE);
  }
  rig.tick(NOW + later.length * MINUTE);
  rig.deliver(NOW + later.length * MINUTE);
  for (const row of rig.ask<{ object_id: string; refusal: string; facts: string }>(
    'SELECT object_id, refusal, facts FROM object WHERE refusal IS NOT NULL',
  ))
    reasons.push({ id: row.object_id, text: `${row.refusal}: ${row.facts}` });
  const armed = rig.read((reader) =>
    rig
      .ask<{ type: number; value: string; wanted: number; until: number | null }>(
        // What waits for a person is not armed.
        'SELECT e.type, e.value, CASE WHEN p.hold IS NULL THEN coalesce(p.wanted, 0) ELSE 0 END AS wanted, p.until FROM entry e LEFT JOIN projection p ON p.entry_id = e.id ORDER BY e.id',
      )
      .flatMap(({ type, value, wanted, until }) => {
        const observable = { type: OBSERVABLE_TYPES[type]!, value };
        const why = reader.why(observable, NOW);
        for (const claim of why?.claims ?? [])
          for (const { decision, reason } of claim.decisions)
            if (decision !== 'accept') reasons.push({ id: claim.object_id, text: `${value}: ${reason}` });
        const tlp = why?.claims.map((claim) => claim.tlp).at(0) ?? undefined;
        return wanted === 1 ? [{ ...observable, tlp, until: until ?? Number.POSITIVE_INFINITY }] : [];
      }),
  );
  return { armed, reasons, told };
}

const key = ({ type, value }: { type: string; value: string }) => `${type} ${value}`;

describe('cases from the bug reports of others', () => {
  const all = cases();
  if (all.length === 0) {
    it.skip('the folder with the cases of others is not there', () => {});
    return;
  }

  it.each(all.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { armed, reasons, told } = await run(one);

    expect(armed.map(key).sort()).toEqual(one.expected.armed.map(key).sort());
    for (const wanted of one.expected.armed) {
      const found = armed.find((entry) => key(entry) === key(wanted))!;
      if (wanted.tlp !== undefined) expect(found.tlp).toBe(wanted.tlp);
      if (wanted.until_at_most !== undefined) expect(found.until).toBeLessThanOrEqual(Date.parse(wanted.until_at_most));
    }
    for (const { id, value, reason_like } of one.expected.refused) {
      const ofObject = reasons.filter((reason) => reason.id === id).map((reason) => reason.text);
      expect(ofObject.join('\n').toLowerCase()).toContain(reason_like.toLowerCase());
      if (value !== undefined) expect(ofObject.some((text) => text.includes(value))).toBe(true);
    }
    if (TOLD[one.name] !== undefined) expect(told.join('\n')).toMatch(TOLD[one.name]!);
  });
});

/** Notes of the table that are about what is told. */
const TOLD: Readonly<Record<string, RegExp>> = {
  'revoked-with-offset': /times with an offset/,
  'new-with-offset': /times with an offset/,
  'same-version-longer-life': /1 conflicting/,
  'bundle-inside-objects': /1 bundle/,
  'observables-only': /4 objects came and none is an indicator/,
};
