// The notes of an entry: a first part for us (owner mark, writer, revision, expiry, and which letters were upper
// case before the set folded them), then what an analyst needs. The same text stands in `source` on consoles
// that know no notes.
import { type Claim, type Entry, labelsOf } from '../../../core/model/entry.ts';

export interface Mark {
  readonly owner: string;
  readonly writer: string;
  readonly revision: number;
  readonly until: number;
  /** Letters to raise again, one bit per character. */
  readonly raised?: string;
}

export function writeNotes(mark: Mark, entry: Entry, maxLength: number): string {
  const raised = mark.raised === undefined ? '' : ` case=${mark.raised}`;
  const head = `${mark.owner} writer=${mark.writer} revision=${mark.revision} until=${mark.until}${raised};`;
  let text = head;
  // Whole facts only: half an id is worse than none. The first part always stays whole.
  for (const fact of facts(entry)) if (text.length + fact.length + 1 <= maxLength) text += ` ${fact}`;
  return text;
}

/** Rows of the classic API carry the whole notes in `source`; after an upgrade they are met through the other one. */
function isOwnSource(source: string | null, owner: string): boolean {
  return source === owner || (source?.startsWith(`${owner} `) ?? false);
}

/** Somebody else's daemon, whatever stands in the notes. */
const OTHER_OWNER = /^entente:[a-z0-9-]+( |$)/;

/**
 * Ours by either mark. The console writes its own name into `source` when an entry is changed by id, and analysts write
 * over it; the head of the notes still says whose row it is.
 */
export function isOurs(row: { readonly source: string | null; readonly notes: string | null }, owner: string): boolean {
  if (isOwnSource(row.source, owner)) return true;
  return !OTHER_OWNER.test(row.source ?? '') && row.notes?.startsWith(`${owner} `) === true;
}

/** Our part of a row, in the notes or, from the classic API, in `source`. */
export function readMark(row: { readonly source: string | null; readonly notes: string | null }): Mark | undefined {
  return readNotes(row.notes) ?? readNotes(row.source);
}

const PATTERN = /^(entente:[a-z0-9-]+) writer=(\S+) revision=(\d+) until=(\d+)(?: case=([\w-]+))?;/;

/** Undefined for notes that are not ours, or that somebody wrote over. */
export function readNotes(notes: string | null | undefined): Mark | undefined {
  const match = PATTERN.exec(notes ?? '');
  if (match === null) return undefined;
  const [, owner = '', writer = '', revision, until, raised] = match;
  return {
    owner,
    writer,
    revision: Number(revision),
    until: Number(until),
    ...(raised === undefined ? {} : { raised }),
  };
}

function facts(entry: Entry): string[] {
  const { claims } = entry;
  const out = [`TLP:${entry.tlp.toUpperCase()}`, `expires ${new Date(entry.until).toISOString().slice(0, 16)}Z`];
  if (entry.confidence !== undefined) out.push(`confidence ${entry.confidence}`);
  for (const claim of claims) out.push(`${claim.objectId} (${claim.exchange})`);
  const add = (label: string, pick: (claim: Claim) => readonly string[]): void => {
    const texts = [...new Set(claims.flatMap(pick))];
    if (texts.length > 0) out.push(`${label}: ${texts.join(', ')}`);
  };
  const one = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text]);
  add('name', (claim) => one(claim.facts.name));
  add('threat', (claim) => claim.threats ?? []);
  add('types', (claim) => claim.facts.types ?? []);
  const labels = [...new Set(labelsOf(entry))];
  if (labels.length > 0) out.push(`labels: ${labels.join(', ')}`);
  add('by', (claim) => one(claim.provider));
  return out.map((text, i) => (i === out.length - 1 ? text : `${text};`));
}

/** Which letters of `value` a folding set will lower, as base64url bits. Undefined when it lowers none. */
export function raisedLetters(value: string): string | undefined {
  if (value === value.toLowerCase()) return undefined;
  const bits = Buffer.alloc(Math.ceil(value.length / 8));
  for (let i = 0; i < value.length; i += 1)
    if (value[i] !== value[i]?.toLowerCase()) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
  return bits.toString('base64url');
}

export function raise(stored: string, raised: string | undefined): string {
  if (raised === undefined) return stored;
  const bits = Buffer.from(raised, 'base64url');
  let out = '';
  for (let i = 0; i < stored.length; i += 1) {
    const letter = stored[i] ?? '';
    out += ((bits[i >> 3] ?? 0) >> (i & 7)) & 1 ? letter.toUpperCase() : letter;
  }
  return out;
}
