// What the connectors to SIEMs say of each change.
import type { Mutated } from './mutant.ts';

export const connectors: readonly Mutated[] = [
  {
    file: 'src/connectors/siem/elastic/responses.ts',
    tests: ['src/connectors/siem/elastic/responses'],
    mutants: [
      {
        find: "if (held > revision) return { key, kind: 'superseded', revision: held };",
        put: "if (held >= revision) return { key, kind: 'superseded', revision: held };",
        rule: 'A version conflict over exactly what was sent is a success.',
      },
      {
        find: "if (change.op === 'remove') return { key, kind: 'applied' };\n    return",
        put: 'return',
        rule: 'A removal of what is gone is applied.',
      },
      {
        find: 'revision: conflict.stored ?? revision };',
        put: 'revision };',
        rule: 'The revision of a removal that the product remembers raises ours.',
      },
      {
        find: "if (held === revision && change.op === 'upsert') return",
        put: 'if (held === revision) return',
        rule: 'A removal refused by what stands there under its revision is not applied.',
      },
      {
        find: "if (item.failure_store !== 'used') return { key, kind: 'applied' };",
        put: "return { key, kind: 'applied' };",
        rule: 'A document in the failure store is not indexed.',
      },
      {
        find: "if (status === 404 && change.op === 'remove' && type === '') return",
        put: "if (status === 404 && change.op === 'remove') return",
        rule: 'A removal from an index that is missing is not applied.',
      },
      {
        find: '(item._id !== undefined && item._id !== change.slot)',
        put: '(item._id === null)',
        rule: 'An answer that does not fit the request tells nothing.',
      },
      {
        find: "if (status === 429 || status >= 500) return { kind: 'retryable'",
        put: "if (status >= 500) return { kind: 'retryable'",
        rule: 'A busy index is no bad value.',
      },
      {
        find: 'if (status === 401 || status === 403)',
        put: 'if (status === 401)',
        rule: 'A missing right is no bad value.',
      },
    ],
  },
  {
    file: 'src/connectors/siem/elastic/failures.ts',
    tests: ['src/connectors/siem/elastic/responses', 'test/contract/elastic', 'test/contract/elastic-states'],
    mutants: [
      {
        find: 'uncertain: status >= 500,',
        put: 'uncertain: false,',
        rule: 'What a broken server did nobody knows.',
      },
      {
        find: 'return retryable(`${where}: the answer is no valid JSON`, { uncertain: true });',
        put: 'return retryable(`${where}: the answer is no valid JSON`, { uncertain: false });',
        rule: 'An answer that cannot be read may follow a call that was carried out.',
      },
    ],
  },
  {
    file: 'src/connectors/siem/splunk/applying.ts',
    tests: ['src/connectors/siem/splunk/applying', 'src/connectors/siem/splunk/ownership'],
    mutants: [
      {
        find: '      if (outcomes.length === 0) throw error;\n',
        put: '      throw error;\n',
        rule: 'What an earlier call did is told whatever becomes of a later one.',
      },
      {
        find: "told(unsure ? { ...failure, kind: 'retryable' } : failure);",
        put: 'told(failure);',
        rule: 'A refusal after which nobody knows what happened is no refusal of the changes.',
      },
      {
        find: "if (saved.has(change.slot)) return { key: change.key, kind: 'applied' };",
        put: "if (saved !== undefined) return { key: change.key, kind: 'applied' };",
        rule: 'A row that the answer does not name was not saved.',
      },
      {
        find: "told({ ...failure, kind: 'retryable' });\n      return undefined;",
        put: 'told(failure);\n      return undefined;',
        rule: 'A refusal of several rows is divided before any is parked.',
      },
      {
        find: 'const rest = batch.changes.filter((change) => !told.has(change.key));',
        put: 'const rest: typeof batch.changes = [];',
        rule: 'What was not sent has an outcome, too.',
      },
      {
        find: 'at += taken;\n',
        put: 'at = removals.length;\n',
        rule: 'Removals that one call does not take go with the next.',
      },
    ],
  },
  {
    file: 'src/connectors/siem/splunk/ownership.ts',
    tests: ['src/connectors/siem/splunk/ownership'],
    mutants: [
      {
        find: "return held === undefined || held === null || held === '' ? 'key' : undefined;",
        put: "return 'key';",
        rule: 'A row under another owner’s name is theirs.',
      },
      {
        find: "revision: mark === 'owner' ? revisionOf(row['revision']) : 0,",
        put: "revision: revisionOf(row['revision']),",
        rule: 'A row that lost its mark is not as we wrote it.',
      },
      {
        find: '(!slot || row._key === slotOfKey(text, row._key))',
        put: '(slot !== undefined)',
        rule: 'A row is about what its key is a digest of.',
      },
    ],
  },
  {
    file: 'src/connectors/siem/qradar/bulk.ts',
    tests: ['test/contract/qradar-bulk', 'test/contract/qradar-doubt'],
    mutants: [
      {
        find: 'if (seen?.revision === change.revision) {\n        outcomes.push(done);',
        put: 'if (seen !== undefined) {\n        outcomes.push(done);',
        rule: 'An old row in the set is not what was sent.',
      },
      {
        find: 'seen.key === change.key ? { key: change.key',
        put: 'seen.key !== undefined ? { key: change.key',
        rule: 'Another spelling in the slot holds the value as well.',
      },
      {
        find: "if (task !== undefined && !DONE.has(task.status)) return 'pending';",
        put: '',
        rule: 'A task that runs is pending.',
      },
      {
        find: 'if (!(error instanceof ConnectorError) || error.uncertain) this.#doubtful.note(batch);',
        put: '',
        rule: 'A bulk update whose answer was lost is waited for before its rows are believed absent.',
      },
      {
        find: 'results.successful_responses === changes.length &&',
        put: '',
        rule: 'A task that did not take every row is read back.',
      },
      {
        find: "(this.#removalsProven || changes.every((change) => change.op === 'upsert'))",
        put: 'true',
        rule: 'Removals are read back until this console has proven to know them.',
      },
      {
        find: 'if (told !== undefined && told.http_status >= 400) outcomes.push(',
        put: 'if (told === null) outcomes.push(',
        rule: 'A row that QRadar refuses is refused with its reason.',
      },
      {
        find: 'if (done.length === 0) throw error;',
        put: 'throw error;',
        rule: 'Removals that went singly are over, whatever became of the rest.',
      },
      {
        find: 'else outcomes.push(heldByOther(change, source));',
        put: 'else keep.push(i);',
        rule: 'A value that an analyst holds is not taken over.',
        tests: ['test/contract/qradar-bulk', 'test/contract/qradar-marks'],
      },
    ],
  },
];
