// The engine: delivery and its division of batches, the writer mark, polls, listings and their commits.
import type { Mutated } from './mutant.ts';

export const delivery: readonly Mutated[] = [
  {
    file: 'src/core/delivery/outcomes.ts',
    tests: ['delivery/outcomes', 'delivery/standing'],
    mutants: [
      {
        find: 'if (unknown.has(key)) return',
        put: 'if (unknown.has(undefined!)) return',
        rule: 'What a lost call may have done is unknown, whatever the others came to.',
      },
      {
        find: 'if (failure !== undefined && undone.has(key)) return',
        put: 'if (failure === null) return',
        rule: 'What a failed call left undone for certain is not in doubt.',
      },
      {
        find: "settlements.push({ kind: 'unknown', retryAt: now + backoffMs(attempt, NO_OUTCOME,",
        put: "settlements.push({ kind: 'retry', retryAt: now + backoffMs(attempt, NO_OUTCOME,",
        rule: 'A change without an outcome may have been carried out.',
      },
      {
        find: 'worst = worse(worst, NO_OUTCOME);',
        put: '',
        rule: 'A connector that gives no outcome has a bug, and the target says so.',
      },
      {
        find: "if (failure.kind === 'permanent' && change.op === 'upsert') {",
        put: "if (failure.kind === 'permanent') {",
        rule: 'A removal is never parked.',
      },
      {
        find: "const certain = failure.kind === 'permanent' || failure.kind === 'config';",
        put: "const certain = failure.kind !== 'bug';",
        rule: 'A busy or broken far side may have carried the change out all the same.',
      },
      {
        find: 'ORDER.indexOf(b.kind) > ORDER.indexOf(a.kind)',
        put: 'ORDER.indexOf(b.kind) < ORDER.indexOf(a.kind)',
        rule: 'Of several failures the one that a person must mend is told.',
      },
      {
        find: "if (outcome.kind === 'applied' && outcome.handle === undefined) {",
        put: "if (outcome.kind === 'applied') {",
        rule: 'A handle that the SIEM gives is kept.',
      },
      {
        find: 'const outcome = byKey.get(change.key) ?? MISSING;',
        put: 'const outcome = outcomes[settlements.length] ?? MISSING;',
        rule: 'Outcomes are matched by key, never by position.',
      },
    ],
  },
  {
    file: 'src/core/delivery/dividing.ts',
    tests: ['delivery/dividing', 'delivery/deliverer'],
    mutants: [
      {
        find: 'const certain = known !== undefined && !known.uncertain;',
        put: 'const certain = true;',
        rule: 'Changes of a call whose answer was lost may have been carried out.',
      },
      {
        find: 'const certain = known !== undefined && !known.uncertain;',
        put: 'const certain = known !== undefined;',
        rule: 'A failure of which nobody knows what it left undone is uncertain.',
      },
      {
        find: "if (found.kind === 'permanent') continue;",
        put: '',
        rule: 'The refusal of one single change is that change’s affair.',
      },
      {
        find: 'const stopped = failure ?? search.over;',
        put: 'const stopped = failure;',
        rule: 'A search for a bad value ends where nothing at all is taken.',
      },
      {
        find: 'for (const { key } of batch.changes) (begun.has(key) ? unknown : undone).add(key);\n      continue;',
        put: 'continue;',
        rule: 'What was not sent was not carried out.',
      },
      {
        find: 'this.#taken = true;\n    this.#accepted = true;',
        put: 'this.#accepted = true;',
        rule: 'While others are taken the search for the bad value goes on.',
      },
    ],
  },
  {
    file: 'src/core/delivery/refusals.ts',
    tests: ['delivery/refusals', 'delivery/deliverer'],
    mutants: [
      {
        find: "if (failure.kind !== 'permanent' || aboutTheValue(failure)) return undefined;",
        put: "if (failure.kind !== 'permanent') return undefined;",
        rule: 'What can only be about the value is parked, however many there are.',
      },
      {
        find: '[...before.keys].some((key) => !keys.has(key)) ? refusal',
        put: 'keys.size > 0 ? refusal',
        rule: 'The same change refused twice tells nothing of the others.',
      },
      {
        find: '        this.#last = undefined;\n',
        put: '',
        rule: 'A change that is taken in between ends the suspicion.',
      },
      {
        find: 'if (reason !== undefined && reason !== reasonOf(failure)) return undefined;',
        put: '',
        rule: 'Refusals for several reasons are about the values.',
      },
    ],
  },
  {
    file: 'src/core/delivery/writer.ts',
    tests: ['delivery/writer', 'delivery/deliverer'],
    mutants: [
      {
        find: '(age < STALE_AFTER_MS && self.takeOver !== true)',
        put: '(age < STALE_AFTER_MS / 2 && self.takeOver !== true)',
        rule: 'Another writer is taken over only once its mark is old.',
      },
      {
        find: 'if (self.marked || (age < STALE_AFTER_MS',
        put: 'if ((age < STALE_AFTER_MS',
        rule: 'Who wrote here gives way to no other writer, however old its mark.',
      },
      {
        find: 'if (found.revision > self.revision)',
        put: 'if (found.revision >= self.revision)',
        rule: 'A mark that is as new as this state is its own: nothing is listed anew.',
      },
      {
        find: 'return found.at <= markedAt && found.revision <= openedRevision;',
        put: 'return found.at <= markedAt;',
        rule: 'A mark beyond the revisions of an earlier life is a twin.',
      },
      {
        find: 'return found.at <= markedAt && found.revision <= openedRevision;',
        put: 'return found.revision <= openedRevision;',
        rule: 'A mark later than ours is a twin.',
      },
      {
        find: 'freeAt: saneTime(found.at, now) + STALE_AFTER_MS,',
        put: 'freeAt: saneTime(found.at, now),',
        rule: 'A twin is waited for until its mark is old.',
      },
      {
        find: 'Math.min(at, now + STALE_AFTER_MS);',
        put: 'at;',
        rule: 'A mark from beyond every clock is not waited for, for ever.',
      },
    ],
  },
  {
    file: 'src/core/delivery/mark.ts',
    tests: ['delivery/mark', 'delivery/standing', 'delivery/restored', 'delivery/deliverer'],
    mutants: [
      {
        find: 'if (!this.#written || this.#target.now() - this.#renewedAt >= RENEW_AFTER_MS) await this.write(signal);',
        put: 'if (!this.#written) await this.write(signal);',
        rule: 'The writer mark is renewed while nothing else is written.',
      },
      {
        find: 'if (revision > this.#upTo) await this.write(signal);',
        put: '',
        rule: 'The mark names a revision before anything is written under it.',
      },
      {
        find: 'const known = this.#written ? revision : (marked ?? openedRevision);',
        put: 'const known = revision;',
        rule: 'A restored state knows its age by the mark that it wrote last.',
      },
      {
        find: '|| found.boot !== boot) return;',
        put: ') return;',
        rule: 'A place is given back only by who holds it.',
      },
    ],
  },
  {
    file: 'src/core/delivery/refused-removals.ts',
    tests: ['delivery/refused-removals', 'delivery/standing', 'delivery/deliverer'],
    mutants: [
      {
        find: 'else if (refusedRemoval !== undefined && one.failure',
        put: 'else if (refusedRemoval === null && one.failure',
        rule: 'A removal that a task refuses makes the SIEM failing.',
      },
      {
        find: "if (one.kind !== 'failed') this.#failures.delete(one.key);",
        put: "if (one.kind !== 'failed') continue;",
        rule: 'A removal that a task carries out in the end is refused no longer.',
      },
      {
        find: '      if (open.has(key)) continue;\n',
        put: '',
        rule: 'A refused removal that a task took once more is refused until the task has ended.',
      },
    ],
  },
  {
    file: 'src/core/delivery/containers.ts',
    tests: ['delivery/standing', 'delivery/deliverer'],
    mutants: [
      {
        find: '    if (lost.length > 0 || rows > 0) this.#removals.clear();\n',
        put: '',
        rule: 'Removals refused in a container that was made anew are no trouble any more.',
      },
      {
        find: 'if (gone.length > 0) await this.#open(signal);',
        put: 'if (gone === undefined) await this.#open(signal);',
        rule: 'A deleted container is provisioned again.',
      },
      {
        find: '    await store.opened(name, opened.facts, now());\n',
        put: '',
        rule: 'What was negotiated is known to the mapping.',
      },
    ],
  },
  {
    file: 'src/core/delivery/adoption.ts',
    tests: ['delivery/standing', 'delivery/mark', 'delivery/taken-over'],
    mutants: [
      {
        find: '    this.#removals.clear();\n',
        put: '',
        rule: 'Refused removals are judged anew where everything is taken over.',
      },
      {
        find: 'Math.max(floor, highestRevision)',
        put: 'floor',
        rule: 'What is listed raises the floor, whether or not it could be taken over.',
      },
    ],
  },
  {
    file: 'src/core/runtime/standing.ts',
    tests: ['runtime/standing', 'sightings/sending', 'ingest/scopes'],
    mutants: [
      {
        find: '    this.#attempt++;\n',
        put: '',
        rule: 'The back-off grows with each failed call.',
      },
      {
        find: 'const recovered = this.failure !== undefined;\n    this.#rested();\n',
        put: 'const recovered = this.failure !== undefined;\n',
        rule: 'What works again starts its back-off anew.',
      },
      {
        find: '    if (!news) return;\n',
        put: '',
        rule: 'A failure is told when it comes, not each time.',
      },
      {
        find: 'if (recovered) this.#telling.well(',
        put: 'if (!recovered) this.#telling.well(',
        rule: 'That a peer works again is told where it had failed.',
      },
    ],
  },
  {
    file: 'src/core/delivery/standing.ts',
    tests: ['delivery/standing', 'delivery/deliverer'],
    mutants: [
      {
        find: '    await store.postpone(name, until, now());\n',
        put: '',
        rule: 'What must go is tried once and then waits like the rest.',
      },
      {
        find: 'if (recovered) await store.dueAtOnce(name, now());',
        put: '',
        rule: 'When a SIEM is well again nothing waits for times that were set before.',
      },
      {
        find: "if (failure.kind === 'config') this.negotiated = false;",
        put: '',
        rule: 'After a refusal the SIEM is negotiated with again.',
      },
    ],
  },
  {
    file: 'src/core/delivery/flights.ts',
    tests: ['delivery/standing', 'delivery/restored', 'delivery/mark', 'delivery/deliverer'],
    mutants: [
      {
        find: 'if (superseded) this.superseded = true;',
        put: '',
        rule: 'Where something newer stands everything is listed and taken over.',
      },
      {
        find: 'await store.settle(id, [], now());',
        put: '',
        rule: 'A batch whose result could not be written is given back as unknown.',
      },
      {
        find: "if (failure !== undefined && failure.kind !== 'permanent' && !isOfPlace(failure)) this.#standing.found(failure);",
        put: "if (failure !== undefined && failure.kind !== 'permanent') this.#standing.found(failure);",
        rule: 'What concerns one container alone holds up no others.',
      },
    ],
  },
  {
    file: 'src/core/delivery/receipts.ts',
    tests: ['delivery/standing', 'delivery/deliverer'],
    mutants: [
      {
        find: "if (toFailure(error).kind !== 'permanent') throw error;",
        put: 'if (error === undefined) throw error;',
        rule: 'A task that cannot be asked for now is not forgotten.',
      },
    ],
  },
  {
    file: 'src/core/delivery/lane.ts',
    tests: ['delivery/lane', 'delivery/taken-over'],
    mutants: [
      {
        find: 'this.#turn.then(work, work);\n    this.#turn = turn.catch(() => {});',
        put: 'this.#turn.then(work);\n    this.#turn = turn;',
        rule: 'A failure holds up nobody who comes after it.',
      },
      {
        find: 'this.#turn.then(work, work);',
        put: 'this.#turn.then(work);',
        rule: 'A turn begins whatever came of the one before.',
        survives: 'What came of the turn before is not kept: the one that is waited for ends well in any case.',
      },
      {
        find: 'this.#listings === 0 ? undefined : work()',
        put: 'work()',
        rule: 'Only a listing has others work beside it.',
      },
    ],
  },
  {
    file: 'src/core/delivery/deliverer.ts',
    tests: ['delivery/deliverer', 'delivery/mark', 'delivery/standing'],
    mutants: [
      {
        find: 'if (now() < this.pausedUntil && !(await store.urgent(name))) return;',
        put: 'if (now() < this.pausedUntil) return;',
        rule: 'No pause holds up what must go.',
      },
      {
        find: "await this.#standing.pause(at + wait, { kind: 'config', message: `${name}: ${verdict.reason}` });\n        return false;",
        put: "await this.#standing.pause(at + wait, { kind: 'config', message: `${name}: ${verdict.reason}` });\n        return true;",
        rule: 'Two do not write under one name.',
        survives: 'The failure that is remembered beside it ends the cycle before anything is sent, too.',
      },
      {
        find: 'Math.min(60_000, Math.max(1_000, (verdict.freeAt ?? at + 60_000) - at));',
        put: '0;',
        rule: 'A twin is looked for again within a minute, not at once.',
      },
    ],
  },
];

export const ingest: readonly Mutated[] = [
  {
    file: 'src/core/ingest/commits.ts',
    tests: ['ingest/commits', 'ingest/poller'],
    mutants: [
      {
        find: 'if (this.#running !== undefined || this.#failed !== undefined || this.#waiting.length === 0) return;',
        put: 'if (this.#running !== undefined || this.#waiting.length === 0) return;',
        rule: 'Nothing is committed behind a commit that failed.',
      },
      {
        find: 'if (objects >= COMMIT_OBJECTS || claims >= COMMIT_CLAIMS) break;',
        put: '',
        rule: 'A commit is bounded, however much waits.',
      },
      {
        find: 'while (this.#running !== undefined && this.#holds(2)) await this.#running;',
        put: '',
        rule: 'A reader that is far ahead waits for the store.',
      },
    ],
  },
  {
    file: 'src/core/ingest/parts.ts',
    tests: ['ingest/parts', 'ingest/poller'],
    mutants: [
      {
        find: 'objects, refusals: [], cursor: before };',
        put: 'objects, refusals: [] };',
        rule: 'Only the last part of a page moves the cursor.',
      },
      {
        find: "let objects = page.objects.filter((one) => one.kind !== 'indicator') as IncomingObject[];",
        put: 'let objects: IncomingObject[] = [];',
        rule: 'What explains indicators is committed with the first part of a page.',
      },
    ],
  },
  {
    file: 'src/core/ingest/poller.ts',
    tests: ['ingest/poller', 'ingest/scopes'],
    mutants: [
      {
        find: 'if (signal.aborted) break pages;',
        put: '',
        rule: 'A poll that is stopped leaves the rest of its page to the next one.',
      },
      {
        find: 'if (!signal.aborted) await this.#ended(odd.told(total), only);',
        put: 'await this.#ended(odd.told(total), only);',
        rule: 'A poll that is stopped claims no success.',
      },
      {
        find: "if (only === 'all') await store.pollCompleted(this.name, now());\n    else await",
        put: 'if (only !== undefined) await store.pollCompleted(this.name, now());\n    else await',
        rule: 'A poll of single collections says nothing of all that is published.',
      },
      {
        find: '      await this.#keep(commits);\n',
        put: '',
        rule: 'Pages that came before a failure are kept with their cursor.',
      },
      {
        find: '      if (signal.aborted) return;\n      for (const failure of failures)',
        put: '      for (const failure of failures)',
        rule: 'A full listing that is stopped concludes nothing.',
      },
      {
        find: 'run, part.scope, part.present, part.complete, this',
        put: 'run, part.scope, part.present, true, this',
        rule: 'A collection that was not listed to its end concludes nothing.',
      },
      {
        find: 'if (failure !== undefined) {\n      this.#partly = true;',
        put: 'if (failure === null) {\n      this.#partly = true;',
        rule: 'A poll in which a collection failed has not read everything.',
      },
      {
        find: '    this.scopes.forgetOthers();\n',
        put: '',
        rule: 'A collection that is gone fails no longer.',
      },
      {
        find: 'if (this.#standing.pauses) return total;',
        put: '',
        rule: 'A poll rests after a failure.',
      },
      {
        find: "if (failures.every(({ kind }) => kind === 'permanent')) await",
        put: 'if (failures.length === 0) await',
        rule: 'What can never be listed is not asked for at each run.',
      },
      {
        find: "if (failures.every(({ kind }) => kind === 'permanent')) await",
        put: 'await',
        rule: 'A listing that an outage or a missing right cut is due until it was looked at.',
      },
    ],
  },
  {
    file: 'src/core/ingest/scopes.ts',
    tests: ['ingest/scopes'],
    mutants: [
      {
        find: "known?.failure === undefined ? only === 'all' : !known.pauses;",
        put: "known?.failure === undefined ? only === 'all' : only === 'failing';",
        rule: 'A collection that failed rests for its time.',
      },
      {
        find: '    if (!due) this.#ended.add(scope);\n',
        put: '',
        rule: 'A collection that rests is still part of the exchange.',
      },
      {
        find: 'SEVERITY[b.kind] - SEVERITY[a.kind]',
        put: 'SEVERITY[a.kind] - SEVERITY[b.kind]',
        rule: 'Of several failures the one that a person must mend is told.',
      },
      {
        find: 'return Math.min(...this.failing.map(({ standing }) => standing.pausedUntil));',
        put: 'return Math.max(...this.failing.map(({ standing }) => standing.pausedUntil));',
        rule: 'The collection that has rested first is asked first.',
      },
    ],
  },
];
