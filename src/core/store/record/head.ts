// Where the log of the record ends: what the next record hangs on, as `meta` keeps it.
import { Frontier, type Hash } from '../../audit/tree.ts';

/** Under this name. */
export const HEAD = 'audit_head';

export interface Head {
  readonly size: number;
  readonly roots: readonly Hash[];
  /** Hash of the last record, in hex. */
  readonly last: string | null;
}

interface StoredHead {
  readonly size: number;
  readonly roots: readonly string[];
  readonly last: string | null;
}

/** Of a log without a record where nothing is kept. */
export function headOf(kept: string | undefined): Head {
  if (kept === undefined) return { size: 0, roots: [], last: null };
  // Written below.
  const { size, roots, last } = JSON.parse(kept) as StoredHead;
  return { size, roots: roots.map((one) => Buffer.from(one, 'hex')), last };
}

export const headText = ({ size, roots, last }: Head): string =>
  JSON.stringify({ size, roots: roots.map((one) => one.toString('hex')), last } satisfies StoredHead);

/** With one record more. */
export function grown(head: Head, hash: Hash): Head {
  const frontier = new Frontier(head.size, head.roots);
  frontier.append(hash);
  return { size: frontier.size, roots: frontier.roots, last: hash.toString('hex') };
}
