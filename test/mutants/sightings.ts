// What is told back: hits, release, outbox and the loops that read and send.
import type { Mutated } from './mutant.ts';

export const sightings: readonly Mutated[] = [
  {
    file: 'src/core/store/sightings/hits.ts',
    tests: ['sightings/told', 'store/sightings/hits', 'store/sightings/claims', 'store/sightings/sightings'],
    mutants: [
      {
        find: 'const last = Math.min(hit.last, now);',
        put: 'const { last } = hit;',
        rule: 'Nothing was seen later than it was read.',
      },
      {
        find: 'const more = count - (coming.seen.get(hit.dedupe)?.[1] ?? before.seen.get(hit.dedupe) ?? 0);',
        put: 'const more = coming.seen.has(hit.dedupe) || before.seen.has(hit.dedupe) ? 0 : count;',
        rule: 'What an alert stands for on top of before is counted.',
      },
      {
        find: 'const more = count - (coming.seen.get(hit.dedupe)?.[1] ?? before.seen.get(hit.dedupe) ?? 0);',
        put: 'const more = count - (coming.seen.get(hit.dedupe)?.[1] ?? 0);',
        rule: 'A hit that is read again counts once.',
      },
      {
        find: 'coming.seen.get(hit.dedupe)?.[1] ?? before.seen.get(hit.dedupe) ?? 0',
        put: 'before.seen.get(hit.dedupe) ?? 0',
        rule: 'A hit that comes twice in one unit counts once.',
      },
      {
        find: 'Math.max(Math.min(hit.first, last), start),',
        put: 'hit.first,',
        rule: 'The first time of a sighting lies within its window.',
      },
      {
        find: 'armed.findLast((since) => since <= at)',
        put: 'armed.findLast((since) => since < at)',
        rule: 'A hit in the moment in which a claim came is owed to it.',
      },
      {
        find: 'start < this.#oldest(now) || this.#releases.ignores(hit.key)',
        put: 'this.#releases.ignores(hit.key)',
        rule: 'Hits older than what is kept are no news.',
      },
    ],
  },
  {
    file: 'src/core/store/sightings/coming-hits.ts',
    tests: ['sightings/told', 'store/sightings/hits', 'store/sightings/claims', 'store/sightings/sightings'],
    mutants: [
      {
        find: '  into.first = Math.min(into.first, first);\n',
        put: '',
        rule: 'The earliest of the hits is the first time, in whatever order they are read.',
      },
    ],
  },
  {
    file: 'src/core/store/sightings/telling.ts',
    tests: [
      'sightings/told',
      'store/sightings/claims',
      'store/sightings/hits',
      'store/sightings/outbox',
      'store/sightings/releases',
    ],
    mutants: [
      {
        find: 'AND c.object_id > ? AND o.state = ${OBJECT.published}',
        put: 'AND c.object_id > ?',
        rule: 'Hits are told of published objects only.',
        survives:
          'The release refuses what is withdrawn as well (releases.ts): the row is denied instead of never made.',
      },
    ],
  },
  {
    file: 'src/core/store/sightings/vouched-hits.ts',
    tests: [
      'sightings/told',
      'store/sightings/claims',
      'store/sightings/hits',
      'store/sightings/outbox',
      'store/sightings/releases',
    ],
    mutants: [
      {
        find: 'AND ${ARMED} <= h.part AND',
        put: 'AND h.part IS NOT NULL AND',
        rule: 'Hits are told only to those whose claim armed the entry then.',
      },
      {
        find: 'hitTime(row.hit_day)) <= row.first)',
        put: 'hitTime(row.hit_day)) < row.first)',
        rule: 'A claim armed nothing in the moment of its expiry.',
      },
      {
        find: 'if (this.#releases.ignores(entryKey(type, row.value))) return undefined;',
        put: '',
        rule: 'Hits on a value that became a canary since are not told.',
      },
      {
        find: "if (decision.kind === 'refuse') return undefined;",
        put: "if (decision.kind === 'refuse') return { hit };",
        rule: 'A SIEM that may not hold the object tells nothing of it.',
      },
      {
        find: 'answered.get(`${letIn.siem} ${letIn.entryId}`) === letIn.asked,',
        put: 'letIn.asked !== undefined,',
        rule: 'A SIEM tells of what policy holds only where a person let it in.',
      },
    ],
  },
  {
    file: 'src/core/store/sightings/outbox.ts',
    tests: ['sightings/told', 'store/sightings/outbox', 'store/sightings/releases', 'sightings/loops'],
    mutants: [
      {
        find: 'else if (one.totals.modified > row.modified) {',
        put: 'else {',
        rule: 'A version of a sighting never goes back.',
      },
      {
        find: 'holdCanaries.has(row) ? denied(before, HOLDS_CANARIES, now) : taken(before, ruling, now)',
        put: 'taken(before, ruling, now)',
        rule: 'A count that holds hits on a canary of ours stays here.',
      },
      {
        find: 'if (found !== undefined && next.sent !== row.modified)',
        put: 'if (found === null)',
        rule: 'Hits that came while a version was on its way are sent as the next one.',
      },
      {
        find: 'sending = NULL, attempt = attempt + 1 WHERE state = ${OUTBOX.sending}',
        put: 'sending = NULL WHERE state = ${OUTBOX.sending}',
        rule: 'What was on its way at a crash is looked for before it goes again.',
      },
      {
        find: 'if (next === telling) continue;',
        put: '',
        rule: 'The end of a sending counts only for what is on its way.',
      },
    ],
  },
  {
    file: 'src/core/store/sightings/held-sightings.ts',
    tests: ['sightings/told', 'store/sightings/held-sightings', 'sightings/loops'],
    mutants: [
      {
        find: 'if (now - row.since > this.#releases.spec.holdHours * 3_600_000)',
        put: 'if (now < 0)',
        rule: 'An approval does not outrun the end of a hold.',
      },
    ],
  },
  {
    file: 'src/core/store/rows/releases.ts',
    tests: ['sightings/told', 'store/sightings/releases', 'store/sightings/claims', 'store/sightings/outbox'],
    mutants: [
      {
        find: "    if (!found.published) return { action: 'deny', reason: 'the partner withdrew the object' };\n",
        put: '',
        rule: 'A sighting of an object that the partner withdrew stays here.',
      },
      {
        find: "    if (!found.active) return { action: 'deny', reason: `exchange ${found.from} is no longer configured` };\n",
        put: '',
        rule: 'A sighting of an object of an exchange that left stays here.',
      },
      {
        find: '...(tlp === undefined || row.unexplained !== null ? {} : { tlp }),',
        put: '...(tlp === undefined ? {} : { tlp }),',
        rule: 'An object whose marking nobody explained is released as the strictest.',
      },
      {
        find: '        ...ownTerms(row),\n',
        put: '',
        rule: 'Terms that an object states itself are for a release rule to name.',
      },
      {
        find: 'if (unread !== undefined) return [ref];',
        put: '',
        rule: 'Terms of use that are not understood stand under their id.',
      },
      {
        find: "if (decision.action !== 'share' || found.shown) return decision;",
        put: 'if (found !== undefined) return decision;',
        rule: 'What an exchange has not shown since its name was given anew waits for a person.',
      },
      {
        find: '(decision.jitterMinutes ?? 0) * MINUTE_MS * share,',
        put: '(decision.jitterMinutes ?? 0) * MINUTE_MS * 0,',
        rule: 'Sightings leave with the jitter of their rule.',
      },
      {
        find: 'digest48(`${secret}\\0${uuid}`)',
        put: 'digest48(uuid)',
        rule: 'The jitter cannot be taken off by who knows the id.',
      },
    ],
  },
  {
    file: 'src/core/sightings/sender.ts',
    tests: ['sightings/sending', 'sightings/loops'],
    mutants: [
      {
        find: 'const at = now() + this.#standing.waitMs(toFailure(error));',
        put: 'const at = now();',
        rule: 'What a failed call may have sent waits as long as its sender.',
      },
      {
        find: "kind: 'unseen', reason: `exchange ${this.name}: ${NOTHING_SAID}` }) as const",
        put: "kind: 'sent' }) as const",
        rule: 'A sighting without an outcome was not delivered.',
      },
      {
        find: "if (one.failure.kind === 'permanent')\n        return { uuid: one.uuid, kind: 'refused', reason: plainly(one.failure).message };\n",
        put: '',
        rule: 'What the exchange refuses for good is put aside.',
      },
      {
        find: 'if (asked.next > now() || hindered || signal.aborted) {',
        put: 'if (hindered || signal.aborted) {',
        rule: 'A receipt is asked for with a growing pause.',
      },
      {
        find: '        hindered = true;\n',
        put: '',
        rule: 'A server that is away is not asked for each receipt.',
      },
      {
        find: 'if (this.#standing.pauses) return { ...report, done: false };',
        put: '',
        rule: 'The sender rests after a failed call.',
      },
      {
        find: "const hindered = outcomes.find((one) => one.kind === 'failed' && one.failure.kind !== 'permanent');",
        put: 'const hindered = outcomes.find((one) => one.uuid === undefined);',
        rule: 'A failure among the outcomes that heals has the sender rest.',
      },
      {
        find: "if (failure.kind === 'bug') throw error;",
        put: '',
        rule: 'A bug in asking for a receipt is told as one.',
      },
      {
        find: 'while (!signal.aborted && (await this.#sendSome(',
        put: 'while ((await this.#sendSome(',
        rule: 'A sender that is stopped takes nothing more.',
      },
    ],
  },
  {
    file: 'src/core/sightings/reporter.ts',
    tests: ['sightings/sending', 'sightings/loops'],
    mutants: [
      {
        find: 'if (this.#standing.pauses) return total;',
        put: '',
        rule: 'The reading of hits rests after a failure.',
      },
      {
        find: '- search.overlapMs, to };',
        put: ', to };',
        rule: 'A search overlaps the one before.',
      },
      {
        find: 'if (!signal.aborted) await store.commitHits(this.name, [],',
        put: 'await store.commitHits(this.name, [],',
        rule: 'A search that is stopped leaves its window where it was.',
      },
      {
        find: 'add(total, await store.commitHits(this.name, hits, undefined, now()));',
        put: 'add(total, await store.commitHits(this.name, hits, { ...json(places), searched: to }, now()));',
        rule: 'The window moves only after every entry was searched for in it.',
      },
      {
        find: 'const cursor = { ...json(places), alerts: page.cursor };',
        put: 'const cursor = { alerts: page.cursor };',
        rule: 'Reading alerts leaves the place of the search.',
      },
      {
        find: '{ ...json(places), searched: to }, now());\n  }',
        put: '{ searched: to }, now());\n  }',
        rule: 'Searching leaves the place in the alerts.',
      },
      {
        find: 'Math.min(places.searched ?? to - FIRST_MS, to)',
        put: '(places.searched ?? to - FIRST_MS)',
        rule: 'A clock that ran back makes no window that ends before it begins.',
      },
      {
        find: '      if (signal.aborted) return total;\n',
        put: '',
        rule: 'A reading that is stopped claims no success.',
      },
    ],
  },
];
