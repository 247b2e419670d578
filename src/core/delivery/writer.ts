// Who writes here? Every SIEM holds one small record of the last writer under our name. It tells a restart from a
// lost state, a restored backup and a twin, which all look alike from the ledger alone.
import type { WriterMark } from '../contracts/siem-connector.ts';

export const RENEW_AFTER_MS = 5 * 60_000;
const STALE_AFTER_MS = 15 * 60_000;

/** `at` of a mark whose writer stopped and gave its place back. */
export const GIVEN_BACK = 0;

export type WriterVerdict =
  | { readonly kind: 'mine' }
  /** A mark of an earlier life of this state landed behind ours, as a call of a killed process may: write ours again. */
  | { readonly kind: 'late' }
  /** List what stands there, raise the floor of revisions, take it over. */
  | { readonly kind: 'adopt'; readonly reason: string }
  /** Somebody else writes under our name now: no writes. */
  | { readonly kind: 'twin'; readonly reason: string; readonly freeAt?: number };

interface Self {
  readonly writer: string;
  readonly boot: string;
  readonly revision: number;
  /** True once this process wrote its own mark here. */
  readonly marked: boolean;
  /** `at` of that mark, and the revision this process began with. */
  readonly markedAt?: number;
  readonly openedRevision?: number;
  /** A person said that the other is gone for good. */
  readonly takeOver?: boolean | undefined;
}

export function judgeWriter(found: WriterMark | undefined, self: Self, now: number): WriterVerdict {
  if (found === undefined) {
    // Nobody wrote a mark, or an administrator removed it. What stands under our name is taken over either way.
    return self.marked
      ? { kind: 'adopt', reason: 'the writer mark is gone' }
      : { kind: 'adopt', reason: 'no writer mark yet' };
  }
  if (found.writer !== self.writer) {
    const age = now - found.at;
    const left = found.at === GIVEN_BACK;
    const other = `writer ${found.writer}${placeOf(found.boot)}`;
    if (self.marked || (age < STALE_AFTER_MS && self.takeOver !== true)) {
      const takeover = new Date(saneTime(found.at, now) + STALE_AFTER_MS).toISOString().slice(0, 16);
      const afterwards = self.marked
        ? ', then restart this one'
        : `; if it is gone for good, as after a lost state, this one takes over at ${takeover}Z by itself, or at once with entente run --take-over`;
      return {
        kind: 'twin',
        reason: `another Entente (${other}) of the same instance name wrote here ${left ? 'and stopped' : ago(age)}; two must not write under one name: stop it${afterwards}`,
        freeAt: saneTime(found.at, now) + STALE_AFTER_MS,
      };
    }
    const when = left ? 'and stopped since' : self.takeOver === true ? `${ago(age)}; a person took over` : ago(age);
    return { kind: 'adopt', reason: `the state that wrote here last (${other}, ${when}) is not this one` };
  }
  if (self.marked && found.boot !== self.boot) {
    if (isOfEarlierLife(found, self)) return { kind: 'late' };
    return {
      kind: 'twin',
      reason: `a copy of this state has started elsewhere${placeOf(found.boot)} and writes here; stop one of the two, then restart the other`,
    };
  }
  if (found.revision > self.revision)
    return { kind: 'adopt', reason: 'this state is older than what it wrote here: a restored backup' };
  return { kind: 'mine' };
}

/** Who runs now writes later times than ours, and revisions beyond those we began with. */
function isOfEarlierLife(found: WriterMark, { markedAt, openedRevision }: Self): boolean {
  if (markedAt === undefined || openedRevision === undefined) return false;
  return found.at <= markedAt && found.revision <= openedRevision;
}

/** Host and process stand behind the random part of `boot`. */
function placeOf(boot: string): string {
  const space = boot.indexOf(' ');
  return space < 0 ? '' : `, on ${boot.slice(space + 1, space + 121)}`;
}

/** A mark from beyond every clock counts as one of now. */
const saneTime = (at: number, now: number): number => Math.min(at, now + STALE_AFTER_MS);

function ago(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes <= 1
    ? 'within the last minute'
    : minutes < 120
      ? `${minutes} minutes ago`
      : `${Math.round(minutes / 60)} hours ago`;
}
