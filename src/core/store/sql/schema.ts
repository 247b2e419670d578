// The schema, as numbered migrations: forward only, each in one transaction, after an automatic backup. The SQL
// keeps to what PostgreSQL speaks too, `WITHOUT ROWID` apart.
//
// Small integers lead every wide key, so that a first sync appends to its trees instead of scattering over them,
// and partial indexes hold only the rows that need work: memory follows the page cache, not the data.
//
// Over 300 lines with cause: what was released once is never written anew, and who wants to know what the tables are
// reads all of it, in the order in which it runs.

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE exchange (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, active INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, cursor TEXT,
    last_success INTEGER, last_failure INTEGER, failing_since INTEGER, failure TEXT,
    poll_completed INTEGER, listing INTEGER NOT NULL DEFAULT 0, listed_at INTEGER, last_new INTEGER);
  CREATE TABLE scope (
    id INTEGER PRIMARY KEY, exchange_id INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (exchange_id, name));

  -- One row per object id of an exchange, in its newest version. state: 0 published, 1 revoked, 2 vanished.
  CREATE TABLE object (
    id INTEGER PRIMARY KEY, exchange_id INTEGER NOT NULL, object_id TEXT NOT NULL, version TEXT NOT NULL,
    state INTEGER NOT NULL, valid_from INTEGER NOT NULL, valid_until INTEGER, confidence INTEGER, tlp INTEGER, pap INTEGER,
    benign INTEGER NOT NULL, open_markings TEXT, refusal TEXT, digest INTEGER NOT NULL, facts TEXT NOT NULL, gone_at INTEGER,
    UNIQUE (exchange_id, object_id));
  CREATE INDEX object_open ON object (exchange_id) WHERE open_markings IS NOT NULL;
  CREATE INDEX object_gone ON object (gone_at) WHERE gone_at IS NOT NULL;
  CREATE INDEX object_refused ON object (exchange_id, refusal) WHERE refusal IS NOT NULL;
  CREATE TABLE presence (
    object_id INTEGER NOT NULL, scope_id INTEGER NOT NULL, listing INTEGER NOT NULL, PRIMARY KEY (object_id, scope_id)) WITHOUT ROWID;

  -- Names, markings and relationships that explain indicators, by exchange.
  CREATE TABLE context (
    exchange_id INTEGER NOT NULL, object_id TEXT NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (exchange_id, object_id)) WITHOUT ROWID;
  CREATE TABLE relation (
    exchange_id INTEGER NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, relation TEXT NOT NULL, object_id TEXT NOT NULL,
    PRIMARY KEY (exchange_id, source, target, object_id)) WITHOUT ROWID;
  CREATE INDEX relation_target ON relation (exchange_id, target);
  CREATE INDEX relation_object ON relation (exchange_id, object_id);

  CREATE TABLE entry (id INTEGER PRIMARY KEY, type INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE (type, value));
  CREATE TABLE contribution (
    entry_id INTEGER NOT NULL, object_id INTEGER NOT NULL, PRIMARY KEY (entry_id, object_id)) WITHOUT ROWID;
  CREATE INDEX contribution_object ON contribution (object_id);

  CREATE TABLE siem (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, active INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, containers TEXT NOT NULL, facts TEXT NOT NULL, settings TEXT NOT NULL DEFAULT 'null',
    adopted_at INTEGER, recompute_from INTEGER, recompute_force INTEGER NOT NULL DEFAULT 0,
    last_success INTEGER, last_failure INTEGER, failing_since INTEGER, failure TEXT, audited_at INTEGER, drift INTEGER NOT NULL DEFAULT 0,
    first_synced INTEGER);
  -- What a SIEM shall hold and what it holds. The columns' values are named in rows.ts.
  CREATE TABLE projection (
    siem_id INTEGER NOT NULL, entry_id INTEGER NOT NULL,
    wanted INTEGER NOT NULL, wanted_rev INTEGER NOT NULL, content INTEGER NOT NULL, vouchers INTEGER NOT NULL DEFAULT 0, until INTEGER, due INTEGER,
    present INTEGER NOT NULL, rev INTEGER NOT NULL, state INTEGER NOT NULL, cause INTEGER NOT NULL, since INTEGER NOT NULL,
    sent_rev INTEGER, batch INTEGER, attempt INTEGER NOT NULL DEFAULT 0, next_at INTEGER, slot TEXT, handle TEXT, note TEXT,
    PRIMARY KEY (siem_id, entry_id)) WITHOUT ROWID;
  -- Statements name these indexes: without statistics SQLite takes the primary key and reads all rows of the SIEM.
  CREATE INDEX projection_work ON projection (siem_id, state, entry_id) WHERE state <> 0;
  CREATE INDEX projection_due ON projection (due) WHERE due IS NOT NULL;
  CREATE INDEX projection_slot ON projection (siem_id, slot) WHERE slot IS NOT NULL;
  CREATE TABLE tally (owner TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID;

  CREATE TABLE brake (
    siem_id INTEGER NOT NULL, exchange_id INTEGER NOT NULL, kind TEXT NOT NULL, minute INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (siem_id, exchange_id, kind, minute)) WITHOUT ROWID;
  CREATE TABLE hold (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, siem_id INTEGER NOT NULL, exchange_id INTEGER NOT NULL, created INTEGER NOT NULL,
    reason TEXT NOT NULL, decided INTEGER, decision TEXT, decided_by TEXT, decision_reason TEXT);
  CREATE TABLE hold_entry (
    hold_id INTEGER NOT NULL, entry_id INTEGER NOT NULL, PRIMARY KEY (hold_id, entry_id)) WITHOUT ROWID;
  CREATE TABLE suppression (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, value TEXT NOT NULL, created INTEGER NOT NULL, until INTEGER NOT NULL,
    reason TEXT NOT NULL, made_by TEXT NOT NULL, lifted INTEGER);
  CREATE INDEX suppression_value ON suppression (type, value);
  CREATE TABLE request (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, made_by TEXT NOT NULL, schema INTEGER NOT NULL,
    digest TEXT, created INTEGER NOT NULL, expires INTEGER NOT NULL, claimed INTEGER, finished INTEGER, outcome TEXT);
  `,
  `
  -- Sightings. Of a hit only this is kept: entry, SIEM, time, count, and a digest that tells it when it is read again.
  CREATE TABLE hit_source (
    siem_id INTEGER PRIMARY KEY, cursor TEXT, last_success INTEGER, last_failure INTEGER, failing_since INTEGER, failure TEXT);
  CREATE TABLE hit_seen (
    siem_id INTEGER NOT NULL, hash TEXT NOT NULL, day INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (siem_id, hash)) WITHOUT ROWID;
  CREATE INDEX hit_seen_day ON hit_seen (day);
  CREATE TABLE hit (
    entry_id INTEGER NOT NULL, start INTEGER NOT NULL, verdict INTEGER NOT NULL, siem_id INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (entry_id, start, verdict, siem_id)) WITHOUT ROWID;
  CREATE INDEX hit_start ON hit (start);

  -- One row per object, window, kind and exchange it may go to. The columns' values are named in outbox.ts.
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, exchange_id INTEGER NOT NULL, object_id INTEGER NOT NULL, start INTEGER NOT NULL, kind INTEGER NOT NULL,
    uuid TEXT NOT NULL, state INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL, modified INTEGER NOT NULL,
    latest INTEGER NOT NULL, rule INTEGER, reason TEXT NOT NULL, since INTEGER NOT NULL, due INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, sending INTEGER, sent INTEGER, sent_at INTEGER, receipt TEXT,
    approved INTEGER, rejected INTEGER NOT NULL DEFAULT 0, decided_by TEXT, decision_reason TEXT,
    UNIQUE (exchange_id, object_id, start, kind));
  CREATE INDEX outbox_due ON outbox (exchange_id, due) WHERE state = 0;
  CREATE INDEX outbox_uuid ON outbox (uuid);
  CREATE INDEX outbox_object ON outbox (object_id);
  CREATE INDEX outbox_held ON outbox (since) WHERE state = 1;
  CREATE INDEX outbox_receipt ON outbox (exchange_id, receipt) WHERE receipt IS NOT NULL;
  `,
  `
  -- What grows with the feed is gone through in steps (sweeps.ts). The one with the lowest turn is next.
  CREATE TABLE sweep (
    kind TEXT NOT NULL, owner INTEGER NOT NULL, subject TEXT NOT NULL, position TEXT NOT NULL, argument TEXT NOT NULL,
    done INTEGER NOT NULL, since INTEGER NOT NULL, turn INTEGER NOT NULL, PRIMARY KEY (kind, owner, subject)) WITHOUT ROWID;
  CREATE INDEX sweep_turn ON sweep (turn);
  INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
    SELECT 'recompute', id, '', CASE recompute_from WHEN 0 THEN '' ELSE recompute_from END,
      CASE recompute_force WHEN 1 THEN '{"force":true}' ELSE '{"force":false}' END, 0, 0, id
    FROM siem WHERE recompute_from IS NOT NULL;
  ALTER TABLE siem DROP COLUMN recompute_from;
  ALTER TABLE siem DROP COLUMN recompute_force;

  -- Objects under a marking that nothing has explained yet, to be found by its id when something does.
  CREATE TABLE unexplained (
    exchange_id INTEGER NOT NULL, marking_id TEXT NOT NULL, object_id INTEGER NOT NULL,
    PRIMARY KEY (exchange_id, marking_id, object_id)) WITHOUT ROWID;
  CREATE INDEX unexplained_object ON unexplained (object_id);
  INSERT INTO unexplained (exchange_id, marking_id, object_id)
    SELECT DISTINCT o.exchange_id, r.value, o.id FROM object o, json_each(o.open_markings, '$.refs') r
    WHERE o.open_markings IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM context c WHERE c.exchange_id = o.exchange_id AND c.object_id = r.value AND c.kind = 'marking');
  DROP INDEX object_open;

  -- Named by so many objects that they are gone through in parts.
  ALTER TABLE entry ADD COLUMN crowded INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- The last listing that showed a scope completely, and how the reading of each ended.
  ALTER TABLE scope ADD COLUMN listed INTEGER;
  ALTER TABLE scope ADD COLUMN reading TEXT;
  `,
  `
  -- Values of which a call was lost: it may still land, whatever became of the row since. Looked at once that is over.
  CREATE TABLE doubt (
    siem_id INTEGER NOT NULL, type INTEGER NOT NULL, value TEXT NOT NULL, look_at INTEGER NOT NULL,
    PRIMARY KEY (siem_id, type, value)) WITHOUT ROWID;
  CREATE INDEX doubt_due ON doubt (siem_id, look_at);
  -- Constant word for why a row is parked, where the SIEM gave one.
  ALTER TABLE projection ADD COLUMN code TEXT;
  -- An audit that only looked puts nothing right, so that it does not count for when the next is due.
  ALTER TABLE siem ADD COLUMN repaired_at INTEGER;
  `,
  `
  -- A hold is a property of the rows it bars (rows.ts), and its set is those rows. The sum stands for the set (hold-table.ts);
  -- null: to be computed anew. hold_past keeps what earlier looks showed.
  ALTER TABLE projection ADD COLUMN hold INTEGER;
  ALTER TABLE projection ADD COLUMN hold_kind INTEGER NOT NULL DEFAULT 0;
  UPDATE projection SET hold = (SELECT max(h.id) FROM hold_entry e JOIN hold h ON h.id = e.hold_id
    WHERE e.entry_id = projection.entry_id AND h.siem_id = projection.siem_id AND (h.decided IS NULL OR h.decision = 'reject'))
    WHERE entry_id IN (SELECT entry_id FROM hold_entry);
  UPDATE projection SET hold_kind = CASE (SELECT kind FROM hold WHERE id = projection.hold) WHEN 'removal' THEN 1 ELSE 2 END
    WHERE hold IS NOT NULL;
  CREATE INDEX projection_hold ON projection (hold, entry_id) WHERE hold IS NOT NULL;
  DROP TABLE hold_entry;
  ALTER TABLE hold ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE hold ADD COLUMN sum INTEGER;
  ALTER TABLE hold ADD COLUMN decided_entries INTEGER;
  ALTER TABLE hold ADD COLUMN told INTEGER;
  CREATE TABLE hold_past (
    hold_id INTEGER NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, entries INTEGER NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY (hold_id, revision)) WITHOUT ROWID;
  INSERT INTO tally (owner, name, n) SELECT 'siem:' || siem_id, 'adopted', count(*) FROM projection
    WHERE state = 7 AND hold IS NULL GROUP BY siem_id;
  UPDATE tally SET n = n - coalesce((SELECT t.n FROM tally t WHERE t.owner = tally.owner AND t.name = 'adopted'), 0) WHERE name = 'held';
  `,
  `
  -- What waits for room is found by its reason, which names the container.
  CREATE INDEX projection_parked ON projection (siem_id, note, entry_id) WHERE state = 6;
  `,
  `
  -- A marking that nobody explained keeps its object out; a lifetime counts from no later than the receipt; and what was
  -- read by older rules (canon) is gone through once (respelling.ts) and read again from the start.
  ALTER TABLE object ADD COLUMN unexplained TEXT;
  ALTER TABLE object ADD COLUMN life_from INTEGER;
  ALTER TABLE object ADD COLUMN canon INTEGER NOT NULL DEFAULT 1;
  UPDATE exchange SET cursor = NULL;
  INSERT INTO unexplained (exchange_id, marking_id, object_id)
    SELECT DISTINCT o.exchange_id, r.value, o.id FROM object o, json_each(o.open_markings, '$.refs') r
    WHERE o.open_markings IS NOT NULL ON CONFLICT DO NOTHING;
  INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
    SELECT 'respelled', 0, '', '', 'null', 0, 0, (SELECT coalesce(max(turn), 0) + 1 FROM sweep)
    WHERE EXISTS (SELECT 1 FROM object);
  `,
  `
  -- What a held sighting said when it was looked at before it changed.
  CREATE TABLE outbox_past (outbox_id INTEGER NOT NULL, code TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (outbox_id, code)) WITHOUT ROWID;
  `,
  `
  -- Since when an object vouches for an entry, and of hits which of these they came under: a hit is told only to those
  -- whose claim armed the entry when it happened. part is the youngest of these times at the hit.
  ALTER TABLE contribution ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE hit_by_part (
    entry_id INTEGER NOT NULL, start INTEGER NOT NULL, verdict INTEGER NOT NULL, siem_id INTEGER NOT NULL, part INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (entry_id, start, verdict, siem_id, part)) WITHOUT ROWID;
  INSERT INTO hit_by_part SELECT entry_id, start, verdict, siem_id, 0, first, last, n FROM hit;
  DROP TABLE hit;
  ALTER TABLE hit_by_part RENAME TO hit;
  CREATE INDEX hit_start ON hit (start);
  `,
  `
  -- Objects that could not be read but have an id. Never a claim; kept so that people find them.
  CREATE TABLE unreadable (
    id INTEGER PRIMARY KEY, exchange_id INTEGER NOT NULL, object_id TEXT NOT NULL, reason TEXT NOT NULL, facts TEXT NOT NULL,
    seen INTEGER NOT NULL, UNIQUE (exchange_id, object_id));
  CREATE INDEX unreadable_seen ON unreadable (seen);
  `,
  `
  -- Written by some versions and read by none.
  ALTER TABLE exchange DROP COLUMN listed_at;
  ALTER TABLE siem DROP COLUMN audited_at;
  ALTER TABLE siem DROP COLUMN first_synced;
  ALTER TABLE hold DROP COLUMN decided_entries;
  ALTER TABLE hold DROP COLUMN told;
  `,
  `
  -- Which values objects name that were refused or came revoked, as digests (named.ts): ref is the row of an object
  -- (kind 0) or of one that could not be read (kind 1), and what hangs on it goes with it.
  CREATE TABLE named (
    digest INTEGER NOT NULL, kind INTEGER NOT NULL, ref INTEGER NOT NULL,
    PRIMARY KEY (digest, kind, ref)) WITHOUT ROWID;
  CREATE INDEX named_ref ON named (kind, ref);
  CREATE TRIGGER object_gone AFTER DELETE ON object BEGIN DELETE FROM named WHERE kind = 0 AND ref = OLD.id; END;
  CREATE TRIGGER unreadable_gone AFTER DELETE ON unreadable BEGIN DELETE FROM named WHERE kind = 1 AND ref = OLD.id; END;
  `,
  `
  -- Why there was nothing to read hits from, at the last reading.
  ALTER TABLE hit_source ADD COLUMN idle TEXT;
  `,
  `
  -- A lost call lands seconds later far more often than at its longest time, so that look_at comes several times until ends.
  ALTER TABLE doubt ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Up to which revision our mark at the SIEM says that we may have written; 0: none was written yet, null: by a version
  -- that did not keep it. And when everything there is listed once more, because calls of the life that was taken over may
  -- land until then.
  ALTER TABLE siem ADD COLUMN marked INTEGER;
  ALTER TABLE siem ADD COLUMN list_again INTEGER;
  `,
  `
  -- The showing of a scope that is under way, by its number (snapshots.ts, which makes an index of its own at the first).
  ALTER TABLE scope ADD COLUMN snapshot INTEGER;
  `,
  `
  -- Of a value that is called harmless: when somebody looks at it again. It stays off until it is lifted; null: suppressed
  -- for a time.
  ALTER TABLE suppression ADD COLUMN review INTEGER;
  `,
  `
  -- Entries that a person let in though their claims are to be held (unknown_confidence). Gone with the row.
  CREATE TABLE let_in (
    siem_id INTEGER NOT NULL, entry_id INTEGER NOT NULL, PRIMARY KEY (siem_id, entry_id)) WITHOUT ROWID;
  `,
  `
  -- The last day on which it was seen here, for lifetimes that a hit renews: hits themselves are kept for a shorter time.
  ALTER TABLE entry ADD COLUMN hit_day INTEGER;
  `,
  `
  -- What happened, for people (history.ts): merged where it goes on.
  CREATE TABLE history (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, role TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER,
    counts TEXT NOT NULL, detail TEXT NOT NULL, seq INTEGER);
  CREATE INDEX history_kind ON history (kind, role, subject, id);
  CREATE INDEX history_at ON history (at);
  `,
  `
  -- What a person was asked when they let an entry in (let-in.ts): an answer to one question is none to another.
  ALTER TABLE let_in ADD COLUMN asked TEXT NOT NULL DEFAULT '';
  `,
  `
  -- In a watchlist that takes only so many: what each row is worth, and whether it waits for a place (ledger/capacity.ts).
  -- The best come first.
  ALTER TABLE projection ADD COLUMN place INTEGER;
  ALTER TABLE projection ADD COLUMN kept_out INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX projection_place ON projection (siem_id, kept_out, place DESC, entry_id) WHERE place IS NOT NULL;
  `,
  `
  -- What each peer did in each half hour (rows/samples.ts).
  CREATE TABLE sample (
    start INTEGER NOT NULL, role TEXT NOT NULL, peer TEXT NOT NULL, ok INTEGER NOT NULL, behind INTEGER NOT NULL, failing INTEGER NOT NULL,
    paused INTEGER NOT NULL, entries INTEGER NOT NULL, hits INTEGER NOT NULL, told INTEGER NOT NULL,
    armed INTEGER NOT NULL, armed_secs INTEGER NOT NULL, armed_most INTEGER NOT NULL,
    PRIMARY KEY (start, role, peer)) WITHOUT ROWID;
  `,
  `
  -- The UUID of a STIX id says the same in capitals, and is kept in small letters from now on. Of two rows that are one
  -- object, what was revoked stays so, else the newer version counts; the other one expires at once.
  CREATE INDEX object_spelling ON object (exchange_id, lower(object_id));
  UPDATE object SET valid_until = 0, object_id = object_id || '#' || id
    WHERE EXISTS (SELECT 1 FROM object o WHERE o.exchange_id = object.exchange_id AND lower(o.object_id) = lower(object.object_id)
      AND o.id <> object.id AND (
        (o.state = 1 AND object.state <> 1)
        OR ((o.state = 1) = (object.state = 1)
          AND (o.version > object.version OR (o.version = object.version AND o.id < object.id)))));
  UPDATE projection SET due = 0 WHERE entry_id IN (
    SELECT c.entry_id FROM contribution c JOIN object o ON o.id = c.object_id WHERE o.valid_until = 0);
  UPDATE object SET object_id = lower(object_id) WHERE object_id <> lower(object_id);
  DROP INDEX object_spelling;
  INSERT INTO context (exchange_id, object_id, kind, version, body)
    SELECT exchange_id, lower(object_id), kind, version, body FROM context WHERE object_id <> lower(object_id)
    ON CONFLICT DO NOTHING;
  DELETE FROM context WHERE object_id <> lower(object_id);
  INSERT INTO relation (exchange_id, source, target, relation, object_id)
    SELECT exchange_id, lower(source), lower(target), relation, lower(object_id) FROM relation
    WHERE source <> lower(source) OR target <> lower(target) OR object_id <> lower(object_id)
    ON CONFLICT DO NOTHING;
  DELETE FROM relation WHERE source <> lower(source) OR target <> lower(target) OR object_id <> lower(object_id);
  `,
  `
  -- The record of what was done (records.ts), one row for each unit that did something. lines: what it did it to, a line
  -- each, and entries: to which of ours; null once pruned, or where only counts are kept. audit_entry finds them by entry,
  -- audit_forgotten tells which entry it was once that is gone.
  CREATE TABLE audit_record (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, action TEXT NOT NULL, body TEXT NOT NULL, lines TEXT, entries TEXT);
  CREATE TABLE audit_entry (
    entry_id INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (entry_id, seq)) WITHOUT ROWID;
  CREATE TABLE audit_forgotten (entry_id INTEGER PRIMARY KEY, digest INTEGER NOT NULL, type INTEGER NOT NULL, value TEXT NOT NULL);
  CREATE INDEX audit_forgotten_digest ON audit_forgotten (digest);
  CREATE TABLE audit_checkpoint (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);
  `,
  `
  -- Why a row is parked, and what task has it, each by itself; how long it waits has columns of its own.
  ALTER TABLE projection RENAME COLUMN note TO reason;
  ALTER TABLE projection ADD COLUMN receipt TEXT;
  UPDATE projection SET receipt = reason, reason = NULL WHERE state = 4;
  UPDATE projection SET reason = NULL WHERE reason IS NOT NULL AND state <> 6;
  `,
  `
  -- Records between two moments.
  CREATE INDEX audit_record_at ON audit_record (at);
  `,
  `
  -- What somebody called a false positive, few among very many hits (disputed.ts).
  CREATE INDEX hit_disputed ON hit (entry_id) WHERE verdict = 1;
  `,
  `
  -- What asks for another look by now, among very many that are off.
  CREATE INDEX suppression_review ON suppression (review) WHERE lifted IS NULL AND review IS NOT NULL;
  CREATE INDEX outbox_state ON outbox (exchange_id, state);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;
