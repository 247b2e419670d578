// What the record says against itself and against the ledger: its chain verifies, and who reads nothing but the record
// knows what stands in each SIEM.
import { HEAD } from '../../src/core/store/record/head.ts';
import { OBSERVABLE_TYPES } from '../../src/core/model/observable.ts';
import { PRESENT } from '../../src/core/store/rows/rows.ts';
import type { RecordRow } from '../../src/core/audit/record.ts';
import { RecordVerifier, type StoredRecord } from '../../src/core/audit/verify.ts';

type Ask = <R extends object>(sql: string) => R[];

/** The first difference, in words. */
export function recordDrift(ask: Ask): string | undefined {
  const [head] = ask<{ value: string }>(`SELECT value FROM meta WHERE name = '${HEAD}'`);
  const expected = JSON.parse(head?.value ?? '{"size":0,"last":null}') as { size: number; last: string | null };
  const verifier = new RecordVerifier('simulation', [], { prunedBelow: 0, expected });
  const armed = new Set<string>();
  for (const record of ask<StoredRecord>('SELECT seq, body, lines FROM audit_record ORDER BY seq')) {
    verifier.add(record);
    for (const line of record.lines?.split('\n') ?? []) {
      const { siem, op, key } = JSON.parse(line) as RecordRow;
      if (op === 'arm' || op === 'change') armed.add(`${siem} ${key}`);
      else if (op === 'disarm') armed.delete(`${siem} ${key}`);
    }
  }
  const { problems } = verifier.end();
  if (problems[0] !== undefined) return `the record does not verify: ${problems[0].says}`;
  const rows = ask<{ siem: string; type: number; value: string; present: number }>(
    'SELECT s.name AS siem, e.type, e.value, p.present FROM projection p JOIN entry e ON e.id = p.entry_id JOIN siem s ON s.id = p.siem_id',
  );
  for (const { siem, type, value, present } of rows) {
    const key = `${siem} ${OBSERVABLE_TYPES[type]}|${value}`;
    const says = armed.delete(key);
    // What only may stand there is known to nobody.
    if (present === PRESENT.maybe || says === (present === PRESENT.yes)) continue;
    return `${siem}: the record says of ${key} that it is ${says ? 'armed' : 'not armed'}, the ledger the other way round`;
  }
  const [left] = armed;
  return left === undefined ? undefined : `the record says that ${left} is armed, and the ledger does not know it`;
}
