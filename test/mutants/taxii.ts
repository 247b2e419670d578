// Reading and writing over TAXII 2.1.
import type { Mutated } from './mutant.ts';

const at = (name: string): string => `src/connectors/exchange/taxii21/${name}`;

export const taxii: readonly Mutated[] = [
  {
    file: at('run.ts'),
    tests: [at('places'), at('paging'), at('taxii21'), at('page-size')],
    mutants: [
      {
        find: 'return { ...ask, addedAfter: textOf(micros - OVERLAP_MICROS) };',
        put: 'return { ...ask, addedAfter: textOf(micros) };',
        rule: 'A young place reads the overlap again: objects appear behind the cursor.',
      },
      {
        find: 'return { ...ask, addedAfter: resume === undefined ? sendable(from) : textOf(micros - 1n) };',
        put: 'return { ...ask, addedAfter: sendable(from) };',
        rule: 'A run that was broken off within a group of equal times reads that time again.',
      },
      {
        find: 'return BigInt(at.micros) > now ? { text: textOf(now), micros: String(now) } : at;',
        put: 'return at;',
        rule: 'No cursor runs ahead of our own time.',
        tests: [at('places'), 'test/contract/taxii21-sick'],
      },
      {
        find: 'if (first > micros || first < latest || micros < latest) this.#ordered = false;',
        put: 'if (first < latest || micros < latest) this.#ordered = false;',
        rule: 'Times that run backwards within a page are no place to go on from.',
      },
      {
        find: 'if (first > micros || first < latest || micros < latest) this.#ordered = false;',
        put: 'if (first > micros || micros < latest) this.#ordered = false;',
        rule: 'A page that begins before the last one ended is no place to go on from.',
      },
      {
        find: 'if (first > micros || first < latest || micros < latest) this.#ordered = false;',
        put: 'if (first > micros || first < latest) this.#ordered = false;',
        rule: 'A page that ends before the last one ended is no place to go on from.',
        survives: 'With neither of the other two it cannot be: the page would begin behind its end or before the last.',
      },
      {
        find: 'BigInt(after.micros) > gap) after = instantOf(textOf(gap), gap);',
        put: 'BigInt(after.micros) < 0n) after = instantOf(textOf(gap), gap);',
        rule: 'The cursor stays before a group that could not be read to its end.',
      },
      {
        find: "case 'group':\n        yield { read: fresh, before, after: before, warnings };",
        put: "case 'group':\n        yield { read: fresh, before, after: { ...before, after: last! }, warnings };",
        rule: 'The cursor stays before a group while it is read.',
      },
      {
        find: 'yield { read: fresh, before, after: before, warnings: [] };',
        put: "yield { read: fresh, before, after: { ...before, resume: { by: 'time', at: instantOf(textOf(at), at)! } }, warnings: [] };",
        rule: 'The cursor stays before a group until its last part is committed.',
      },
      {
        find: 'const before = this.#place();\n\n    const seen',
        put: 'const before = this.#sized(this.#base);\n\n    const seen',
        rule: 'A page that is cut goes on from the page before it, not from the start of the run.',
      },
      {
        find: 'if (answer.bytes === 0 && next !== undefined)',
        put: 'if (answer.bytes < 0)',
        rule: 'Nothing at all where there should be more is no end.',
      },
      {
        find: 'if (error.status !== 404 || !(await this.#stillReadable())) throw error;',
        put: 'if (error.status !== 404) throw error;',
        rule: 'A collection that is gone is not an empty one.',
      },
      {
        find: '        this.#end = this.#sized(this.#base);\n        yield',
        put: '        this.#finish(warnings);\n        yield',
        rule: 'A server that repeats itself moves no cursor.',
      },
      {
        find: 'if (micros !== undefined && micros > microsAt(this.#context.now) + DAY_MICROS) {',
        put: 'if (micros === null) {',
        rule: 'An added time far in the future is not used, and told.',
      },
      {
        find: 'if (this.#pages < caps.pages && this.#bytes < caps.bytes) return;',
        put: 'if (this.#pages < caps.pages) return;',
        rule: 'A poll ends at its cap of bytes.',
      },
      {
        find: 'if (next === undefined || this.#tokenPages < 2 || this.#tokens.size < this.#tokenPages) return undefined;',
        put: 'if (next === undefined) return undefined;',
        rule: 'A next that does not change per page is no place to go on from.',
      },
      {
        find: '!tail?.keys.has(keys[i]!) && !(this.#known.size > 0 && this.#known.has(markOf(keys[i]!)))',
        put: '!tail?.keys.has(keys[i]!)',
        rule: 'What an earlier poll brought within the overlap is not committed again.',
      },
    ],
  },
  {
    file: at('paging.ts'),
    tests: [at('paging'), at('places')],
    mutants: [
      {
        find: 'const from = textOf(page.last - 1n);',
        put: 'const from = textOf(page.last);',
        rule: 'A page may end within a group of equal times, which is asked for again.',
      },
      {
        find: 'page.more === undefined && page.next !== undefined && page.count > 0',
        put: 'page.more === undefined && page.next !== undefined',
        rule: 'A next behind an empty page, without more, leads nowhere.',
      },
      {
        find: 'if (page.idle >= 2 || (page.idle === 1 && page.next === ask.next)) return repeats;',
        put: 'if (page.idle === 1 && page.next === ask.next) return repeats;',
        rule: 'A server that brings nothing new twice repeats itself, whatever next it gives.',
      },
      {
        find: 'if (page.idle >= 2 || (page.idle === 1 && page.next === ask.next)) return repeats;',
        put: 'if (page.idle >= 1) return repeats;',
        rule: 'One page without news, under another next, is no end.',
      },
      {
        find: "return { kind: 'ask', ask: { ...ask, next: page.next } };",
        put: "return { kind: 'ask', ask: { ...ask, limit: pageSize, addedAfter: undefined, next: page.next } };",
        rule: 'A next is followed with exactly the same other parameters.',
      },
    ],
  },
  {
    file: at('cursor.ts'),
    tests: [at('places'), at('paging')],
    mutants: [
      {
        find: ' && a.account === b.account;',
        put: ';',
        rule: 'A place belongs to one account.',
      },
      {
        find: 'return a.root === b.root && a.collection',
        put: 'return a.collection',
        rule: 'A place belongs to one API root.',
      },
      {
        find: 'a.root === b.root && a.collection === b.collection &&',
        put: 'a.root === b.root &&',
        rule: 'Each collection has a place of its own.',
      },
      {
        find: 'return BigInt(b.micros) > BigInt(a.micros) ? b : a;',
        put: 'return b;',
        rule: 'A cursor never goes back.',
      },
    ],
  },
  {
    file: at('group.ts'),
    tests: [at('places'), at('paging')],
    mutants: [
      {
        find: "  if (answer.content.more === true) yield 'incomplete';\n",
        put: '',
        rule: 'A group of which the server still holds more is not complete.',
      },
      {
        find: "(error.kind === 'permanent' || error.status === 404);",
        put: 'error !== undefined;',
        rule: 'An outage within a group ends the run, and the group is read again.',
      },
      {
        find: 'else if (added !== undefined && added > at) return [...ids];',
        put: 'else return [...ids];',
        rule: 'A manifest without order is read to its end for a group.',
      },
    ],
  },
  {
    file: at('manifest.ts'),
    tests: [at('places'), at('taxii21')],
    mutants: [
      {
        find: '  throw stuck(reading, `it has more than ${reading.maxPages} pages`);\n',
        put: '',
        rule: 'A manifest that is cut at its cap says so.',
      },
      {
        find: 'yield { entries: objects, last: end };',
        put: 'yield { entries: objects, last: true };',
        rule: 'A manifest is complete with its last page only.',
      },
      {
        find: "if (answer.bytes === 0) throw stuck(reading, 'it is answered without a body');",
        put: '',
        rule: 'A manifest without a body is no empty one.',
      },
      {
        find: "if (repeated) throw stuck(reading, 'the same page came twice');",
        put: '',
        rule: 'A manifest that repeats a page is not read to its end.',
      },
      {
        find: 'reached = last - 1n;',
        put: 'reached = last;',
        rule: 'A page of a manifest may end within a group of equal times.',
      },
      {
        find: "if (limit >= MAX_LIMIT) throw stuck(reading, 'more objects share one added time than one page holds');",
        put: '',
        rule: 'A manifest whose group does not fit into a page is not read to its end.',
      },
    ],
  },
  {
    file: at('roots.ts'),
    tests: [at('taxii21'), at('places')],
    mutants: [
      {
        find: 'if (root.origin !== url.origin) {',
        put: 'if (root.hostname !== url.hostname) {',
        rule: 'A discovery leads to no other port or scheme.',
      },
      {
        find: 'if (root.origin !== url.origin) {',
        put: 'if (root.origin === undefined) {',
        rule: 'A discovery leads to no other host: credentials would leave with it.',
      },
      {
        find: 'offered.find((one) => one.id === name) ?? offered.find((one) => one.alias === name);',
        put: 'offered.find((one) => one.title === name) ?? offered.find((one) => one.id === name);',
        rule: 'A title never takes the place of an id.',
      },
      {
        find: "return titled.length > 1 ? 'ambiguous' : titled[0];",
        put: 'return titled[0];',
        rule: 'A title that two collections share names none.',
      },
      {
        find: 'if (found.can_write !== true)',
        put: 'if (found.can_write === undefined)',
        rule: 'Reports go to no collection that this account may not write.',
        tests: ['test/contract/reports'],
      },
      {
        find: 'error.status !== 401\n    )',
        put: 'error.status !== 499\n    )',
        rule: 'Refused credentials are not a collection that is missing.',
      },
      {
        find: '!versions.some((one) => /2\\.1/.test(one))',
        put: 'versions.length > 99',
        rule: 'A root that speaks no TAXII 2.1 is refused.',
      },
    ],
  },
  {
    file: at('connector.ts'),
    tests: [at('places'), at('taxii21'), 'test/contract/taxii21-sick'],
    mutants: [
      {
        find: 'yield { scope: collection.id, present, complete: page.last };',
        put: 'yield { scope: collection.id, present, complete: true };',
        rule: 'A collection is listed completely with its last page only.',
      },
      {
        find: 'if (signal.aborted || (ofAll && doubted)) throw error;',
        put: 'if (signal.aborted) throw error;',
        rule: 'A listing ends where the whole server refuses.',
      },
      {
        find: 'serverNow: Math.min(selection.serverNow ?? now, now),',
        put: 'serverNow: selection.serverNow ?? now,',
        rule: 'A server clock that runs ahead makes no overlap old.',
      },
      {
        find: 'cursor: last ? after : before,',
        put: 'cursor: after,',
        rule: 'Of an answer that is cut only the last part moves the cursor.',
      },
      {
        find: 'if (reading === undefined && errors.length > 0) throw errors[0];',
        put: '',
        rule: 'Without an engine that hears of it, the failure of a collection is thrown.',
      },
      {
        find: 'const due = selection.readable.filter((one) => reading.due(one.id));',
        put: 'const due = selection.readable;',
        rule: 'A collection that rests is not asked.',
      },
      {
        find: 'if (doubted !== undefined) throw turn.error;',
        put: '',
        rule: 'What two collections running meet is the server’s, and concerns all.',
      },
    ],
  },
  {
    file: at('send.ts'),
    tests: ['test/contract/reports'],
    mutants: [
      {
        find: "return sight === undefined || sight === 'absent';",
        put: 'return true;',
        rule: 'What was tried before is sent again only if the partner does not show it.',
      },
      {
        find: "if (sight === undefined || sight === 'shown') return { uuid, kind: 'sent' };",
        put: "if (sight !== null) return { uuid, kind: 'sent' };",
        rule: 'What the status lists as failed is not delivered.',
      },
      {
        find: "if (status.status === 'complete') return await this.#outcomes(status, posted, place, signal);",
        put: 'if (status.status !== undefined) return await this.#outcomes(status, posted, place, signal);',
        rule: 'A report whose status is pending is asked for later.',
      },
      {
        find: 'const all = status.failure_count === 0 && (status.success_count ?? 0) >= posted.length;',
        put: 'const all = status.failure_count === 0;',
        rule: 'A complete status that counts no success proves nothing.',
      },
      {
        find: 'let current = open.get(one.posted.tlp);',
        put: "let current = open.get('red');",
        rule: 'An envelope holds reports of one marking.',
      },
      {
        find: 'const blind = place.collection.can_read === false && why === GAVE_NO_STATUS;',
        put: 'const blind = why === GAVE_NO_STATUS;',
        rule: 'What was taken without a word counts as sent only where we may not look.',
      },
      {
        find: 'const auth = config.report_auth ?? config.auth;',
        put: 'const { auth } = config;',
        rule: 'Reports use the credential that is set for them.',
      },
    ],
  },
  {
    file: at('shown.ts'),
    tests: [at('shown'), 'test/contract/reports'],
    mutants: [
      {
        find: 'read.data.id === id && sameTime(read.data.modified, modified);',
        put: 'read.data.id === id;',
        rule: 'An older version at the partner is not what was sent.',
      },
      {
        find: '      this.#matches = false;\n',
        put: '',
        rule: 'A server that knows no match fields is asked singly from then on.',
      },
      {
        find: 'for (const one of left.slice(0, MOST_SINGLY))',
        put: 'for (const one of left)',
        rule: 'Only some reports are asked for singly in one go.',
      },
      {
        find: 'if (!(error instanceof ConnectorError) || error.status !== 403) throw error;',
        put: 'throw error;',
        rule: 'A collection that may not be read hinders no reports.',
      },
    ],
  },
];
