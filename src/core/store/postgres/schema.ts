// The schema on a PostgreSQL server: the shape that SQLite's had when this store came, then SQLite's later steps, word
// for word where both speak alike. So one number tells how far a state has come in both, and no later step is forgotten
// here.
//
// TEXT stands for TEXT COLLATE "C", so that texts are in the order of their bytes as SQLite keeps them. An index holds no
// text of more than some 2,700 bytes, and a URL may be longer: such columns are unique by their digest and found by
// their hash.
import { MIGRATIONS } from '../sql/schema.ts';
import { migrationToPostgres } from './dialect.ts';

/** Steps of SQLite's schema that are in the shape below, which never changes: what comes later is taken over from there. */
export const BASE_VERSION = 21;

const BASE = `
  CREATE TABLE meta (
    name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
  CREATE TABLE exchange (
    id BIGINT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, active BIGINT NOT NULL,
    fingerprint TEXT NOT NULL, cursor TEXT, last_success BIGINT, last_failure BIGINT,
    failing_since BIGINT, failure TEXT, poll_completed BIGINT, listing BIGINT NOT NULL DEFAULT 0, last_new BIGINT,
    UNIQUE (name));
  CREATE TABLE scope (
    id BIGINT PRIMARY KEY, exchange_id BIGINT NOT NULL, name TEXT NOT NULL, listed BIGINT, reading TEXT,
    snapshot BIGINT, UNIQUE (exchange_id, name));
  CREATE TABLE object (
    id BIGINT PRIMARY KEY, exchange_id BIGINT NOT NULL, object_id TEXT NOT NULL, version TEXT NOT NULL,
    state BIGINT NOT NULL, valid_from BIGINT NOT NULL, valid_until BIGINT, confidence BIGINT, tlp BIGINT, pap BIGINT,
    benign BIGINT NOT NULL, open_markings TEXT, refusal TEXT, digest BIGINT NOT NULL,
    facts TEXT NOT NULL, gone_at BIGINT, unexplained TEXT, life_from BIGINT,
    canon BIGINT NOT NULL DEFAULT 1, UNIQUE (exchange_id, object_id));
  CREATE INDEX object_gone ON object (gone_at) WHERE gone_at IS NOT NULL;
  CREATE INDEX object_refused ON object (exchange_id) WHERE refusal IS NOT NULL;
  CREATE TABLE presence (
    object_id BIGINT NOT NULL, scope_id BIGINT NOT NULL, listing BIGINT NOT NULL, PRIMARY KEY (object_id, scope_id));
  CREATE TABLE context (
    exchange_id BIGINT NOT NULL, object_id TEXT NOT NULL, kind TEXT NOT NULL,
    version TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (exchange_id, object_id));
  CREATE TABLE relation (
    exchange_id BIGINT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
    relation TEXT NOT NULL, object_id TEXT NOT NULL, PRIMARY KEY (exchange_id, source, target, object_id));
  CREATE INDEX relation_target ON relation (exchange_id, target);
  CREATE INDEX relation_object ON relation (exchange_id, object_id);
  CREATE TABLE entry (
    id BIGINT PRIMARY KEY, type BIGINT NOT NULL, value TEXT NOT NULL, crowded BIGINT NOT NULL DEFAULT 0,
    hit_day BIGINT);
  CREATE UNIQUE INDEX entry_once ON entry (type, md5(value));
  CREATE INDEX entry_value ON entry USING hash (value);
  CREATE TABLE contribution (
    entry_id BIGINT NOT NULL, object_id BIGINT NOT NULL, since BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (entry_id, object_id));
  CREATE INDEX contribution_object ON contribution (object_id);
  CREATE TABLE siem (
    id BIGINT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, active BIGINT NOT NULL,
    fingerprint TEXT NOT NULL, containers TEXT NOT NULL, facts TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT 'null', adopted_at BIGINT, last_success BIGINT, last_failure BIGINT,
    failing_since BIGINT, failure TEXT, drift BIGINT NOT NULL DEFAULT 0, repaired_at BIGINT, marked BIGINT,
    list_again BIGINT, UNIQUE (name));
  CREATE TABLE projection (
    siem_id BIGINT NOT NULL, entry_id BIGINT NOT NULL, wanted BIGINT NOT NULL, wanted_rev BIGINT NOT NULL,
    content BIGINT NOT NULL, vouchers BIGINT NOT NULL DEFAULT 0, until BIGINT, due BIGINT, present BIGINT NOT NULL,
    rev BIGINT NOT NULL, state BIGINT NOT NULL, cause BIGINT NOT NULL, since BIGINT NOT NULL, sent_rev BIGINT, batch BIGINT,
    attempt BIGINT NOT NULL DEFAULT 0, next_at BIGINT, slot TEXT, handle TEXT, note TEXT,
    code TEXT, hold BIGINT, hold_kind BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (siem_id, entry_id));
  CREATE INDEX projection_work ON projection (siem_id, state, entry_id) WHERE state <> 0;
  CREATE INDEX projection_due ON projection (due) WHERE due IS NOT NULL;
  CREATE INDEX projection_slot ON projection USING hash (slot) WHERE slot IS NOT NULL;
  CREATE INDEX projection_hold ON projection (hold, entry_id) WHERE hold IS NOT NULL;
  CREATE INDEX projection_parked ON projection (siem_id, entry_id) WHERE state = 6;
  CREATE TABLE tally (
    owner TEXT NOT NULL, name TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (owner, name));
  CREATE TABLE brake (
    siem_id BIGINT NOT NULL, exchange_id BIGINT NOT NULL, kind TEXT NOT NULL, minute BIGINT NOT NULL,
    n BIGINT NOT NULL, PRIMARY KEY (siem_id, exchange_id, kind, minute));
  CREATE TABLE hold (
    id BIGINT PRIMARY KEY, kind TEXT NOT NULL, siem_id BIGINT NOT NULL, exchange_id BIGINT NOT NULL,
    created BIGINT NOT NULL, reason TEXT NOT NULL, decided BIGINT, decision TEXT,
    decided_by TEXT, decision_reason TEXT, entries BIGINT NOT NULL DEFAULT 0, sum BIGINT);
  CREATE TABLE suppression (
    id BIGINT PRIMARY KEY, type BIGINT NOT NULL, value TEXT NOT NULL, created BIGINT NOT NULL, until BIGINT NOT NULL,
    reason TEXT NOT NULL, made_by TEXT NOT NULL, lifted BIGINT, review BIGINT);
  CREATE INDEX suppression_value ON suppression USING hash (value);
  CREATE TABLE request (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, made_by TEXT NOT NULL,
    schema BIGINT NOT NULL, digest TEXT, created BIGINT NOT NULL, expires BIGINT NOT NULL, claimed BIGINT,
    finished BIGINT, outcome TEXT);
  CREATE TABLE hit_source (
    siem_id BIGINT, cursor TEXT, last_success BIGINT, last_failure BIGINT, failing_since BIGINT,
    failure TEXT, idle TEXT, PRIMARY KEY (siem_id));
  CREATE TABLE hit_seen (
    siem_id BIGINT NOT NULL, hash TEXT NOT NULL, day BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (siem_id, hash));
  CREATE INDEX hit_seen_day ON hit_seen (day);
  CREATE TABLE outbox (
    id BIGINT PRIMARY KEY, exchange_id BIGINT NOT NULL, object_id BIGINT NOT NULL, start BIGINT NOT NULL, kind BIGINT NOT NULL,
    uuid TEXT NOT NULL, state BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, n BIGINT NOT NULL,
    modified BIGINT NOT NULL, latest BIGINT NOT NULL, rule BIGINT, reason TEXT NOT NULL, since BIGINT NOT NULL,
    due BIGINT NOT NULL, attempt BIGINT NOT NULL DEFAULT 0, sending BIGINT, sent BIGINT, sent_at BIGINT, receipt TEXT,
    approved BIGINT, rejected BIGINT NOT NULL DEFAULT 0, decided_by TEXT, decision_reason TEXT,
    UNIQUE (exchange_id, object_id, start, kind));
  CREATE INDEX outbox_due ON outbox (exchange_id, due) WHERE state = 0;
  CREATE INDEX outbox_uuid ON outbox (uuid);
  CREATE INDEX outbox_object ON outbox (object_id);
  CREATE INDEX outbox_held ON outbox (since) WHERE state = 1;
  CREATE INDEX outbox_receipt ON outbox (exchange_id, receipt) WHERE receipt IS NOT NULL;
  CREATE TABLE sweep (
    kind TEXT NOT NULL, owner BIGINT NOT NULL, subject TEXT NOT NULL, position TEXT NOT NULL,
    argument TEXT NOT NULL, done BIGINT NOT NULL, since BIGINT NOT NULL, turn BIGINT NOT NULL,
    PRIMARY KEY (kind, owner, subject));
  CREATE INDEX sweep_turn ON sweep (turn);
  CREATE TABLE unexplained (
    exchange_id BIGINT NOT NULL, marking_id TEXT NOT NULL, object_id BIGINT NOT NULL,
    PRIMARY KEY (exchange_id, marking_id, object_id));
  CREATE INDEX unexplained_object ON unexplained (object_id);
  CREATE TABLE doubt (
    siem_id BIGINT NOT NULL, type BIGINT NOT NULL, value TEXT NOT NULL, look_at BIGINT NOT NULL,
    ends BIGINT NOT NULL DEFAULT 0);
  CREATE UNIQUE INDEX doubt_once ON doubt (siem_id, type, md5(value));
  CREATE INDEX doubt_due ON doubt (siem_id, look_at);
  CREATE TABLE hold_past (
    hold_id BIGINT NOT NULL, revision BIGINT NOT NULL, at BIGINT NOT NULL, entries BIGINT NOT NULL, sum BIGINT NOT NULL,
    PRIMARY KEY (hold_id, revision));
  CREATE TABLE outbox_past (
    outbox_id BIGINT NOT NULL, code TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (outbox_id, code));
  CREATE TABLE hit (
    entry_id BIGINT NOT NULL, start BIGINT NOT NULL, verdict BIGINT NOT NULL, siem_id BIGINT NOT NULL, part BIGINT NOT NULL,
    first BIGINT NOT NULL, last BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (entry_id, start, verdict, siem_id, part));
  CREATE INDEX hit_start ON hit (start);
  CREATE TABLE unreadable (
    id BIGINT PRIMARY KEY, exchange_id BIGINT NOT NULL, object_id TEXT NOT NULL, reason TEXT NOT NULL,
    facts TEXT NOT NULL, seen BIGINT NOT NULL, UNIQUE (exchange_id, object_id));
  CREATE INDEX unreadable_seen ON unreadable (seen);
  CREATE TABLE named (
    digest BIGINT NOT NULL, kind BIGINT NOT NULL, ref BIGINT NOT NULL, PRIMARY KEY (digest, kind, ref));
  CREATE INDEX named_ref ON named (kind, ref);
  CREATE TABLE let_in (
    siem_id BIGINT NOT NULL, entry_id BIGINT NOT NULL, PRIMARY KEY (siem_id, entry_id));
  CREATE TABLE history (
    id BIGINT PRIMARY KEY, kind TEXT NOT NULL, role TEXT NOT NULL, subject TEXT NOT NULL,
    at BIGINT NOT NULL, until BIGINT, counts TEXT NOT NULL, detail TEXT NOT NULL, seq BIGINT);
  CREATE INDEX history_kind ON history (kind, role, subject, id);
  CREATE INDEX history_at ON history (at);
`;

/** What hangs on a row goes with it, and a request is told of at once. */
const TRIGGERS = `
  CREATE FUNCTION object_gone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM named WHERE kind = 0 AND ref = OLD.id; RETURN NULL; END $$;
  CREATE TRIGGER object_gone AFTER DELETE ON object FOR EACH ROW EXECUTE FUNCTION object_gone();
  CREATE FUNCTION unreadable_gone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM named WHERE kind = 1 AND ref = OLD.id; RETURN NULL; END $$;
  CREATE TRIGGER unreadable_gone AFTER DELETE ON unreadable FOR EACH ROW EXECUTE FUNCTION unreadable_gone();
  CREATE FUNCTION request_told() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('entente_' || TG_TABLE_SCHEMA, ''); RETURN NULL; END $$;
  CREATE TRIGGER request_told AFTER INSERT ON request FOR EACH STATEMENT EXECUTE FUNCTION request_told();
  -- As SQLite gives an id where none is given: the highest and one more. A sequence would count what was rolled back, and
  -- ids of exchanges are places in a set of bits.
  CREATE FUNCTION next_id() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN EXECUTE format('SELECT coalesce(max(id), 0) + 1 FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO NEW.id; RETURN NEW; END $$;
`;

/** Tables whose rows are inserted without an id. A later one gives its ids itself (row-ids.ts). */
const NUMBERED_HERE = ['exchange', 'siem', 'scope', 'unreadable'] as const;
const numbered = (table: string): string =>
  `CREATE TRIGGER next_id BEFORE INSERT ON ${table} FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION next_id();`;

/** Where SQLite's words for a step do not do here. By the version that the step brings. */
const OWN: Readonly<Record<number, string>> = {};

/** The whole of it, for a new state: what brings it to BASE_VERSION, then the later steps. */
export function stepsFrom(version: number): readonly { readonly version: number; readonly sql: string }[] {
  const later = MIGRATIONS.map((sql, i) => ({ version: i + 1, sql: OWN[i + 1] ?? '', from: sql }))
    .filter((one) => one.version > Math.max(version, BASE_VERSION))
    .map(({ version: brings, sql, from }) => ({ version: brings, sql: sql === '' ? migrationToPostgres(from) : sql }));
  return version === 0 ? [{ version: BASE_VERSION, sql: collated(BASE) + TRIGGERS + ids(BASE) }, ...later] : later;
}

const collated = (sql: string): string => sql.replace(/\bTEXT\b/g, 'TEXT COLLATE "C"');
const ids = (sql: string): string =>
  NUMBERED_HERE.filter((table) => sql.includes(`CREATE TABLE ${table} (`))
    .map(numbered)
    .join('\n');
