// The ledger's rows: what becomes of a batch and of a task, what is found in a SIEM, what people and containers do.
import type { Mutated } from './mutant.ts';

export const storeRows: readonly Mutated[] = [
  {
    file: 'src/core/store/delivery/settling.ts',
    tests: ['store/rules', 'store/delivery/outcomes', 'store/delivery/batches'],
    mutants: [
      {
        find: "settlements[i] ?? { kind: 'unknown', retryAt: this.#store.now }",
        put: "settlements[i] ?? { kind: 'applied' as const }",
        rule: 'A change without an outcome is unknown, never applied.',
      },
      {
        find: "if (settlement.kind === 'superseded') this.#store.raiseFloor(settlement.revision);",
        put: ';',
        rule: 'A higher revision in the SIEM raises the floor of all of ours.',
      },
      {
        find: "if (outcome.kind === 'unknown') doubt(this.#store, siem, entry);",
        put: '',
        rule: 'The value of a lost call is looked at again until the call can no longer land.',
        tests: ['delivery/read-back'],
      },
      {
        find: 'if (found?.stand.call === undefined) return;',
        put: 'if (found === undefined) return;',
        rule: 'The result of a call whose intent stands no more changes nothing.',
        tests: ['store/delivery/outcomes', 'store/projection/holds', 'store/delivery/batches', 'store/rules'],
      },
    ],
  },
  {
    file: 'src/core/store/projection/stand-runs.ts',
    tests: ['store/projection/stand-runs', 'store/delivery/outcomes', 'store/rules'],
    mutants: [
      {
        find: 'AND wanted_rev = sent_rev AND hold IS NULL`',
        put: 'AND hold IS NULL`',
        rule: 'A row that was overtaken in flight is not settled with its whole batch.',
      },
      {
        find: 'AND wanted_rev = sent_rev AND hold IS NULL`',
        put: 'AND wanted_rev = sent_rev`',
        rule: 'A row that was held in flight rests in its hold when the whole batch is settled.',
      },
      {
        find: 'AND p.wanted_rev = p.sent_rev AND p.hold IS NULL AND ${of}`',
        put: 'AND p.hold IS NULL AND ${of}`',
        rule: 'A row that was overtaken while its task ran is not settled with the task.',
      },
      {
        find: 'AND p.wanted_rev = p.sent_rev AND p.hold IS NULL AND ${of}`',
        put: 'AND p.wanted_rev = p.sent_rev AND ${of}`',
        rule: 'A row that was held while its task ran is not settled with the task.',
      },
      {
        find: 'SET state = ${STATE.accepted}, present = ${PRESENT.maybe}, batch',
        put: 'SET state = ${STATE.accepted}, batch',
        rule: 'While a task has a whole batch its rows may or may not be there.',
      },
      {
        find: 'present = CASE present WHEN ${PRESENT.no} THEN ${PRESENT.maybe} ELSE present END',
        put: 'present = present',
        rule: 'The intent of a batch is on disk: its rows count as maybe there.',
      },
      {
        find: 'AND entry_id BETWEEN ? AND ? AND (next_at IS NULL OR next_at <= ?)`',
        put: 'AND entry_id BETWEEN ? AND ? AND ? > 0`',
        rule: 'What waits for a time is not taken with its neighbours.',
      },
      {
        find: "'p.wanted = 0 AND p.due IS NOT NULL AND p.kept_out = 0'",
        put: "'p.wanted = 0'",
        rule: 'What waits for no moment to come goes for good when its task is over.',
      },
      {
        find: 'AND wanted = 0 AND next_at IS NULL`',
        put: 'AND next_at IS NULL`',
        rule: 'Only what must go waits because a try failed before it came to it.',
        survives:
          'What is wanted and uncertain waits for a time of its own in all but a moment; that it waits with the others then does no harm.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/comparison.ts',
    tests: [
      'store/delivery/found',
      'store/delivery/outcomes',
      'store/delivery/comparison',
      'store/rules',
      'store/delivery/batches',
    ],
    mutants: [
      {
        find: '    if (stand !== undefined && stand.present.revision > run.startedRevision) return undefined;\n',
        put: '',
        rule: 'A row that was written while an audit runs is not stale.',
      },
      {
        find: 'p.present <> 0 AND p.rev <= ?',
        put: 'p.present <> 0 AND ? >= 0',
        rule: 'A row that was written while an audit runs is not missing.',
      },
      {
        find: '       AND p.state NOT IN (${STATE.flight}, ${STATE.accepted})\n       AND NOT EXISTS',
        put: '       AND NOT EXISTS',
        rule: 'An audit concludes nothing of a row whose call is under way.',
      },
      {
        find: "if (stand?.call?.kind === 'flight' || stand?.call?.kind === 'accepted') return undefined;",
        put: "if (stand?.call?.kind === 'flight') return undefined;",
        rule: 'A row that a task is about to write is not called stale by an audit.',
      },
      {
        find: "if (stand?.call?.kind === 'flight' || stand?.call?.kind === 'accepted') return undefined;",
        put: "if (stand?.call?.kind === 'accepted') return undefined;",
        rule: 'A row that is being sent is not taken over by an audit.',
      },
      {
        find: "if (stand.wanted.is && stand.present.is === 'yes')",
        put: 'if (stand.wanted.is)',
        rule: 'What only may be there was never said to be there, and is no drift.',
      },
      {
        find: "    if (run.adopted) db.run('UPDATE siem SET adopted_at = coalesce(adopted_at, ?) WHERE id = ?', now, siem.id);\n",
        put: '',
        rule: 'What an audit finds and nobody knows is released by the next polls.',
      },
      {
        find: 'if (!siem.encoder.foldsSlots) return [];',
        put: 'if (siem.id > 0) return [];',
        rule: 'Keys that share a slot are all there when the slot is.',
      },
      {
        find: "stand?.wanted.is === true ? 'stale' : 'orphaned';",
        put: "stand !== undefined ? 'stale' : 'orphaned';",
        rule: 'What stands there and is not wanted is an orphan, also where its row is known.',
      },
      {
        find: '    if (run.repair) {\n      db.run(',
        put: '    if (run !== undefined) {\n      db.run(',
        rule: 'An audit that only looked puts the next repair off by nothing.',
        tests: ['delivery/audits'],
      },
    ],
  },
  {
    file: 'src/core/store/delivery/findings.ts',
    tests: ['store/delivery/found', 'store/delivery/comparison', 'store/rules'],
    mutants: [
      {
        find: 'if (revision > this.#store.lastRevision) this.#store.raiseFloor(revision);',
        put: '',
        rule: 'A row of ours that is found with a higher revision raises the floor.',
      },
      {
        find: 'if (stand?.call !== undefined) return false;',
        put: '',
        rule: 'A late look changes nothing of a row whose call is under way.',
      },
      {
        find: "stand.present.is === 'no' || stand.call !== undefined) return [];",
        put: "stand.present.is === 'no') return [];",
        rule: 'A late look calls nothing lost whose call is under way.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/read-back.ts',
    tests: ['store/rules', 'store/delivery/found', 'store/delivery/batches'],
    mutants: [
      {
        find: '(p.next_at IS NULL OR p.next_at <= ?) ORDER BY p.entry_id LIMIT ?',
        put: '? > 0 ORDER BY p.entry_id LIMIT ?',
        rule: 'Uncertain rows are read back once their time has come.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/receipts.ts',
    tests: ['store/delivery/batches', 'store/delivery/outcomes', 'store/rules'],
    mutants: [
      {
        find: "if (op === 'remove' && settlement.kind === 'park') {",
        put: "if (op === undefined && settlement.kind === 'park') {",
        rule: 'A removal that a task refuses is tried again and told, never parked.',
      },
      {
        find: "told ?? ({ kind: 'unknown', retryAt: this.#store.now } as const)",
        put: "told ?? ({ kind: 'applied' } as const)",
        rule: 'What the result of a task does not name is unknown.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/batches.ts',
    tests: ['store/delivery/outcomes', 'store/rules', 'store/delivery/batches', 'store/projection/holds'],
    mutants: [
      {
        find: "this.#collect(siem, 'remove', limits, now) ?? this.#collect(siem, 'upsert', limits, now)",
        put: "this.#collect(siem, 'upsert', limits, now) ?? this.#collect(siem, 'remove', limits, now)",
        rule: 'Removals go first.',
      },
      {
        find: '    if (rows.some((row) => row.wanted_rev === revision)) this.#store.raiseFloor(revision);\n',
        put: '',
        rule: 'What lost its place in the unit that sent it is taken back under a later revision.',
        tests: ['store/delivery/replanning'],
      },
    ],
  },
  {
    file: 'src/core/store/delivery/drafts.ts',
    tests: [
      'store/delivery/outcomes',
      'store/projection/seats',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: 'if (row.hold_kind === HOLD.removal)\n      return',
        put: 'if (row.hold_kind === undefined)\n      return',
        rule: 'What a hold keeps is written as its claims had it, not as they are now.',
      },
      {
        find: 'if (row.present === PRESENT.no && !room.has(found.type))',
        put: 'if (!room.has(found.type))',
        rule: 'What stands there is updated in a full watchlist, too.',
      },
      {
        find: '    if (row.present === PRESENT.no) room.take(found.type);\n',
        put: '',
        rule: 'Entries of one batch use up the room together.',
      },
      {
        find: 'revision: row.wanted_rev,\n      ...(row.handle === null ? {} : { handle: row.handle }),',
        put: 'revision: row.wanted_rev,',
        rule: 'A removal names the handle of its row.',
      },
      {
        find: 'room.leaving ? (stand) => postponed(stand, now + ROOM_WAIT_MS) : (stand)',
        put: '(stand)',
        rule: 'What comes in the place of another waits for it to leave, and is not parked.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/slots.ts',
    tests: [
      'store/delivery/slots',
      'store/delivery/outcomes',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: 'ids.filter((id) => this.#stands.load(siem, id)?.call !== undefined)',
        put: "ids.filter((id) => this.#stands.load(siem, id)?.call?.kind === 'flight')",
        rule: 'Accepted and uncertain calls keep a slot busy as well.',
      },
      {
        find: '        row.wanted_rev = revision;\n',
        put: '',
        rule: 'What is written over others goes under the revision that says so.',
      },
      {
        find: '    this.#slots.arrange(siem, rows, making.words);',
        put: '    this.#slots.arrange(siem, rows, new Map());',
        rule: 'Of one batch the later row shows its words, however many come between.',
      },
      {
        find: "return is === 'no' ? undefined : { entryId, revision };",
        put: 'return undefined;',
        rule: 'What was written before under a later revision comes before all the same.',
      },
      {
        find: 'if (added && siem.encoder.foldsSlots) this.#slots.takeAlong(siem, slot, entry.id);',
        put: '',
        rule: 'What stood in a row that goes under another key is lost with it.',
      },
      {
        find: "if (stand.present.is === 'no' || goesItself) continue;",
        put: "if (stand.present.is === 'no') continue;",
        rule: 'What goes by a call of its own is not taken along.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/replanning.ts',
    tests: [
      'store/delivery/replanning',
      'store/delivery/outcomes',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: '(row.due !== null && row.due <= now) ||',
        put: '(row.due !== null && row.due < now) ||',
        rule: 'What is due at this moment is planned anew before it is sent.',
      },
      {
        find: ' || this.#awaits(row.entry_id));',
        put: ');',
        rule: 'What a recomputation has not come to is planned anew before it is sent.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/containers.ts',
    tests: ['store/delivery/outcomes', 'store/delivery/found', 'store/delivery/comparison', 'store/projection/holds'],
    mutants: [
      {
        find: 'AND p.present <> 0 AND p.state <> ${STATE.flight} ORDER BY',
        put: 'AND p.present <> 0 ORDER BY',
        rule: 'A row in flight is left to its call when its container is lost.',
      },
      {
        find: 'rows.filter((row) => touched.has(row.entry.type))',
        put: 'rows',
        rule: 'A lost container takes only its own entries along.',
      },
      {
        find: "if (stand.call?.kind === 'accepted') doubt(this.#store, siem, entry);",
        put: ';',
        rule: 'What a task may still write into a container that is made anew is looked at.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/doubts.ts',
    tests: ['store/delivery/found', 'delivery/deliverer', 'delivery/read-back', 'delivery/mark'],
    mutants: [
      {
        find: '`DELETE FROM doubt WHERE ${named} AND ends <= ?`',
        put: '`DELETE FROM doubt WHERE ${named} AND ? > 0`',
        rule: 'A doubtful value is looked at until its call can no longer land.',
      },
      {
        find: 'AND p.state IN (${STATE.flight}, ${STATE.accepted}, ${STATE.uncertain})) LIMIT ?',
        put: 'AND p.state = 99) LIMIT ?',
        rule: 'A doubtful value is not looked at while another call on it is under way.',
      },
      {
        find: '      if (siem.encoder.foldsSlots) standing.add(one.slot);\n',
        put: '',
        rule: 'A key whose slot another of ours holds is not lost.',
      },
      {
        find: 'this.#findings.look(siem, found, missed)',
        put: 'this.#findings.look(siem, found, [])',
        rule: 'What a late removal took away is written again.',
      },
    ],
  },
  {
    file: 'src/core/store/delivery/adoption.ts',
    tests: ['store/delivery/found', 'store/rules', 'store/delivery/comparison'],
    mutants: [
      {
        find: 'const waiting = this.#store.exchanges.some(',
        put: 'const waiting = this.#store.exchanges.every(',
        rule: 'Adopted entries wait for every partner.',
      },
      {
        find: '      if (siem.spec.rules[exchange.spec.name] === undefined) return false;\n',
        put: '',
        rule: 'An exchange that the SIEM does not listen to is not waited for.',
      },
      {
        find: 'polled === undefined || polled === null || polled < adopted',
        put: 'polled === undefined || polled === null',
        rule: 'Only a poll that ended after the adoption releases.',
      },
      {
        find: 'if (until === undefined || until > now) this.#brakes.withdrawn(siem, 0, entry.id);',
        put: 'this.#brakes.withdrawn(siem, 0, entry.id);',
        rule: 'Adopted entries that expired are no withdrawal.',
      },
      {
        find: "this.#store.db.run('UPDATE siem SET adopted_at = NULL WHERE id = ?', siem.id);",
        put: '',
        rule: 'After its release a SIEM is no longer adopting.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/people.ts',
    tests: [
      'store/delivery/outcomes',
      'store/projection/projection',
      'store/projection/seats',
      'delivery/deliverer',
      'delivery/read-back',
    ],
    mutants: [
      {
        find: "if (which === 'all') return !isFull(parked.reason);",
        put: "if (which === 'all') return true;",
        rule: 'What waits for room is not tried again because the product changed.',
      },
      {
        find: "if (which === 'by the SIEM') return parked.code !== undefined;",
        put: "if (which === 'by the SIEM') return true;",
        rule: 'What our own mapping refused is not sent again with each audit.',
      },
      {
        find: "if (lacks) this.#judge(entry, { cause: 'none', exchangeId: 0 }, now, siem);",
        put: '',
        rule: 'What was refused is tried again with a place only, in a watchlist that takes only so many.',
        tests: ['store/projection/seats'],
      },
      {
        find: "if (which === 'by the SIEM' && this.#lacksPlace(siem, row) === 'none free') continue;",
        put: '',
        rule: 'The audit tries what was refused again only where a place is free.',
        tests: ['store/projection/seats'],
      },
    ],
  },
  {
    file: 'src/core/store/delivery/recovery.ts',
    tests: [
      'store/delivery/batches',
      'store/rules',
      'store/projection/holds',
      'delivery/deliverer',
      'delivery/read-back',
    ],
    mutants: [
      {
        find: 'doubtSince(store, siem, entry, store.engineTime);',
        put: '',
        rule: 'What was in flight at a crash is looked at until it can no longer land.',
        tests: ['delivery/read-back'],
      },
      {
        find: 'runs.atOnce(siem, store.engineTime + READ_BACK_MS);',
        put: '',
        rule: 'Who starts again waits for no time that was set before.',
      },
      {
        find: 'recovered(stand, siem.encoder.versioned, store',
        put: 'recovered(stand, true, store',
        rule: 'Where no revisions decide, what was in flight at a crash is read back first.',
      },
    ],
  },
];
