// What a configuration does to a state when it is opened: names of peers become small ids, a peer that is no longer
// configured stays known and turns inactive, and what changed asks for a recomputation.
import { BARE_URL } from '../../stix/bare-urls.ts';
import type { ExchangeSpec, SiemSpec, StoreSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';

interface KnownPeer {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
  readonly active: number;
}

/** Brings the peers to what is configured, in the transaction that opens the state. */
export function registerPeers(db: Database, { exchanges, siems }: StoreSpec): void {
  // Claims of an exchange that left or came back count differently everywhere.
  const everywhere = registerExchanges(db, exchanges);
  const recompute = registerSiems(db, siems);
  for (const { name } of siems)
    if (everywhere || recompute.has(name)) beginRecompute(db, name, recompute.get(name) ?? false);
}

/** Whether some left or came back. */
function registerExchanges(db: Database, specs: readonly ExchangeSpec[]): boolean {
  const known = db.all<KnownPeer>('SELECT id, name, fingerprint, active FROM exchange');
  let changed = leave(db, 'exchange', known, specs);
  for (const { name, type, fingerprint } of specs) {
    const row = known.find((other) => other.name === name);
    if (row === undefined) {
      db.run('INSERT INTO exchange (name, type, active, fingerprint) VALUES (?, ?, 1, ?)', name, type, fingerprint);
      continue;
    }
    if (row.fingerprint !== fingerprint) {
      db.run('UPDATE exchange SET cursor = NULL, poll_completed = NULL WHERE id = ?', row.id);
      // Perhaps bare URLs are read otherwise from now on: the same version of these says something else then.
      db.run('UPDATE object SET canon = 0 WHERE exchange_id = ? AND refusal = ?', row.id, BARE_URL);
      db.run(`UPDATE object SET canon = 0 WHERE exchange_id = ? AND facts LIKE '%"bare":true%'`, row.id);
    }
    changed ||= row.active === 0;
    db.run('UPDATE exchange SET active = 1, type = ?, fingerprint = ? WHERE id = ?', type, fingerprint, row.id);
  }
  return changed;
}

/** SIEMs whose wanted state must be computed anew, and whether all of it is sent again. */
function registerSiems(db: Database, specs: readonly SiemSpec[]): Map<string, boolean> {
  const known = db.all<KnownPeer & { readonly settings: string }>(
    'SELECT id, name, fingerprint, active, settings FROM siem',
  );
  const recompute = new Map<string, boolean>();
  leave(db, 'siem', known, specs);
  for (const { name, type, fingerprint, ...spec } of specs) {
    const row = known.find((other) => other.name === name);
    const settings = JSON.stringify(spec.settings);
    if (row === undefined) {
      db.run(
        "INSERT INTO siem (name, type, active, fingerprint, settings, containers, facts, marked) VALUES (?, ?, 1, ?, ?, '{}', 'null', 0)",
        name,
        type,
        fingerprint,
        settings,
      );
      recompute.set(name, false);
      continue;
    }
    if (row.settings !== settings) {
      // Another mapping writes the same content otherwise: everything is sent again.
      db.run('UPDATE siem SET settings = ? WHERE id = ?', settings, row.id);
      recompute.set(name, true);
    }
    if (row.fingerprint !== fingerprint || row.active === 0) recompute.set(name, recompute.get(name) ?? false);
    db.run('UPDATE siem SET active = 1, type = ?, fingerprint = ? WHERE id = ?', type, fingerprint, row.id);
  }
  return recompute;
}

/** Those that are configured no longer. Whether there are any. */
function leave(
  db: Database,
  table: 'exchange' | 'siem',
  known: readonly KnownPeer[],
  specs: readonly { readonly name: string }[],
): boolean {
  const left = known.filter((row) => row.active !== 0 && !specs.some((one) => one.name === row.name));
  for (const { id } of left) db.run(`UPDATE ${table} SET active = 0 WHERE id = ?`, id);
  return left.length > 0;
}

/** The sweep over all entries that a change asks for (projection/recompute.ts). */
function beginRecompute(db: Database, siem: string, force: boolean): void {
  db.run(
    `INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
     SELECT 'recompute', id, '', '', ?, 0, 0, 0 FROM siem WHERE name = ?
     ON CONFLICT (kind, owner, subject) DO UPDATE SET position = '', done = 0${force ? ', argument = excluded.argument' : ''}`,
    JSON.stringify({ force }),
    siem,
  );
}
