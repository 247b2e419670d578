// Goes through a whole record and tells whether it is what was written: each body by the chain, all of them by the tree, rows
// by their roots, and every checkpoint that can be found by its signature and its root. One record at a time, so that a
// million of them need no memory.
import { canonical } from './canonical.ts';
import { type Checkpoint, openNote, parseCheckpoint, textOf, type Verifier as Key, verifierOf } from './note.ts';
import { type RecordBody, recordHash, rowsRoot } from './record.ts';
import { Frontier } from './tree.ts';

export interface StoredRecord {
  readonly seq: number;
  readonly body: string;
  /** One row a line; null where none were kept, or they were pruned. */
  readonly lines: string | null;
}

export interface PlacedNote {
  /** A file, a SIEM, or this state. */
  readonly place: string;
  readonly note: string;
}

type ProblemKind = 'changed' | 'missing' | 'rows' | 'cut_off' | 'forked' | 'signature' | 'key';

export interface Problem {
  readonly kind: ProblemKind;
  /** The first record that is not what it should be, where it can be told. */
  readonly record: number | null;
  readonly says: string;
}

export interface Verdict {
  readonly sound: boolean;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly problems: readonly Problem[];
  /** What is to be known and is no fault: pruned rows, a state that was put back and taken up, a key that was replaced. */
  readonly notes: readonly string[];
  /** How many checkpoints agree. */
  readonly agreed: number;
  /** The largest of them. */
  readonly agreedSize: number;
  readonly keys: readonly string[];
}

/** What the key before signs when another takes its place. */
export const keyChange = (origin: string, previous: string, next: string): string =>
  `entente key change\n${origin}\n${previous}\n${next}\n`;

const MOST_PROBLEMS = 20;

interface Placed extends PlacedNote {
  readonly checkpoint: Checkpoint;
}

export class RecordVerifier {
  readonly #origin: string;
  readonly #prunedBelow: number;
  readonly #expected: { readonly size: number; readonly last: string | null } | undefined;
  readonly #frontier = new Frontier();
  /** By size, the smallest first. */
  readonly #waiting: Placed[];
  readonly #compared: { readonly placed: Placed; readonly root: string | undefined }[] = [];
  readonly #keys: Key[] = [];
  readonly #takenUp = new Set<string>();
  readonly #problems: Problem[] = [];
  readonly #notes: string[] = [];
  #seq = 0;
  #last: string | null = null;
  #lastBroken = false;
  #pruned = 0;
  #more = 0;

  /** `expected`: where this state itself says that its record ends. */
  constructor(
    origin: string,
    checkpoints: readonly PlacedNote[],
    given: {
      readonly prunedBelow: number;
      readonly expected?: { readonly size: number; readonly last: string | null };
    },
  ) {
    this.#origin = origin;
    this.#prunedBelow = given.prunedBelow;
    this.#expected = given.expected;
    this.#waiting = checkpoints
      .flatMap((one) => {
        const checkpoint = parseCheckpoint(textOf(one.note));
        if (checkpoint === undefined) {
          this.#problem('signature', null, `what stands in ${one.place} is no checkpoint`);
          return [];
        }
        if (checkpoint.origin === origin) return [{ ...one, checkpoint }];
        this.#notes.push(`the checkpoint in ${one.place} is of another record (${checkpoint.origin})`);
        return [];
      })
      .sort((a, b) => a.checkpoint.size - b.checkpoint.size);
    this.#compareUpTo(0);
  }

  /** In order. */
  add({ seq, body, lines }: StoredRecord): void {
    if (seq > this.#seq) this.#problem('missing', this.#seq, missing(this.#seq, seq));
    this.#seq = seq + 1;
    const read = bodyOf(body);
    const hash = recordHash(body);
    if (read === undefined) this.#problem('changed', seq, `record ${seq} is no record: its text was changed`);
    else {
      if (read.seq !== seq)
        this.#problem(
          'missing',
          seq,
          `record ${seq} says that it is ${read.seq}: records were removed or put in before it`,
        );
      else if (read.prev !== this.#last && !this.#lastBroken)
        this.#problem(
          'changed',
          Math.max(0, seq - 1),
          seq === 0
            ? 'record 0 says that there is one before it: the beginning was removed'
            : `record ${seq - 1} is not the one that record ${seq} follows: it was changed or put in, or one between them was removed`,
        );
      this.#rows(seq, read, lines);
      if (read.action === 'key') this.#key(seq, read);
      if (read.action === 'gap') this.#gap(seq, read, lines);
    }
    this.#lastBroken = read === undefined;
    this.#last = hash.toString('hex');
    this.#frontier.append(hash);
    this.#compareUpTo(this.#frontier.size);
  }

  end(): Verdict {
    const size = this.#frontier.size;
    const expected = this.#expected;
    if (expected !== undefined && expected.size > size)
      this.#problem(
        'cut_off',
        size,
        `${cut(size, expected.size)} cut off at the end: this state counted ${expected.size} records, ${size} are there`,
      );
    else if (expected !== undefined && (expected.size !== size || expected.last !== this.#last))
      this.#problem(
        'changed',
        Math.max(0, size - 1),
        `record ${Math.max(0, size - 1)}, the last one, is not the one that this state wrote last`,
      );
    for (const placed of this.#waiting) this.#compared.push({ placed, root: undefined });
    const agreed = this.#judge(size);
    if (this.#pruned > 0)
      this.#notes.push(
        `${this.#pruned} records below ${this.#prunedBelow} tell no values any more: they were pruned, and their roots stand`,
      );
    if (this.#more > 0) this.#notes.push(`${this.#more} more problems are not listed`);
    return {
      sound: this.#problems.length === 0,
      size,
      root: this.#frontier.root().toString('base64'),
      problems: this.#problems,
      notes: this.#notes,
      agreed: agreed.count,
      agreedSize: agreed.size,
      keys: this.#keys.map((one) => one.text),
    };
  }

  #problem(kind: ProblemKind, record: number | null, says: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ kind, record, says });
    else this.#more++;
  }

  #compareUpTo(size: number): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].checkpoint.size <= size)
      this.#compared.push({ placed: this.#waiting.shift()!, root: this.#frontier.root().toString('base64') });
  }

  #rows(seq: number, { rows_root: root }: RecordBody, lines: string | null): void {
    if (lines === null) {
      if (root === null) return;
      if (seq < this.#prunedBelow) this.#pruned++;
      else this.#problem('rows', seq, `the rows of record ${seq} are gone, and nothing pruned them`);
    } else if (root !== rowsRoot(lines.split('\n'))) {
      this.#problem('rows', seq, `the rows of record ${seq} were changed`);
    }
  }

  #key(seq: number, { detail }: RecordBody): void {
    const { key, previous, proof } = detail ?? {};
    const next = typeof key === 'string' ? verifierOf(key) : undefined;
    if (next === undefined) {
      this.#problem('key', seq, `record ${seq} names a key that is none`);
      return;
    }
    const before = this.#keys.at(-1);
    this.#keys.push(next);
    if ((before?.text ?? null) !== (previous ?? null))
      this.#problem('key', seq, `record ${seq} replaces another key than the one that was used`);
    else if (before !== undefined && typeof proof === 'string') {
      const text = openNote(proof, [before])?.text;
      if (text !== keyChange(this.#origin, before.text, next.text))
        this.#problem('key', seq, `the key that record ${seq} replaces did not sign the change`);
    } else if (before !== undefined) {
      this.#notes.push(
        `record ${seq} replaces a key that was lost, so that no signature of it stands under the change: what came before is proven by checkpoints that are kept elsewhere alone`,
      );
    }
  }

  #gap(seq: number, { detail }: RecordBody, lines: string | null): void {
    for (const line of lines?.split('\n') ?? []) {
      try {
        const { revision, object } = JSON.parse(line) as { revision: number; object: string };
        this.#takenUp.add(`${revision} ${object}`);
      } catch {
        // The rows do not fit their root, which was said.
      }
    }
    this.#notes.push(
      `record ${seq} says that an older state was put back: ${numberIn(detail?.['kept'])} records were there, and others had been signed up to ${numberIn(detail?.['lost_up_to'])}, which are lost`,
    );
  }

  #judge(size: number): { readonly count: number; readonly size: number } {
    let count = 0;
    let agreedSize = 0;
    let forked = false;
    const beyond: Placed[] = [];
    for (const { placed, root } of this.#compared) {
      const { checkpoint, place, note } = placed;
      const fits = root === checkpoint.root;
      if (!fits && this.#takenUp.has(`${checkpoint.size} ${checkpoint.root}`)) continue;
      if (openNote(note, this.#keys) === undefined) {
        this.#problem(
          'signature',
          null,
          `the checkpoint over ${checkpoint.size} records in ${place} is not signed by a key of this record`,
        );
      } else if (root === undefined) beyond.push(placed);
      else if (fits) {
        count++;
        agreedSize = checkpoint.size;
      } else if (!forked) {
        forked = true;
        const after = agreedSize === 0 ? '' : `the first ${agreedSize} are those that were signed, and `;
        this.#problem(
          'forked',
          agreedSize,
          `forked: ${after}between record ${agreedSize} and record ${checkpoint.size - 1} stands something else than what the checkpoint in ${place} was signed over`,
        );
      }
    }
    const last = beyond.at(-1);
    if (last !== undefined)
      this.#problem(
        'cut_off',
        size,
        `${cut(size, last.checkpoint.size)} missing at the end: the checkpoint in ${last.place} was signed over ${last.checkpoint.size} records, ${size} are there: they were cut off, or an older state was put back`,
      );
    return { count, size: agreedSize };
  }
}

const numberIn = (given: unknown): string => (typeof given === 'number' ? String(given) : '?');

const cut = (from: number, to: number): string =>
  to - from === 1 ? `record ${from} is` : `record ${from} and what follows it, ${to - from} in all, are`;

const missing = (from: number, to: number): string =>
  to - from === 1 ? `record ${from} is missing` : `records ${from} to ${to - 1} are missing`;

/** Undefined where it is not the canonical text of a record. */
function bodyOf(text: string): RecordBody | undefined {
  try {
    const read = JSON.parse(text) as RecordBody;
    return typeof read === 'object' && read !== null && canonical(read as never) === text ? read : undefined;
  } catch {
    return undefined;
  }
}
