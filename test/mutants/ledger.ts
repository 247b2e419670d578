// The state machine of one row, what a SIEM shall hold, what an arriving version does to the one that is known, and how
// far a sighting has come: the pure rules of the ledger.
import type { Mutated } from './mutant.ts';

export const ledger: readonly Mutated[] = [
  {
    file: 'src/core/ledger/capacity.ts',
    tests: ['ledger/capacity', 'store/projection/seats'],
    mutants: [
      {
        find: 'surer >= SURER ||',
        put: 'surer >= 1 ||',
        rule: 'What stands there gives way only to what is surer by enough.',
      },
      {
        find: '>= NEWER_MINUTES',
        put: '>= 1',
        rule: 'What stands there gives way only to what is newer by enough.',
      },
      {
        find: 'surer >= 0 &&',
        put: 'surer > -100 &&',
        rule: 'What is newer and less sure takes no place.',
      },
      {
        find: 'if (isFirm(seated)) return false;',
        put: '',
        rule: 'Of what a held removal keeps nobody takes the place.',
        survives: 'Such a place sorts above every other one, so that nothing is better by enough in any case.',
      },
      {
        find: 'if (seated > most) return',
        put: 'if (seated > most + 1) return',
        rule: 'A lower limit sends the worst out.',
      },
      {
        find: 'if (!stands) return waiting > seated;',
        put: 'if (!stands) return waiting >= seated;',
        rule: 'Of equals the one that has a place keeps it.',
      },
      {
        find: 'const now = seated + comes.length - goes.length;',
        put: 'const now = seated + comes.length;',
        rule: 'Who goes leaves room for one.',
      },
      {
        find: 'const now = seated + comes.length - goes.length;',
        put: 'const now = seated - goes.length;',
        rule: 'Who comes takes room of one.',
      },
      {
        find: 'confidence === undefined ? 0 : 1 +',
        put: 'confidence === undefined ? 1 : 1 +',
        rule: 'What states no confidence comes behind all that do.',
      },
      {
        find: "worst === undefined || isFirm(worst.place) ? undefined : 'out'",
        put: "worst === undefined ? undefined : 'out'",
        rule: 'A lower limit sends nothing out that a held removal keeps.',
      },
    ],
  },
  {
    file: 'src/core/store/projection/seats.ts',
    tests: ['store/projection/seats', 'store/store'],
    mutants: [
      {
        find: " || this.#count(siem, room, 'out') > 0;",
        put: ';',
        rule: 'What waits already comes before what is new.',
      },
      {
        find: 'for (const [siem, rooms] of this.#rooms) for (const room of rooms.values()) stands.moved(siem, room);',
        put: '',
        rule: 'Another limit acts at the next tick.',
      },
      {
        find: "find('place, entry_id DESC')",
        put: "find('place DESC, entry_id DESC')",
        rule: 'The worst gives way.',
      },
      {
        find: "find('place DESC, entry_id')",
        put: "find('place DESC, entry_id DESC')",
        rule: 'Of equals the one that was known first is better.',
      },
      {
        find: 'stands: present !== PRESENT.no',
        put: 'stands: present === PRESENT.yes',
        rule: 'What may be there counts as standing there.',
      },
      {
        find: 'names.indexOf(names[i]!)]',
        put: 'i]',
        rule: 'Types that share a container share its places.',
      },
      {
        find: '          if (left <= 0) return;\n',
        put: '',
        rule: 'What one unit does not come to goes on in the next.',
      },
    ],
  },
  {
    file: 'src/core/ledger/stand.ts',
    tests: [
      'ledger/stand',
      'ledger/call',
      'ledger/holds',
      'ledger/found',
      'ledger/rest',
      'store/delivery/outcomes',
      'store/delivery/found',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: "if (stand.parked !== undefined && asked !== 'remove') return 'parked';",
        put: "if (stand.parked !== undefined) return 'parked';",
        rule: 'What should be gone is never parked.',
      },
      {
        find: "hold.kind === 'removal' && (present.is === 'no' || again) ? 'upsert' : 'held';",
        put: "hold.kind === 'removal' && again ? 'upsert' : 'held';",
        rule: 'What a hold keeps is written anew where it is lost.',
      },
      {
        find: "present.is === 'yes' && present.revision === wanted.revision ? 'settled' : 'upsert';",
        put: "present.is === 'yes' ? 'settled' : 'upsert';",
        rule: 'What stands there in an older revision is written again.',
      },
      {
        find: 'return wanted.due === undefined ? undefined : planned({ ...wanted, due: lookAt }, slot);',
        put: 'return undefined;',
        rule: 'A removed entry comes back when a later claim begins.',
      },
    ],
  },
  {
    file: 'src/core/ledger/call.ts',
    tests: [
      'ledger/call',
      'store/delivery/outcomes',
      'store/delivery/found',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: 'if (terms.versioned) return {',
        put: 'if (terms.versioned || op !== undefined) return {',
        rule: 'Where no revisions decide, what nobody knows is read back and not sent.',
      },
      {
        find: 'const asBefore: Presence = { ...stand.present, is: before };',
        put: 'const asBefore: Presence = stand.present;',
        rule: 'A failure that heals leaves the row as present as it was before the call.',
      },
      {
        find: 'wanted: { ...wanted, revision: terms.revision },\n          wait',
        put: 'wait',
        rule: 'What was superseded goes again under a higher revision.',
      },
      {
        find: "present: { ...stand.present, is: 'maybe', revision: outcome.revision },",
        put: "present: { ...stand.present, is: 'yes', revision: outcome.revision },",
        rule: 'What was superseded may or may not be there.',
      },
      {
        find: 'wait: { ...wait, at: undefined },\n        };\n      case',
        put: 'wait,\n        };\n      case',
        rule: 'What was superseded goes at once.',
      },
      {
        find: '(overtaken ? undefined : at);',
        put: 'at;',
        rule: 'A change that was overtaken waits for no time that its failure named.',
      },
      {
        find: "const doubtful = stand.present.is === 'yes' && op === 'upsert';",
        put: 'const doubtful = false;',
        rule: 'A write over a row that stands there, with an unknown outcome, leaves it uncertain.',
      },
      {
        find: 'wait: { attempt, at: mustGo ? undefined : outcome.retryAt },',
        put: 'wait: { attempt, at: undefined },',
        rule: 'An uncertain row is not read back before its time.',
      },
      {
        find: 'const mustGo = !wanted.is && overtaken;',
        put: 'const mustGo = false;',
        rule: 'An uncertain row that must go is read back at once.',
      },
      {
        find: "(wanted.is || isKept(stand)) && op === 'upsert' && !overtaken;\n        return",
        put: "(wanted.is || isKept(stand)) && op === 'upsert';\n        return",
        rule: 'A refusal of what was overtaken parks nothing: the newer content is tried.',
      },
      {
        find: '(wanted.is || isKept(stand)) && op',
        put: 'wanted.is && op',
        rule: 'What a hold keeps and the SIEM refuses for good is parked, not sent for ever.',
      },
      {
        find: "const neverStood = overtaken && op === 'upsert';",
        put: 'const neverStood = false;',
        rule: 'A first write that came to nothing leaves no hold over nothing.',
      },
      {
        find: 'present: standing(stand, op, call!.sent, outcome.handle), again',
        put: 'present: standing(stand, op, wanted.revision, outcome.handle), again',
        rule: 'What stands there has the revision that was sent, not the one wanted by now.',
      },
      {
        find: "present: { ...stand.present, is: 'maybe' },\n          call: { kind: 'accepted'",
        put: "call: { kind: 'accepted'",
        rule: 'While a task has a row that stood there, the row may or may not be there.',
      },
      {
        find: "const again = rests(stand) && op === 'upsert' && !overtaken;",
        put: 'const again = false;',
        rule: 'A write of what a hold keeps that failed is still to be done.',
      },
      {
        find: "{ is: 'yes', revision, handle: handle ?? present.handle }",
        put: "{ is: 'yes', revision, handle }",
        rule: 'An update keeps the handle of its row.',
      },
      {
        find: "present: stand.present.is === 'no' ? { ...stand.present, is: 'maybe' } : stand.present,",
        put: 'present: stand.present,',
        rule: 'What is on its way counts as maybe there.',
      },
      {
        find: "const present: Presence = { ...stand.present, is: 'maybe' };\n  const { sent }",
        put: 'const { present } = stand;\n  const { sent }',
        rule: 'A row that was present and in flight at a crash may or may not be there.',
      },
      {
        find: 'const again = rests(stand) && sent === stand.wanted.revision;',
        put: 'const again = false;',
        rule: 'What a hold keeps and was being written at a crash is still to be written.',
      },
      {
        find: 'wait: { ...stand.wait, at: readBackAt } };',
        put: 'wait: { ...stand.wait, at: undefined } };',
        rule: 'What was in flight at a crash is read back a moment later, not at once.',
      },
    ],
  },
  {
    file: 'src/core/ledger/found.ts',
    tests: [
      'ledger/found',
      'ledger/call',
      'ledger/rest',
      'store/delivery/outcomes',
      'store/delivery/found',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: "{ is: shared ? 'maybe' : 'no', revision: 0, handle: undefined };",
        put: "{ is: 'no', revision: 0, handle: undefined };",
        rule: 'Another key of ours in the slot is something that may have to be removed.',
      },
      {
        find: '(stand.hold === undefined || stand.present.revision === 0))',
        put: 'stand.hold === undefined)',
        rule: 'What never stood there a hold cannot keep.',
      },
      {
        find: '(stand.hold === undefined || stand.present.revision === 0))',
        put: '(stand.hold === undefined || stand.present.revision >= 0))',
        rule: 'What stood there and is found lost is written anew while a hold keeps it.',
      },
      {
        find: "const again = rests(stand) && present.is === 'maybe';",
        put: 'const again = false;',
        rule: 'What a hold keeps in a slot that shows another key is written anew.',
      },
      {
        find: "adopted: cause === 'adopted',",
        put: 'adopted: true,',
        rule: 'What a late call left behind waits for no partner.',
      },
      {
        find: 'wanted: asWanted ? wanted : { ...wanted, revision },',
        put: 'wanted,',
        rule: 'What is found in another revision is written under one above it.',
      },
      {
        find: "wanted.revision === found.revision && present.is !== 'no';",
        put: "present.is !== 'no';",
        rule: 'Only what is found in the very revision that is wanted is as it should be.',
      },
      {
        find: 'if (!stand.wanted.is && !(kept && told)) return gone(stand, lookAt);',
        put: 'if (!stand.wanted.is && !kept) return gone(stand, lookAt);',
        rule: 'What nobody can tell any more is not written anew.',
      },
      {
        find: 'if (!stand.wanted.is && !(kept && told)) return gone(stand, lookAt);',
        put: 'if (!stand.wanted.is) return gone(stand, lookAt);',
        rule: 'What a hold keeps is not gone when it is lost.',
      },
      {
        find: "present: { is: 'no', revision: kept ? stand.present.revision : 0, handle: undefined },",
        put: "present: { ...stand.present, is: 'no' },",
        rule: 'The handle of a row in a lost container means nothing.',
      },
      {
        find: "wanted: { ...stand.wanted, revision },\n    present: { is: 'no'",
        put: "present: { is: 'no'",
        rule: 'What is lost is written anew under a new revision.',
      },
      {
        find: '  adopted: false,\n  wanted: { ...stand.wanted, due: stand.wanted.until },',
        put: '  adopted: false,',
        rule: 'An adopted entry that the brake holds goes at its expiry.',
        tests: ['store/delivery/found', 'store/delivery/comparison', 'ledger/found'],
      },
    ],
  },
  {
    file: 'src/core/ledger/rest.ts',
    tests: [
      'ledger/rest',
      'store/delivery/outcomes',
      'store/delivery/found',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: '...postponed(stand, undefined),\n  wanted: { ...stand.wanted, revision },',
        put: '...postponed(stand, undefined),',
        rule: 'A sound row that is sent along has a revision of its own, or a product with versions would not judge it.',
      },
      {
        find: "wanted: { ...stand.wanted, revision },\n  present: { ...stand.present, is: 'maybe' },",
        put: "present: { ...stand.present, is: 'maybe' },",
        rule: 'The heir of a slot is written again, since the row may show the words of the other.',
      },
      {
        find: 'again: stand.call === undefined && rests(stand),',
        put: 'again: false,',
        rule: 'An heir that a hold keeps is written again as well.',
      },
      {
        find: '(stand.wanted.is || isKept(stand)) && stand.hold',
        put: 'stand.wanted.is && stand.hold',
        rule: 'What a hold keeps in a slot is an heir of it.',
      },
      {
        find: "&& stand.hold?.kind !== 'addition' && phaseOf",
        put: '&& phaseOf',
        rule: 'A held addition inherits no slot: nothing would clear it.',
      },
      {
        find: "&& phaseOf(stand) !== 'parked';",
        put: ';',
        rule: 'A parked row inherits no slot: nothing would clear it.',
      },
      {
        find: '(one.revision === other.revision && one.entryId < other.entryId)',
        put: 'false',
        rule: 'Of one revision the later entry wrote last.',
        tests: ['ledger/rest', 'store/delivery/slots'],
      },
    ],
  },
  {
    file: 'src/core/ledger/holds.ts',
    tests: [
      'ledger/holds',
      'store/delivery/outcomes',
      'store/delivery/found',
      'store/rules',
      'store/delivery/batches',
      'store/projection/holds',
    ],
    mutants: [
      {
        find: '  if (stand.hold !== undefined) return false;\n',
        put: '',
        rule: 'What one hold bars no other takes.',
      },
      {
        find: 'return kept === undefined ? !stand.wanted.is && there : there;',
        put: 'return there;',
        rule: 'What was vouched for again since it was noted is not held.',
      },
      {
        find: 'until: kept ?? wanted.until, due } };',
        put: 'due } };',
        rule: 'What was cut short and is held has the end it had before.',
      },
      {
        find: "const fills = hold.kind === 'removal' || stand.present.is !== 'no';",
        put: "const fills = stand.place !== undefined && (hold.kind === 'removal' || stand.present.is !== 'no');",
        rule: 'What a held removal keeps has a place, though it left its own a moment before.',
        tests: ['ledger/holds', 'store/projection/seats'],
      },
      {
        find: "const fills = hold.kind === 'removal' || stand.present.is !== 'no';",
        put: "const fills = hold.kind === 'removal';",
        rule: 'What may stand there while an addition is held has a place.',
        tests: ['ledger/holds', 'store/projection/seats'],
      },
      {
        find: "const fills = hold.kind === 'removal' || stand.present.is !== 'no';",
        put: 'const fills = true;',
        rule: "What waits for a person takes nobody's place.",
        tests: ['ledger/holds', 'store/projection/seats'],
      },
    ],
  },
  {
    file: 'src/core/ledger/project.ts',
    tests: [
      'ledger/project',
      'store/projection/judged',
      'store/delivery/outcomes',
      'store/delivery/found',
      'store/rules',
      'store/projection/projection',
    ],
    mutants: [
      {
        find: 'suppressedUntil !== undefined && suppressedUntil > now;',
        put: 'suppressedUntil !== undefined && suppressedUntil >= now;',
        rule: 'A suppression is over in the moment that it names.',
      },
      {
        find: 'due: suppressed ? earlier(nextChangeAt, suppressedUntil) : nextChangeAt,',
        put: 'due: nextChangeAt,',
        rule: 'A suppressed value is looked at again when the suppression ends.',
      },
      {
        find: 'vouchers: vouched ? offer.vouchers : had.vouchers,',
        put: 'vouchers: offer.vouchers,',
        rule: 'An entry that is withdrawn keeps its vouchers until it is gone.',
      },
      {
        find: 'const lapsed = had.until !== undefined && had.until <= now;',
        put: 'const lapsed = had.until !== undefined && had.until < now;',
        rule: 'What is withdrawn in the moment of its expiry has expired.',
      },
      {
        find: "if (lapsed) return 'expired';\n  if (cause === 'withdrawn') return 'withdrawn';",
        put: "if (cause === 'withdrawn') return 'withdrawn';\n  if (lapsed) return 'expired';",
        rule: 'Whatever else happens, at its expiry an entry goes outside the brake.',
      },
      {
        find: "  if (left !== undefined) return 'withdrawn';\n",
        put: '',
        rule: 'Claims of an exchange that left the configuration are withdrawn, under the brake.',
      },
      {
        find: "  if (suppressed) return 'suppressed';\n",
        put: '',
        rule: 'What a person suppresses is put down to that, whatever else its claims came to.',
      },
      {
        find: "const fresher = changed || stale || ended === 'removal';",
        put: 'const fresher = changed || stale;',
        rule: 'What a hold kept goes under a revision above the one it was written anew with.',
        tests: ['store/projection/holds'],
      },
      {
        find: 'had.content !== offer.content || reason.force === true;',
        put: 'had.content !== offer.content;',
        rule: 'A threat name that comes late has its entries written again.',
        tests: ['ledger/project', 'store/ingest/explained'],
      },
      {
        find: 'const stuck = (stand.parked !== undefined && !changed && !maySent) || waits;',
        put: 'const stuck = (stand.parked !== undefined && !maySent) || waits;',
        rule: 'A parked row is tried again when it changes.',
      },
      {
        find: 'const stuck = (stand.parked !== undefined && !changed && !maySent) || waits;',
        put: 'const stuck = (stand.parked !== undefined && !changed) || waits;',
        rule: 'What waits for room does not wait for the room that it may fill itself.',
      },
      {
        find: "(!lapsed || wanted.cause === 'adopted');",
        put: '!lapsed;',
        rule: 'An adopted entry that expires waits for the release as well.',
      },
      {
        find: 'adopted && wanted.is === is && !suppressed && ',
        put: 'adopted && wanted.is === is && ',
        rule: 'A suppression takes an adopted entry off at once.',
      },
      {
        find: "|| (turned && !is && phaseOf(stand) === 'uncertain');",
        put: ';',
        rule: 'What must go is read back at once, whatever time its lost call named.',
      },
      {
        find: 'const added = (!isVouched(before) || anew) && isVouched(after);',
        put: 'const added = !isVouched(before) && isVouched(after);',
        rule: 'A rejected addition that the partner changes is judged by the brake again.',
      },
      {
        find: "const anew = ended === 'addition' && reason.exchangeId !== 0;",
        put: "const anew = ended === 'addition';",
        rule: 'An approved addition is not judged by the brake again.',
      },
      {
        find: '  if (hold !== undefined) return undefined;\n  if (before',
        put: '  if (before',
        rule: 'What is held already is not counted by the brake once more.',
      },
      {
        find: "return cut && reason.cause === 'withdrawn' && reason.exchangeId !== 0",
        put: 'return cut && reason.exchangeId !== 0',
        rule: 'Only a validity that the partner cut counts for its brake.',
      },
      {
        find: 'const until = kept ? had.until : (offer.until ?? had.until);',
        put: 'const until = offer.until ?? had.until;',
        rule: 'What a hold keeps goes at the expiry it had before it was cut short.',
      },
      {
        find: "(kept ? 'withdrawn' : causeOf(",
        put: '(causeOf(',
        rule: 'What a hold keeps counts as withdrawn.',
      },
      {
        find: 'again: stand.again && kept,',
        put: 'again: false,',
        rule: 'The heir of a slot that a hold keeps is written, whatever judges it anew before.',
      },
      {
        find: "present: maySent ? { ...present, is: 'maybe' } : present,",
        put: 'present,',
        rule: 'What a copy of an older state may have sent may be there.',
      },
      {
        find: 'fresher && had.revision <= sentUpTo;',
        put: 'fresher;',
        rule: 'What was never sent, and cannot have been, is not there.',
      },
      {
        find: "present.is === 'yes' && now >= sentAt + refreshAfter;",
        put: "present.is === 'yes' && now > sentAt + refreshAfter;",
        rule: 'What a product forgets is touched again in the moment it is due.',
      },
    ],
  },
  {
    file: 'src/core/ledger/take-in.ts',
    tests: [
      'ledger/take-in',
      'store/ingest/objects',
      'store/ingest/stricter-markings',
      'store/ingest/explained',
      'store/projection/judged',
    ],
    mutants: [
      {
        find: "if (known.state === 'revoked') {",
        put: 'if (known.state === undefined) {',
        rule: 'A revocation is final.',
      },
      {
        find: "incoming.digest === known.digest ? 'unchanged' : 'repeated'",
        put: "incoming.digest === known.digest ? 'unchanged' : 'outdated'",
        rule: 'A revocation that comes once more with other words is heard of its marking.',
      },
      {
        find: 'if (incoming.revoked) {',
        put: 'if (incoming.revoked && incoming.version >= known.version) {',
        rule: 'A revocation counts whatever its version.',
      },
      {
        find: "const cause = withdraws(known.validity, incoming) ? 'withdrawn' : 'none';",
        put: "const cause = 'none';",
        rule: 'A validity that is cut short under the same version counts for the brake.',
        tests: ['ledger/take-in', 'store/projection/holds', 'store/projection/brakes'],
      },
      {
        find: "left: same ? 'policy' : 'withdrawn' };",
        put: "left: 'policy' };",
        rule: 'A value that leaves the pattern is withdrawn, under the brake.',
        tests: ['ledger/take-in', 'store/projection/judged', 'store/projection/brakes'],
      },
      {
        find: '  incoming.benign === true || cutsShort(',
        put: '  cutsShort(',
        rule: 'To call an object harmless is to withdraw it.',
        tests: ['ledger/take-in', 'store/projection/brakes'],
      },
      {
        find: 'until: earlier(known.until, incoming.validUntil),',
        put: 'until: known.until,',
        rule: 'An earlier end under the same version is believed.',
      },
      {
        find: 'tlp: stricterTlp(known.tlp, incoming.tlp),',
        put: 'tlp: known.tlp,',
        rule: 'A stricter TLP under the same version is believed.',
      },
      {
        find: 'pap: stricterPap(known.pap, incoming.pap),',
        put: 'pap: known.pap,',
        rule: 'A stricter PAP under the same version is believed.',
      },
      {
        find: 'refs: [...new Set([...known.refs, ...(incoming.openMarkings ?? [])])],',
        put: 'refs: known.refs,',
        rule: 'A marking that comes under the same version counts.',
      },
      {
        find: 'refs: [...new Set([...known.refs, ...(incoming.openMarkings ?? [])])],',
        put: 'refs: incoming.openMarkings ?? [],',
        rule: 'A marking that the same version lacks the second time still counts.',
      },
      {
        find: '  if (!incoming.includes(\'"tlpLabel"\')) return known;\n',
        put: '  return known;\n',
        rule: 'A stricter label under the same version is believed.',
      },
    ],
  },
  {
    file: 'src/core/ledger/outbox.ts',
    tests: [
      'ledger/outbox',
      'sightings/told',
      'store/sightings/outbox',
      'store/sightings/releases',
      'store/sightings/held-sightings',
      'store/sightings/verdicts',
      'sightings/loops',
    ],
    mutants: [
      {
        find: "if (rejected || state === 'sending'",
        put: "if (state === 'sending'",
        rule: 'What a person rejected stays here, whatever comes later.',
      },
      {
        find: "if (decision.action === 'deny' || telling.rejected || shown === undefined) return 'denied';",
        put: "if (decision.action === 'deny' || shown === undefined) return 'denied';",
        rule: 'A rejected sighting is denied whatever the rules say.',
      },
      {
        find: '  if (sent !== undefined && once) return telling;\n',
        put: '',
        rule: 'A verdict is told once.',
      },
      {
        find: 'if (patient > now) return',
        put: 'if (patient < 0) return',
        rule: 'A sighting waits as long as the rules of this moment ask.',
      },
      {
        find: 'due: outcome.at, attempt: telling.attempt + 1 };',
        put: 'due: outcome.at };',
        rule: 'What may have arrived is known to have been tried.',
      },
      {
        find: 'due: Math.max(now, telling.due),',
        put: 'due: now,',
        rule: 'An approval shortens no delay.',
      },
      {
        find: "return telling.approved === shown ? 'queued' : 'held';",
        put: "return telling.approved !== undefined ? 'queued' : 'held';",
        rule: 'An approval stands for what was shown and nothing else.',
      },
    ],
  },
  {
    file: 'src/core/ledger/tallies.ts',
    tests: ['store/store', 'store/delivery/outcomes'],
    mutants: [
      {
        find: "if (present.is !== 'no') of.presentOfType.n += by;",
        put: "if (present.is === 'yes') of.presentOfType.n += by;",
        rule: 'What may be there takes up room.',
      },
      {
        find: "if (present.is === 'yes' && present.revision === wanted.revision) of.delivered.n += by;",
        put: "if (present.is === 'yes') of.delivered.n += by;",
        rule: 'Delivered is what stands there as it is wanted.',
      },
      {
        find: '(hold === undefined ? of.adopted : of.held).n += by;',
        put: 'of.held.n += by;',
        rule: 'What waits for partners is not counted as waiting for a person.',
        tests: ['store/delivery/found', 'store/delivery/comparison', 'store/store'],
      },
    ],
  },
];
