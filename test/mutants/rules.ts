// Pure rules: policy, inventory, what a partner's objects say, keys and values.
import type { Mutated } from './mutant.ts';

export const policy: readonly Mutated[] = [
  {
    file: 'src/core/ledger/holds.ts',
    tests: ['ledger/holds', 'store/projection/holds', 'store/projection/brakes'],
    mutants: [
      {
        find: "if (hold === undefined || hold.decision === 'approve') return false;",
        put: 'if (hold === undefined) return false;',
        rule: 'An approval ends a hold.',
      },
      {
        find: "code === 'confidence_unknown' ? UNSURE : reason,",
        put: 'reason,',
        rule: 'That no confidence is stated is asked of all at once.',
        tests: ['ledger/holds', 'store/projection/let-in'],
      },
      {
        find: '(rejected: boolean, changed: boolean): boolean => !(rejected && changed);',
        put: '(rejected: boolean, _changed: boolean): boolean => !rejected;',
        rule: 'What policy holds stays rejected until the partner says something new.',
        tests: ['ledger/holds', 'store/projection/let-in'],
      },
      {
        find: 'if (suppressed || !allowed ||',
        put: 'if (!allowed ||',
        rule: 'A hold keeps nothing that a person suppressed.',
      },
      {
        find: 'if (suppressed || !allowed ||',
        put: 'if (suppressed ||',
        rule: 'A hold keeps nothing that policy forbids.',
      },
      {
        find: '(kept !== undefined && kept <= now)',
        put: '(kept !== undefined && kept < now)',
        rule: 'A hold ends in the moment at which the entry would have expired.',
      },
      {
        find: 'if (wasWanted) return offered < (kept ?? Number.POSITIVE_INFINITY);',
        put: 'if (wasWanted) return offered <= (kept ?? Number.POSITIVE_INFINITY);',
        rule: 'The old validity stated again releases what was cut short.',
      },
      {
        find: 'return offered < Math.min(kept ?? Number.POSITIVE_INFINITY, now + SHORTEST_VOUCH_MS);',
        put: 'return false;',
        rule: 'Vouching again for moments undoes no hold.',
      },
      {
        find: 'return wanted && !(rejected && changed);',
        put: 'return wanted && !rejected;',
        rule: 'A rejected addition stays out until the partner says something new.',
      },
      {
        find: 'return wanted && !(rejected && changed);',
        put: 'return wanted && !changed;',
        rule: 'A new version of what is held stays held.',
      },
      {
        find: '  after.from > before.from || (after',
        put: '  (after',
        rule: 'A later beginning takes vouching back.',
      },
      {
        find: '(after.until ?? Number.POSITIVE_INFINITY) < (before',
        put: '(after.until ?? Number.POSITIVE_INFINITY) <= (before',
        rule: 'The same validity stated again is no withdrawal.',
      },
    ],
  },
  {
    file: 'src/core/policy/brakes.ts',
    tests: ['policy/policy'],
    mutants: [
      {
        find: 'withdrawnInWindow >= atLeast',
        put: 'withdrawnInWindow > atLeast',
        rule: 'The removal brake holds from its least number on.',
      },
      {
        find: 'withdrawnInWindow > armed * share',
        put: 'withdrawnInWindow >= armed * share',
        rule: 'The share itself may go.',
      },
      {
        find: 'addedInWindow > usual * factor',
        put: 'addedInWindow >= usual * factor',
        rule: 'So many times the usual may come.',
      },
      {
        find: 'addedInWindow >= atLeast',
        put: 'addedInWindow > atLeast',
        rule: 'The addition brake holds from its least number on.',
      },
    ],
  },
  {
    file: 'src/core/policy/intake.ts',
    tests: ['policy/policy'],
    mutants: [
      {
        find: 'if (tlpRank(tlp) <= tlpRank(rules.clearance)) return undefined;',
        put: 'if (tlpRank(tlp) <= tlpRank(rules.clearance) + 1) return undefined;',
        rule: 'No level above the clearance is taken.',
      },
      {
        find: "if (claim.benign) return refuse('benign', 'the partner marks it benign');",
        put: '',
        rule: 'What the partner calls harmless is refused.',
      },
      {
        find: 'const unexplained = terms.explained ? undefined : claim.unexplained;',
        put: 'const unexplained = terms.explained ? claim.unexplained : undefined;',
        rule: 'A marking that nobody explained keeps out, whatever the clearance.',
      },
      {
        find: "const highest = highestPap ?? (hosting === 'cloud' ? 'green' : 'red');",
        put: "const highest = highestPap ?? (hosting === 'cloud' ? 'amber' : 'red');",
        rule: 'PAP:AMBER, and what states none, goes into no SIEM in a cloud.',
      },
      {
        find: 'claim.confidence < rules.minConfidence)',
        put: 'claim.confidence <= rules.minConfidence)',
        rule: 'The least confidence is enough.',
      },
      {
        find: '(stricterTlp(unmarked, claim.facts.tlpLabel) ?? unmarked) : unmarked;',
        put: '(claim.facts.tlpLabel ?? unmarked) : unmarked;',
        rule: 'A label never opens.',
      },
    ],
  },
  {
    file: 'src/core/policy/expiry.ts',
    tests: ['policy/policy'],
    mutants: [
      {
        find: ', start + rules.maxDays * DAY_MS);\n}',
        put: ', Number.POSITIVE_INFINITY);\n}',
        rule: 'Nothing lives longer than the most days.',
      },
      {
        find: 'return Math.min(received, stated ??',
        put: 'return Math.min(Number.POSITIVE_INFINITY, stated ??',
        rule: 'No life counts from a time that was still to come at receipt.',
      },
      {
        find: 'Math.max(timestampMs(version) ?? validFrom, validFrom)',
        put: '(timestampMs(version) ?? validFrom)',
        rule: 'A lifetime counts from the later of modified and valid_from.',
      },
      {
        find: 'Math.min(received, stated ?? Math.max(',
        put: 'Math.min(received, Math.max(',
        rule: 'Where a life begins is kept from its first receipt.',
      },
      {
        find: 'Math.max(rules.defaultDays, ...Object.values(rules.byType));',
        put: 'rules.defaultDays;',
        rule: 'What is forgotten is over for every type.',
        tests: ['policy/policy', 'store/ingest/retention'],
      },
    ],
  },
  {
    file: 'src/core/policy/arrival.ts',
    tests: ['policy/arrival'],
    mutants: [
      {
        find: 'if (incoming.revoked || incoming.version <= bound(now)) return incoming;',
        put: 'if (incoming.version <= bound(now)) return incoming;',
        rule: 'A withdrawal counts whenever it says it was made.',
      },
      {
        find: 'parseTimestamp(isoTime(ms - 1))',
        put: 'parseTimestamp(isoTime(ms))',
        rule: 'A version from the future counts as older than the first honest one.',
      },
      {
        find: 'if (ms === undefined || ms > now + MOST_AHEAD_MS) return OLDEST_VERSION;',
        put: 'if (ms === undefined) return OLDEST_VERSION;',
        rule: 'A time of making that lies ahead is not believed either.',
      },
    ],
  },
  {
    file: 'src/core/policy/release.ts',
    tests: ['policy/release'],
    mutants: [
      {
        find: '(rule.from === undefined ? !denies && facts.from !== facts.to : !rule.from.includes(facts.from)) return false;',
        put: '(rule.from !== undefined && !rule.from.includes(facts.from)) return false;',
        rule: 'A sighting goes back to the originator only, unless a rule names the origin.',
      },
      {
        find: "!rule.tlp.includes(facts.tlp ?? 'red')",
        put: "!rule.tlp.includes(facts.tlp ?? 'amber')",
        rule: 'An unmarked object is released as the strictest.',
      },
      {
        find: "!rule.pap.includes(facts.pap ?? 'red')",
        put: "!rule.pap.includes(facts.pap ?? 'clear')",
        rule: 'An object without PAP is released as the strictest where a rule looks at PAP.',
      },
      {
        find: "facts.kind !== 'seen' && !denies && rule.falsePositives !== true",
        put: "facts.kind !== 'seen' && !denies && rule.falsePositives === false",
        rule: 'Verdicts leave only where a rule lets them.',
      },
      {
        find: 'facts.count < (rule.minCount ?? minCount)',
        put: 'facts.count <= (rule.minCount ?? minCount)',
        rule: 'The least count is enough.',
      },
      {
        find: 'now - facts.last <= rule.maxAgeDays * DAY_MS;',
        put: 'now - facts.last < rule.maxAgeDays * DAY_MS;',
        rule: 'A rule covers what is as old as it says.',
      },
      {
        find: 'return denies ? facts.types.some(known) : facts.types.every(known);',
        put: 'return facts.types.some(known);',
        rule: 'A permission names every type of the object.',
      },
      {
        find: 'return found.some((one) => named.includes(one) || isUnexplained(one));',
        put: 'return found.some((one) => named.includes(one));',
        rule: 'A marking that nothing explains may say what a denial names.',
      },
    ],
  },
  {
    file: 'src/core/policy/never-block.ts',
    tests: ['policy/never-block'],
    mutants: [
      {
        find: 'overlaps(range, other) || (inner !== undefined && overlaps(inner, other));',
        put: 'overlaps(range, other);',
        rule: 'An IPv4 address in an IPv6 one is looked at as itself.',
      },
      {
        find: "action: always ? ('refuse' as const) : actionOf(list, actions),",
        put: 'action: actionOf(list, actions),',
        rule: 'Our own ground is refused whatever is configured.',
      },
      {
        find: 'if (names.has(host) || under(host, domains))',
        put: 'if (names.has(host) || domains.has(host))',
        rule: 'A domain of ours covers what is below it.',
      },
      {
        find: 'else if (alone && getPublicSuffix(host, AS_GIVEN) === host)',
        put: 'else if (getPublicSuffix(host, AS_GIVEN) === host)',
        rule: 'A page below a public suffix names somebody.',
      },
      {
        find: 'if (last !== undefined && last.rules === rules && last.value === observable.value && last.type === observable.type)',
        put: 'if (last !== undefined && last.rules === rules && last.value === observable.value)',
        rule: 'The same text of another type is judged by itself.',
      },
    ],
  },
];

export const inventory: readonly Mutated[] = [
  {
    file: 'src/core/inventory/merge.ts',
    tests: ['inventory/merge'],
    mutants: [
      {
        find: 'claim.validFrom <= now && now < until;',
        put: 'claim.validFrom <= now && now <= until;',
        rule: 'A claim is over in the moment of its end.',
      },
      {
        find: 'claim.validFrom <= now && now < until;',
        put: 'claim.validFrom < now && now < until;',
        rule: 'A claim vouches from its first moment.',
      },
      {
        find: '      until = Math.max(until, one.until);\n',
        put: '      until = one.until;\n',
        rule: 'The latest end of the claims counts.',
      },
      {
        find: '} else if (one.claim.validFrom > now && one.claim.validFrom < one.until) {',
        put: '} else if (one.claim.validFrom > now && one.claim.validFrom > one.until) {',
        rule: 'A merge changes when a later claim begins.',
      },
      {
        find: 'confidence >= claim.confidence)) {',
        put: 'confidence <= claim.confidence)) {',
        rule: 'The strongest confidence counts.',
      },
      {
        find: 'tlp = stricterTlp(tlp, levelOf(one)) ?? tlp;',
        put: 'tlp = levelOf(one);',
        rule: 'The strictest TLP of the claims counts.',
      },
      {
        find: 'pap = stricterPap(pap, claim.pap);',
        put: 'pap = claim.pap ?? pap;',
        rule: 'The strictest PAP of the claims counts.',
      },
      {
        find: 'validFrom = Math.min(validFrom, claim.validFrom);',
        put: 'validFrom = claim.validFrom;',
        rule: 'The earliest beginning of the claims counts.',
      },
      {
        find: 'text += `|${claim.exchange}|${claim.digest}|${claim.tlp}|${claim.pap}`;',
        put: 'text += `|${claim.exchange}|${claim.digest}`;',
        rule: 'A marking that was explained anew has its entry written again.',
      },
      {
        find: 'active.sort((a, b) => newestFirst(a.claim, b.claim));',
        put: '',
        rule: 'The order in which claims arrived never shows.',
      },
      {
        find: '    most(active, ({ until }) => -until),\n',
        put: '',
        rule: 'Of a crowd of claims the next end is kept.',
      },
      {
        find: '    most(waiting, ({ claim }) => -claim.validFrom),\n',
        put: '',
        rule: 'Of a crowd of claims the next beginning is kept.',
      },
    ],
  },
  {
    file: 'src/core/inventory/aggregate.ts',
    tests: ['inventory/aggregate'],
    mutants: [
      {
        find: 'Math.min(MOST, Math.max(...perSiem.values()));',
        put: 'Math.min(MOST, [...perSiem.values()].reduce((sum, n) => sum + n, 0));',
        rule: 'The same log stands in two SIEMs: the largest count is told, not the sum.',
      },
      {
        find: '(perSiem.get(row.siem) ?? 0) + row.count',
        put: 'row.count',
        rule: 'Entries of one object add up within a SIEM.',
      },
      {
        find: 'const firstSeen = cut(first, grid);',
        put: 'const firstSeen = first;',
        rule: 'The first time is told no finer than configured.',
      },
      {
        find: 'Math.floor(time / grid.windowMs) * grid.windowMs;',
        put: 'Math.ceil(time / grid.windowMs) * grid.windowMs;',
        rule: 'A hit belongs to the window in which it falls.',
      },
      {
        find: "tlp: tlp ?? 'red',",
        put: "tlp: tlp ?? 'amber',",
        rule: 'A sighting of an unmarked object leaves as TLP:RED.',
      },
      {
        find: '`${kind}\\0${instance}\\0${from}\\0${objectId}\\0${window}`',
        put: '`${kind}\\0${instance}\\0${objectId}\\0${window}`',
        rule: 'One STIX id of two exchanges is two sightings.',
      },
    ],
  },
];

export const stix: readonly Mutated[] = [
  {
    file: 'src/core/stix/objects.ts',
    tests: ['stix/objects'],
    mutants: [
      {
        find: 'const validFrom = from ?? (created ?? modified).ms;',
        put: 'const validFrom = from ?? modified.ms;',
        rule: 'Without a valid_from an object is valid from when it was made.',
      },
      {
        find: 'const validFrom = from ?? (created ?? modified).ms;',
        put: 'const validFrom = from ?? 0;',
        rule: 'Without valid_from and created an object is valid from when it was changed.',
      },
      {
        find: "return until <= validFrom ? unusable('valid_until is not after valid_from') : undefined;",
        put: "return until < validFrom ? unusable('valid_until is not after valid_from') : undefined;",
        rule: 'A validity that ends when it begins is none.',
      },
      {
        find: "if (from === undefined && isGiven(raw['valid_from']))",
        put: 'if (from === null)',
        rule: 'A valid_from that cannot be read is not as good as none.',
      },
      {
        find: "if (until === undefined) return unusable('valid_until is no timestamp'",
        put: "if (until === null) return unusable('valid_until is no timestamp'",
        rule: 'A valid_until that cannot be read is no open end.',
      },
      {
        find: 'if (value === true || value === 1) return true;',
        put: 'if (value === true) return true;',
        rule: 'What can only have been meant as revoked withdraws.',
      },
      {
        find: "const modified = parseTimestamp(raw['modified']) ?? (revoked || benign ? FIRST_VERSION : undefined);",
        put: "const modified = parseTimestamp(raw['modified']);",
        rule: 'A withdrawal is not lost over its time.',
      },
      {
        find: "const types = raw['indicator_types'] ?? (old ? raw['labels'] : undefined);\n  // A text",
        put: "const types = cleanTexts(raw['indicator_types'] ?? (old ? raw['labels'] : undefined), MAX_LABELS, MAX_LABEL);\n  // A text",
        rule: 'That a partner calls a value harmless is read from the whole list.',
      },
      {
        find: 'tlp: marked.tlp === undefined ? undefined : stricterTlp(marked.tlp, tlp),',
        put: 'tlp: marked.tlp ?? tlp,',
        rule: 'A label alone is no marking.',
      },
      {
        find: '[...marked.open, UNREADABLE_LABEL],',
        put: 'marked.open,',
        rule: 'A level in a label that we do not know keeps the object out.',
      },
      {
        find: 'indicator.digest = digest48(JSON.stringify(indicator) + text);',
        put: 'indicator.digest = digest48(JSON.stringify(indicator));',
        rule: 'Other words under the same version are another content.',
      },
    ],
  },
  {
    file: 'src/core/stix/markings.ts',
    tests: ['stix/markings'],
    mutants: [
      {
        find: '      tlp = stricterTlp(tlp, known.tlp);\n',
        put: '      tlp = known.tlp ?? tlp;\n',
        rule: 'The strictest of all markings counts.',
      },
      {
        find: '      pap = stricterPap(pap, known.pap);\n',
        put: '      pap = known.pap ?? pap;\n',
        rule: 'The strictest PAP of all markings counts.',
      },
      {
        find: 'for (const marking of list(granularMarkings)) {',
        put: 'for (const marking of []) {',
        rule: 'A marking of a part holds for the whole object.',
      },
      {
        find: "else if (marking['lang'] === undefined) take(undefined);",
        put: '',
        rule: 'A granular marking that cannot be read keeps the object out.',
      },
      {
        find: "if (scheme === undefined && kind !== '' && kind !== 'statement') return",
        put: 'if (scheme === null) return',
        rule: 'A definition of a kind that we do not know is not understood.',
      },
      {
        find: "const unread = level ?? unknownKind(raw, explains, statement) ?? saidAtLength(raw['definition']);",
        put: 'const unread = level;',
        rule: 'A definition that says nothing we can read is not understood.',
      },
    ],
  },
  {
    file: 'src/core/stix/pattern/reduce.ts',
    tests: ['stix/pattern/read'],
    mutants: [
      {
        find: "if (test.negated) return irreducible('NOT');",
        put: '',
        rule: 'What a pattern excludes is not watched.',
      },
      {
        find: "test.value.kind === 'string' && /[%_]/.test(test.value.value)",
        put: "test.value.kind === 'string' && /[%]/.test(test.value.value)",
        rule: 'A wildcard of LIKE is not a letter.',
      },
      {
        find: "case 'and':\n      return irreducible('AND of observations');",
        put: "case 'and':\n      return union(node.terms.map(ofObservation));",
        rule: 'Two observations that must come together are not two values.',
      },
      {
        find: "  return irreducible(commonTypes(terms).length === 0 ? 'AND over different object types' : 'AND of tests');",
        put: '  return union(terms.map(ofComparison));',
        rule: 'A hash AND a file name does not become the hash alone.',
      },
      {
        find: "if (reason === undefined) return { verdict: 'exact', observables: found };",
        put: "if (found.length > 0) return { verdict: 'exact', observables: found };",
        rule: 'An OR of which an arm was left out is partial.',
      },
      {
        find: 'if (!isReference(guard.path.objectType, steps[0].name)) return irreducible',
        put: 'if (steps === undefined) return irreducible',
        rule: 'Only a reference to an address can be guarded by its type.',
      },
      {
        find: "? ofLiteral(watched, test.value)\n        : irreducible('ISSUBSET of something other than addresses');",
        put: '? ofLiteral(watched, test.value)\n        : ofLiteral(watched, test.value);',
        rule: 'Only addresses have subsets.',
      },
      {
        find: '/^\\+?1$/.test(node.qualifier.times) ? ofObservation(node.of)',
        put: '/^\\+?1/.test(node.qualifier.times) ? ofObservation(node.of)',
        rule: 'A value that must be seen ten times is not watched as if once were enough.',
      },
    ],
  },
  {
    file: 'src/core/stix/build.ts',
    tests: ['stix/build'],
    mutants: [
      {
        find: '...(whereSighted ? { where_sighted_refs: [identity.id] } : {}),',
        put: 'where_sighted_refs: [identity.id],',
        rule: 'Where something was seen is told only if configured.',
      },
      {
        find: 'modified: time(one.created * 1000) };',
        put: 'modified: time(one.modified) };',
        rule: 'An opinion is the same however often it is said.',
      },
      {
        find: '    sighting_of_ref: one.objectId,\n    ...',
        put: '    sighting_of_ref: identity.id,\n    ...',
        rule: 'A sighting names the object that was sighted.',
      },
    ],
  },
  {
    file: 'src/core/model/observable.ts',
    tests: ['model/observable'],
    mutants: [
      {
        find: "const bar = text.indexOf('|');",
        put: "const bar = text.lastIndexOf('|');",
        rule: 'A value may hold a bar: the first one separates.',
      },
    ],
  },
  {
    file: 'src/core/model/canonical.ts',
    tests: ['model/canonical'],
    mutants: [
      {
        find: 'if (prefix < WIDEST_IPV4_PREFIX) return refused',
        put: 'if (prefix < WIDEST_IPV4_PREFIX - 1) return refused',
        rule: 'A network wider than a /8 is nobody’s.',
      },
      {
        find: 'bits - (bits % 2 ** (32 - prefix))',
        put: 'bits',
        rule: 'A network is spelled by its first address.',
      },
      {
        find: "if (name.endsWith('.')) name = name.slice(0, -1);",
        put: '',
        rule: 'A domain with a final dot is the same domain.',
      },
      {
        find: "if (hasHidden(text)) return refused('hidden character');",
        put: '',
        rule: 'A value with hidden characters is refused, never repaired.',
      },
    ],
  },
];
