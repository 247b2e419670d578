// The values that objects name which were refused or came revoked. For people who look for a value, never for claims.
import type { Database } from '../sql/port.ts';

/** What names them: an object, or one that could not be read. */
export const NAMED_BY = { object: 0, unreadable: 1 } as const;

export interface NamedBy {
  readonly ref: number;
  readonly digests: readonly number[];
}

/** What each of them names now. `fresh`: they named nothing before. */
export function saveNamed(db: Database, kind: number, by: readonly NamedBy[], fresh = false): void {
  if (!fresh)
    db.deleteRows(
      'named',
      ['kind', 'ref'],
      by.map(({ ref }) => [kind, ref]),
    );
  db.insertRows(
    'named',
    ['digest', 'kind', 'ref'],
    by.flatMap(({ ref, digests }) => digests.map((digest) => [digest, kind, ref])),
    'nothing',
  );
}
