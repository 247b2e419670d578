// After an upgrade that reads values or markings by other rules: what was taken in under the old ones is gone through
// once. Each value is spelled anew from the old spelling, so that none of them stays armed for ever, whether or not its
// partner still publishes it; a value that the rules refuse now is withdrawn. The exchanges start over meanwhile, and
// what they publish still is read again from the source.
import { canonical } from '../../model/canonical.ts';
import type { Observable } from '../../model/observable.ts';
import { lifeFrom } from '../../policy/expiry.ts';
import type { StoreContext } from '../unit/context.ts';
import { entriesOf, storedKey } from '../unit/entry-ids.ts';
import type { Explanations } from '../unit/explanations.ts';
import { explained, openOf } from '../rows/open-markings.ts';
import { OBJECT, type ObjectRow, type StoredEntry } from '../rows/rows.ts';
import type { Values } from '../sql/port.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import type { Touched } from '../unit/touched.ts';
import type { Links } from './links.ts';

/** By our own rules, so no partner withdrew or added anything, and no brake counts it. */
const OURS = { cause: 'policy', exchangeId: 0 } as const;

export function registerRespelling(
  sweeps: Sweeps,
  store: StoreContext,
  context: Explanations,
  links: Links,
  touched: Touched,
): void {
  const { db } = store;

  sweeps.register('respelled', (sweep: Sweep, most: number, now: number): SweepStep => {
    const rows = db.all<ObjectRow>(
      `SELECT * FROM object WHERE id > ? AND life_from IS NULL ORDER BY id LIMIT ?`,
      Number(sweep.position),
      most,
    );
    const named = links.of(rows.filter((row) => row.state !== OBJECT.revoked).map((row) => row.id));
    let done = 0;
    let upTo = 0;
    while (upTo < rows.length && done < most) done += 1 + (named.get(rows[upTo++]!.id)?.length ?? 0);
    const step = rows.slice(0, upTo);
    readAnew(step, now);
    respell(step, named);
    const more = upTo < rows.length || rows.length === most;
    return { rows: done, position: more ? String(step.at(-1)!.id) : undefined };
  });

  /** Their markings and their times. */
  function readAnew(rows: readonly ObjectRow[], now: number): void {
    for (const [exchangeId, all] of Map.groupBy(rows, (row) => row.exchange_id))
      context.know(
        exchangeId,
        all.filter((row) => row.open_markings !== null).flatMap((row) => openOf(row).refs),
      );
    db.updateRows(
      'object',
      ['id'],
      ['tlp', 'pap', 'unexplained', 'life_from'],
      rows.map((row) => {
        const levels = row.open_markings === null ? row : explained(context, row.exchange_id, openOf(row));
        const life = lifeFrom({ version: row.version, validFrom: row.valid_from }, now);
        return [levels.tlp, levels.pap, levels.unexplained, life, row.id];
      }),
    );
  }

  function respell(rows: readonly ObjectRow[], named: ReadonlyMap<number, readonly StoredEntry[]>): void {
    const all = rows.flatMap((row) =>
      (named.get(row.id) ?? []).map((entry) => ({ objectId: row.id, entry, anew: spelledAnew(entry) })),
    );
    const changed = all.filter(({ entry, anew }) => anew?.value !== entry.value);
    const ids = entriesOf(
      store,
      changed.flatMap(({ anew }) => anew ?? []),
    );
    const come: Values[] = [];
    for (const { objectId, entry, anew } of all) {
      if (anew !== undefined && anew.value !== entry.value) {
        const id = ids.get(storedKey(anew))!;
        come.push([id, objectId]);
        touched.add({ id, ...anew }, OURS);
      }
      touched.add(entry, OURS);
    }
    db.insertRows('contribution', ['entry_id', 'object_id'], come, 'nothing');
    db.deleteRows(
      'contribution',
      ['entry_id', 'object_id'],
      changed.map(({ entry, objectId }) => [entry.id, objectId]),
    );
  }
}

/** Undefined: the rules refuse it now. */
function spelledAnew({ type, value }: Observable): Observable | undefined {
  const spelled = canonical(type, value);
  return 'value' in spelled ? { type, value: spelled.value } : undefined;
}
