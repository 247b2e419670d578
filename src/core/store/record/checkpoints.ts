// Signed states of the record: kept here, and compared with those that are found elsewhere, in a folder or a SIEM. One that
// this state cannot have signed tells that it was put back to an older one; taking that up is a record of its own.
import { briefOf, checkpointText, parseCheckpoint, textOf } from '../../audit/note.ts';
import { recordHash } from '../../audit/record.ts';
import { Frontier } from '../../audit/tree.ts';
import { ENTENTE } from './acts.ts';
import type { RecordKept } from './records.ts';

export interface AuditHead {
  readonly size: number;
  readonly root: string;
  /** Size of the newest checkpoint; 0: none. */
  readonly signed: number;
  readonly signedAt: number;
  /** Text of the key that signs, as the record names it. */
  readonly key: string | undefined;
}

/** A checkpoint as it was found somewhere. */
export interface FoundCheckpoint {
  /** A file, or a SIEM. */
  readonly place: string;
  readonly note: string;
}

export const AUDIT_KEY = 'audit_key';
/** Under which name the record is signed, for its whole life. */
export const AUDIT_ORIGIN = 'audit_origin';
const PAGE = 1000;

export class Checkpoints {
  readonly #store: RecordKept;

  constructor(store: RecordKept) {
    this.#store = store;
  }

  head(): AuditHead {
    const { db, records } = this.#store;
    const last = db.get<{ size: number; at: number }>(
      'SELECT size, at FROM audit_checkpoint ORDER BY size DESC LIMIT 1',
    );
    return {
      size: records.size,
      root: records.root(),
      signed: last?.size ?? 0,
      signedAt: last?.at ?? 0,
      key: this.#store.meta(AUDIT_KEY),
    };
  }

  /** The name of the record; `given`, where it has none yet. */
  origin(given: string): string {
    const known = this.#store.meta(AUDIT_ORIGIN);
    if (known === undefined) this.#store.setMeta(AUDIT_ORIGIN, given);
    return known ?? given;
  }

  /** The newest one in one line: size, root and signature. */
  newest(): string | undefined {
    const note = this.#store.db.get<{ note: string }>(
      'SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1',
    )?.note;
    return note === undefined ? undefined : briefOf(note);
  }

  /** `proof`: the change, signed by the key before; without it the key was lost, or is the first. */
  key(key: string, proof: string | undefined): void {
    const previous = this.#store.meta(AUDIT_KEY);
    if (previous === key) return;
    this.#store.setMeta(AUDIT_KEY, key);
    const origin = this.#store.meta(AUDIT_ORIGIN) ?? '';
    const detail = { origin, key, previous: previous ?? null, proof: proof ?? null };
    this.#store.records.act({ action: 'key', actor: ENTENTE, detail });
  }

  /** A checkpoint of what the record is at this size, or was. */
  keep(size: number, note: string, now: number): void {
    this.#store.db.run(
      'INSERT INTO audit_checkpoint (size, at, note) VALUES (?, ?, ?) ON CONFLICT (size) DO UPDATE SET at = excluded.at, note = excluded.note',
      size,
      now,
      note,
    );
  }

  /** Which of them are not of this record; they are named in a record. Said once. */
  compare(found: readonly FoundCheckpoint[]): number {
    const origin = this.#store.meta(AUDIT_ORIGIN);
    const known = new Set(this.#takenUp());
    const foreign = found.flatMap(({ place, note }) => {
      const checkpoint = parseCheckpoint(textOf(note));
      if (checkpoint === undefined || checkpoint.origin !== origin) return [];
      const { size, root } = checkpoint;
      const name = `${size} ${root}`;
      if (known.has(name) || this.#isOurs(size, root, checkpointText(checkpoint))) return [];
      known.add(name);
      return [{ place, size, root }];
    });
    if (foreign.length === 0) return 0;
    const { records } = this.#store;
    records.act({
      action: 'gap',
      actor: ENTENTE,
      detail: {
        says: 'this state was put back to an older one, or records were lost: these checkpoints were signed over others',
        kept: records.size,
        lost_up_to: Math.max(...foreign.map(({ size }) => size)),
      },
      rows: foreign.map(({ place, size, root }) => ({
        siem: place,
        op: 'lost' as const,
        key: null,
        revision: size,
        reason: 'a checkpoint over records that this state does not have',
        object: root,
        marking: null,
      })),
    });
    return foreign.length;
  }

  #takenUp(): string[] {
    return this.#store.db
      .all<{ lines: string }>("SELECT lines FROM audit_record WHERE action = 'gap' AND lines IS NOT NULL")
      .flatMap(({ lines }) => lines.split('\n'))
      .map((line) => {
        // Written above.
        const { revision, object } = JSON.parse(line) as { revision: number; object: string };
        return `${revision} ${object}`;
      });
  }

  #isOurs(size: number, root: string, text: string): boolean {
    const { db, records } = this.#store;
    if (size > records.size) return false;
    const kept = db.get<{ note: string }>('SELECT note FROM audit_checkpoint WHERE size = ?', size)?.note;
    if (kept !== undefined && textOf(kept) === text) return true;
    return (size === records.size ? records.root() : this.#rootAt(size)) === root;
  }

  /** Only where somebody kept a checkpoint that this state does not know. */
  #rootAt(size: number): string {
    const frontier = new Frontier();
    while (frontier.size < size) {
      const page = this.#store.db.all<{ body: string }>(
        'SELECT body FROM audit_record WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?',
        frontier.size,
        size,
        PAGE,
      );
      for (const { body } of page) frontier.append(recordHash(body));
      if (page.length === 0) return '';
    }
    return frontier.root().toString('base64');
  }
}
