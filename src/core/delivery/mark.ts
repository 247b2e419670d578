// Our mark in the SIEM: read to learn who writes there (writer.ts judges that), written before anything is written that
// it does not tell of yet, renewed while nothing happens, and given back at a clean stop.
import type { WriterMark } from '../contracts/siem-connector.ts';
import type { Target } from './target.ts';
import { GIVEN_BACK, judgeWriter, RENEW_AFTER_MS, type WriterVerdict } from './writer.ts';

export interface Claimant {
  readonly boot: string;
  /** A person said that the other writer is gone for good. */
  readonly takeOver?: boolean;
}

export class OwnMark {
  readonly #target: Target;
  readonly #self: Claimant;
  /** True once this process wrote its own mark there. */
  #written = false;
  #writtenAt: number | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  /** The mark says that up to this revision may have been written. */
  #upTo = 0;
  /** The checkpoint that was read in the mark last. */
  #comparedRecord: string | undefined;

  constructor(target: Target, self: Claimant) {
    this.#target = target;
    this.#self = self;
  }

  get written(): boolean {
    return this.#written;
  }

  async judge(signal: AbortSignal): Promise<{ verdict: WriterVerdict; found: WriterMark | undefined }> {
    const { store, connector, name } = this.#target;
    const now = this.#target.now();
    const { writer, revision, openedRevision } = await store.identity();
    const { marked } = await store.siemFacts(name);
    const found = await connector.writer(undefined, signal);
    await this.#compareRecord(found?.checkpoint);
    // Revisions follow the clock, so that this state's newest one says nothing of its age; the mark it wrote last does.
    const known = this.#written ? revision : (marked ?? openedRevision);
    const self = {
      writer,
      boot: this.#self.boot,
      revision: known,
      marked: this.#written,
      ...(this.#writtenAt === undefined ? {} : { markedAt: this.#writtenAt }),
      openedRevision,
      takeOver: this.#self.takeOver,
    };
    return { verdict: judgeWriter(found, self, now), found };
  }

  async write(signal: AbortSignal): Promise<void> {
    const { store, connector, name, now } = this.#target;
    const { revision, ...marking } = await store.marking(name, now());
    const mark: WriterMark = { ...marking, boot: this.#self.boot, revision, at: now() };
    await connector.writer(mark, signal);
    this.#written = true;
    this.#renewedAt = mark.at;
    this.#writtenAt = mark.at;
    this.#upTo = revision;
  }

  /** Before anything of that revision is written: an older state that is put back then knows that it is older. */
  async writeFor(revision: number, signal: AbortSignal): Promise<void> {
    if (revision > this.#upTo) await this.write(signal);
  }

  /** While nothing else is written the mark tells that somebody is here. */
  async renewWhenOld(signal: AbortSignal): Promise<void> {
    if (!this.#written || this.#target.now() - this.#renewedAt >= RENEW_AFTER_MS) await this.write(signal);
  }

  renewSoon(): void {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
  }

  /** Whoever comes next need not wait until the mark is old. */
  async giveBack(signal: AbortSignal): Promise<void> {
    if (!this.#written) return;
    const { store, connector, name, now } = this.#target;
    const { boot } = this.#self;
    const found = await connector.writer(undefined, signal);
    if (found?.writer !== (await store.identity()).writer || found.boot !== boot) return;
    await connector.writer({ ...(await store.marking(name, now())), boot, at: GIVEN_BACK }, signal);
    this.#written = false;
  }

  /** What the mark says was signed: a record that this state does not have tells that an older one was put back. */
  async #compareRecord(checkpoint: string | undefined): Promise<void> {
    if (checkpoint === undefined || checkpoint === this.#comparedRecord) return;
    const { store, name, now, log } = this.#target;
    const lost = await store.foundCheckpoint(name, checkpoint, now());
    this.#comparedRecord = checkpoint;
    if (lost > 0)
      log.error('This state is older than the record of it that was signed; the record says so from now on.', {
        siem: name,
      });
  }
}
