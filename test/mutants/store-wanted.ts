// What a SIEM shall hold: projection, objects, listings, brakes, holds, revisions.
import type { Mutated } from './mutant.ts';

export const storeWanted: readonly Mutated[] = [
  {
    file: 'src/core/store/projection/suppressions.ts',
    tests: [
      'store/projection/judged',
      'store/projection/projection',
      'store/rules',
      'store/delivery/outcomes',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: 'SELECT type, value, max(until) AS until FROM suppression',
        put: 'SELECT type, value, min(until) AS until FROM suppression',
        rule: 'Of two suppressions of one value the longer counts.',
      },
    ],
  },
  {
    file: 'src/core/ledger/admit.ts',
    tests: [
      'ledger/admit',
      'store/projection/judged',
      'store/projection/projection',
      'store/rules',
      'store/delivery/outcomes',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: '(claim.validFrom <= now && now < until ? voucherBit(claim.exchangeId) : 0)',
        put: 'voucherBit(claim.exchangeId + 0 * (now + until))',
        rule: 'A claim that is over, or still to begin, does not vouch.',
      },
      {
        find: 'if (!active) into.left ??= claim.exchangeId;',
        put: '',
        rule: 'What an exchange that left the configuration carries is counted as its own.',
      },
      {
        find: 'rules.lifetime.renewOnHit === true ? lastHit() : undefined',
        put: 'lastHit()',
        rule: 'A hit renews a lifetime only where policy says so.',
        survives: 'The expiry asks the same of policy; here it only spares the look-up of the hit.',
      },
      {
        find: 'if (!siem.observables.includes(type)) return',
        put: 'if (siem.observables.length === 0) return',
        rule: 'A SIEM is given no kind of value that it does not take.',
      },
      {
        find: "decision.code === 'marking_unexplained' ? { atLeast: 'red' as const } : {}",
        put: "decision.code === 'marking_unexplained' ? { atLeast: 'clear' as const } : {}",
        rule: 'What stands under a marking that nobody explained counts as the strictest.',
      },
      {
        find: "rules.intake.unmarked === 'refuse' ? 'red' : unmarkedTlp(claim, rules.intake.unmarked)",
        put: "'clear'",
        rule: 'What states no level counts as its own exchange has it.',
      },
      {
        find: 'rules.lifetime,\n      observable.type,',
        put: 'Object.values(siem.rules)[0]!.lifetime,\n      observable.type,',
        rule: 'A claim lives as long as the rules for its own exchange have it.',
      },
    ],
  },
  {
    file: 'src/core/ledger/withheld.ts',
    tests: ['ledger/withheld', 'store/projection/let-in'],
    mutants: [
      {
        find: 'pending.filter((one) => letIn(one.asks))',
        put: 'pending.some((one) => letIn(one.asks)) ? pending : []',
        rule: 'An answer lets in the claims that it was about, and none beside them.',
      },
      {
        find: 'if (there) return',
        put: 'if (there && before === undefined) return',
        rule: 'What stands there without a word of anybody goes before it waits in a hold.',
      },
      {
        find: 'mergeClaims(observable, admitted, now).entry !== undefined)\n    return { admission, over: true };',
        put: 'false)\n    return { admission, over: true };',
        rule: 'Where a claim vouches that needs no word, nobody is asked.',
      },
      {
        find: 'pending.find((one) => mayAsk(one.asks))?.asks',
        put: 'pending[0]?.asks',
        rule: 'A person is asked so many questions at most.',
      },
      {
        find: '...vouching(answered, now) }, over: false };',
        put: '...vouching(answered, now) }, over: true };',
        rule: 'An answer lasts as long as the entry is wanted for it.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/let-in.ts',
    tests: ['store/projection/let-in'],
    mutants: [
      {
        find: "if (hold?.kind !== 'intake' || hold.decision !== 'approve') return;",
        put: "if (hold?.kind !== 'intake') return;",
        rule: 'Only an approval lets in.',
      },
      {
        find: "same && intakeStays(hold.decision === 'reject', changed)",
        put: 'same',
        rule: 'Of what was rejected a new version is asked about anew.',
      },
      {
        find: "same && intakeStays(hold.decision === 'reject', changed)",
        put: 'same && hold.decision === null',
        rule: 'What was rejected is not asked about again while nothing changed.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/crowds.ts',
    tests: ['store/projection/crowds'],
    mutants: [
      {
        find: '    admission.vouchers |= part.vouchers;\n',
        put: '',
        rule: 'Who vouches in an earlier part still vouches.',
      },
      {
        find: 'if (moment < now && isOver(entry, admission, moment, now))',
        put: 'if (moment < 0 && isOver(entry, admission, moment, now))',
        rule: 'What was over before the last part is gone through again.',
      },
      {
        find: 'bothOf(reasonOf(waiting.argument), reason)',
        put: 'reason',
        rule: 'What ended while it waits is still counted as a withdrawal.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/admissions.ts',
    tests: [
      'store/projection/let-in',
      'store/projection/judged',
      'store/projection/projection',
      'store/rules',
      'store/delivery/outcomes',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: 'return pending.filter((one) => this.#letIn.has(siem, id, one.asks));',
        put: 'return pending.some((one) => this.#letIn.has(siem, id, one.asks)) ? pending : [];',
        rule: 'A person lets in what was shown, and no claim beside it.',
      },
      {
        find: '({ ...row, benign: 0, valid_from: Math.min(row.valid_from, now) })',
        put: '({ ...row, valid_from: Math.min(row.valid_from, now) })',
        rule: 'A hold keeps what the partner calls harmless now: that is the withdrawal it holds.',
      },
      {
        find: '({ ...row, benign: 0, valid_from: Math.min(row.valid_from, now) })',
        put: '({ ...row, benign: 0 })',
        rule: 'A hold keeps what the partner has begin later now.',
      },
      {
        find: '({ ...one, until: until ?? one.until })',
        put: 'one',
        rule: 'What a hold keeps is written anew with the expiry it had.',
      },
      {
        find: 'return rows === 0 || admission.admitted.length > 0',
        put: 'return admission.admitted.length > 0',
        rule: 'A hold keeps what no claim describes any more, such as an adopted entry.',
        tests: ['store/delivery/found', 'store/delivery/comparison'],
      },
    ],
  },
  {
    file: 'src/core/store/ingest/statements.ts',
    tests: [
      'store/ingest/explained',
      'store/ingest/objects',
      'store/ingest/stricter-markings',
      'store/projection/judged',
    ],
    mutants: [
      {
        find: '    this.await(item);\n    return true;\n',
        put: '    return true;\n',
        rule: 'A marking that came under the same version is explained when its definition comes.',
      },
    ],
  },
  {
    file: 'src/core/store/ingest/taking-in.ts',
    tests: [
      'store/ingest/explained',
      'store/ingest/objects',
      'store/ingest/stricter-markings',
      'store/projection/judged',
    ],
    mutants: [
      {
        find: '        if (taken.tighten) this.#statements.tighten(item, incoming);\n',
        put: '',
        rule: 'A vanished object returns as strict as it comes.',
      },
      {
        find: 'if (found!.state === OBJECT.published) this.#counts.change(this.#exchange, found, undefined);',
        put: 'this.#counts.change(this.#exchange, found, undefined);',
        rule: 'An object that vanished and is revoked leaves the count once.',
      },
      {
        find: '    if (!this.#armed(found, item)) item.armsAnew = true;\n',
        put: '',
        rule: 'Hits from before a new version armed the value are not told to its partner.',
        tests: ['store/sightings/claims'],
      },
      {
        find: '        item.armsAnew = true;\n        if (taken.tighten)',
        put: '        if (taken.tighten)',
        rule: 'Hits from while an object had vanished are not told to its partner.',
        tests: ['store/sightings/claims'],
      },
      {
        find: 'incoming: believable(given, this.#now)',
        put: 'incoming: given',
        rule: 'A version from the future is not believed.',
      },
    ],
  },
  {
    file: 'src/core/store/ingest/explaining.ts',
    tests: [
      'store/ingest/explained',
      'store/ingest/objects',
      'store/ingest/stricter-markings',
      'store/projection/judged',
    ],
    mutants: [
      {
        find: 'const next = explained(this.#context, row.exchange_id, openOf(row));',
        put: 'const next = explained(this.#context, row.exchange_id, { refs: openOf(row).refs });',
        rule: 'An open marking is explained beside the levels that the object states.',
      },
      {
        find: '&& next.unexplained === row.unexplained) return 1;',
        put: ') return 1;',
        rule: 'An object is judged anew when its last marking is explained, though no level changes.',
      },
      {
        find: 'row.unexplained !== null && next.unexplained === null);',
        put: 'row.unexplained === next.unexplained);',
        rule: 'Hits from before a marking was explained are not told to its partner.',
        tests: ['store/sightings/claims'],
      },
    ],
  },
  {
    file: 'src/core/store/unit/explanations.ts',
    tests: ['store/ingest/explained', 'store/ingest/objects', 'store/ingest/stricter-markings'],
    mutants: [
      {
        find: 'found.body === body || found.version > version',
        put: 'found.body === body',
        rule: 'A name keeps its highest version, however late an older one comes.',
      },
      {
        find: 'tlp: stricterTlp(first.tlp, other.tlp),',
        put: 'tlp: other.tlp ?? first.tlp,',
        rule: 'Of two definitions under one id the stricter counts.',
      },
      {
        find: 'pap: stricterPap(first.pap, other.pap),',
        put: 'pap: first.pap,',
        rule: 'A second definition may make the PAP stricter.',
      },
      {
        find: 'unread: first.unread ?? other.unread,',
        put: 'unread: other.unread,',
        rule: 'A definition that was not understood is not opened by another one of its id.',
      },
      {
        find: "one.kind === 'relationship' && one.relation === 'indicates'",
        put: "one.kind === 'relationship'",
        rule: 'Only what indicates a threat names one.',
      },
      {
        find: 'if (revoked ? found.length === 0 : same) continue;',
        put: 'if (found.length === 0 ? revoked : same) continue;',
        rule: 'A relationship that is revoked takes its name along.',
      },
    ],
  },
  {
    file: 'src/core/store/rows/open-markings.ts',
    tests: ['store/ingest/explained', 'store/ingest/objects', 'store/ingest/stricter-markings'],
    mutants: [
      {
        find: 'tlp = stricterTlp(tlp, definition?.tlp);',
        put: 'tlp = definition?.tlp ?? tlp;',
        rule: 'A definition never opens what is stated beside it.',
      },
      {
        find: 'pap = stricterPap(pap, definition?.pap);',
        put: 'pap = definition?.pap ?? pap;',
        rule: 'The strictest PAP of a definition and what is stated counts.',
      },
      {
        find: 'else if (definition === undefined) unexplained ??=',
        put: 'else if (definition === null) unexplained ??=',
        rule: 'A marking that nobody explained keeps the object out.',
      },
      {
        find: 'else if (definition.unread !== undefined) unexplained ??=',
        put: 'else if (definition?.unread === null) unexplained ??=',
        rule: 'A definition that is not understood keeps the object out.',
      },
    ],
  },
  {
    file: 'src/core/store/ingest/listing.ts',
    tests: ['store/ingest/objects', 'store/projection/judged', 'store/ingest/retention'],
    mutants: [
      {
        find: 'OR s.listed IS NULL OR s.listed < ?)) AS missing',
        put: 'OR s.listed IS NULL OR ? < 0)) AS missing',
        rule: 'A scope that was listed to its end once says nothing about today.',
      },
      {
        find: 'OR s.listed IS NULL OR s.listed < ?)) AS missing',
        put: 'OR s.listed < ?)) AS missing',
        rule: 'A scope that no listing named keeps its objects.',
      },
      {
        find: "if (complete) this.#store.db.run('UPDATE scope SET listed",
        put: "this.#store.db.run('UPDATE scope SET listed",
        rule: 'A scope that was not listed to its end concludes nothing.',
      },
      {
        find: '    if (withdraw) {\n',
        put: '    {\n',
        rule: 'Nothing is withdrawn where vanished objects are kept.',
      },
    ],
  },
  {
    file: 'src/core/store/ingest/snapshots.ts',
    tests: ['store/projection/judged', 'store/ingest/objects'],
    mutants: [
      {
        find: 'rows.filter((row) => row.elsewhere === 0 && row.state',
        put: 'rows.filter((row) => row.state',
        rule: 'What one scope lacks and another shows has not vanished.',
      },
      {
        find: '    if (run === null) return;\n',
        put: '',
        rule: 'A snapshot of which the beginning is missing concludes nothing.',
      },
      {
        find: 'WHERE p.scope_id = ? AND p.listing < ? AND',
        put: 'WHERE p.scope_id = ? AND p.listing <= ? AND',
        rule: 'What a snapshot shows on any of its pages is there.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/brakes.ts',
    tests: ['store/projection/judged', 'store/projection/brakes', 'store/projection/holds'],
    mutants: [
      {
        find: 'minute > ? AND minute <= ?`',
        put: 'minute >= ? AND minute <= ?`',
        rule: 'What was withdrawn a window ago does not count any more.',
      },
      {
        find: 'const window = windowHours * 60;',
        put: 'const window = (windowHours - 1) * 60;',
        rule: 'What was withdrawn within the window counts to its last minute.',
      },
      {
        find: 'one.removal.share < best.removal.share ? one : best',
        put: 'one.removal.share > best.removal.share ? one : best',
        rule: 'An exchange that left brakes by the strictest settings of the SIEM.',
      },
      {
        find: "      this.#count(group, 'cut', minute, cut);\n",
        put: '',
        rule: 'Validities that are cut short count for the removal brake.',
      },
      {
        find: "\"'removal', 'cut'\";",
        put: '"\'removal\'";',
        rule: 'An approval forgives the cuts that were counted as well.',
      },
      {
        find: "total(\"'addition', 'approved'\", minute",
        put: 'total("\'addition\'", minute',
        rule: 'Additions that a person approved say what is usual.',
      },
      {
        find: 'if (exchange === undefined || exchange.firstSync) return;',
        put: 'if (exchange === undefined) return;',
        rule: 'The first sync neither brakes nor says what is usual.',
      },
      {
        find: 'const armed = this.#armed(siem, exchangeId) + gone;',
        put: 'const armed = this.#armed(siem, exchangeId);',
        rule: 'The share is of what stood there when the window began.',
      },
      {
        find: 'gone + total("\'cut\'", minute - window, minute) + foreseen;',
        put: 'gone + total("\'cut\'", minute - window, minute);',
        rule: 'Withdrawals that are gone through in steps are judged together.',
      },
      {
        find: '* 60 * (USUAL_WINDOWS + 2);',
        put: '* 60;',
        rule: 'Counts are kept as long as they say what is usual.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/holds.ts',
    tests: ['store/projection/holds', 'store/projection/brakes'],
    mutants: [
      {
        find: 'if (this.#table.code(hold) !== code.toLowerCase()) throw',
        put: 'if (code === undefined) throw',
        rule: 'An approval covers exactly the set that was shown.',
      },
    ],
  },
  {
    file: 'src/core/store/unit/context.ts',
    tests: [
      'store/rules',
      'store/delivery/outcomes',
      'store/delivery/batches',
      'store/projection/projection',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: '      this.#clock.fail();\n',
        put: '',
        rule: 'A failed unit raises no floor.',
      },
      {
        find: '      this.#tallies.restore(tallies);\n',
        put: '',
        rule: 'A failed unit leaves the tallies as they were.',
      },
    ],
  },
  {
    file: 'src/core/store/unit/unit-clock.ts',
    tests: ['store/unit/unit-clock', 'store/rules', 'store/delivery/outcomes'],
    mutants: [
      {
        find: '    [this.#lastRevision, this.#engineTime] = this.#before;\n',
        put: '',
        rule: 'A failed unit gives its revision to nobody.',
      },
      {
        find: 'if (revision >= this.#revision) this.#revision = revision + 1;',
        put: 'if (revision > this.#revision) this.#revision = revision + 1;',
        rule: 'Ours lies above a found revision, also where it is the very same.',
      },
      {
        find: 'Math.max(this.#lastRevision + 1, time * 1000)',
        put: 'Math.max(this.#lastRevision, time * 1000)',
        rule: 'No two units share a revision.',
      },
      {
        find: '? now : Math.max(now, this.#engineTime);',
        put: '? now : now;',
        rule: 'Engine time does not run back with a restless clock.',
      },
    ],
  },
];
