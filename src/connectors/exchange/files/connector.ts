// The exchange as core sees it: every file of the folder that is due, one after the other, each accounted for. What is
// known of the files is the cursor, so that a file counts as read exactly when what it held is committed.
import { join } from 'node:path';
import type { ExchangeConnector, ExchangeDeps, Page, Reading } from '../../../core/contracts/exchange-connector.ts';
import type { Probe } from '../../../core/contracts/siem-connector.ts';
import { type ConnectorError, configFailure, retryable, toFailure } from '../../../core/model/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import type { FilesConfig } from './config.ts';
import { constants, disk as realDisk, type Disk, diskFailure } from './disk.ts';
import { DONE, type Found, type FoundFile, look, REFUSED, stampAt, type Unfit } from './folder.ts';
import { Memory } from './memory.ts';
import { moveAway } from './move.ts';
import { Outbox } from './outbox.ts';
import { Poll, refusedNames } from './poll.ts';
import { readFile } from './read-file.ts';
import { seeNumber } from './series.ts';

export interface Parts {
  readonly disk?: Disk;
  readonly pageObjects?: number;
}

export class FilesConnector implements ExchangeConnector {
  readonly #config: FilesConfig;
  readonly #deps: ExchangeDeps;
  readonly #disk: Disk;
  readonly #pageObjects: number | undefined;
  readonly #outbox: Outbox | undefined;
  readonly send?: NonNullable<ExchangeConnector['send']>;
  #closed = false;

  constructor(config: FilesConfig, deps: ExchangeDeps, parts: Parts = {}) {
    this.#config = config;
    this.#deps = deps;
    this.#disk = parts.disk ?? realDisk;
    this.#pageObjects = parts.pageObjects;
    const { outbox: folder, report_where_sighted: whereSighted } = config;
    const { identity } = deps;
    if (folder === undefined || identity === undefined) return;
    const outbox = new Outbox({ disk: this.#disk, folder, who: this.#who, identity, whereSighted });
    this.#outbox = outbox;
    this.send = (sightings, signal) => outbox.send(sightings, () => this.#check(signal));
  }

  async probe(_signal: AbortSignal): Promise<Probe> {
    try {
      const { root, files } = await this.#look();
      if (this.#moves) await this.#writable(root);
      const moved = this.#moves ? `; moves what was read into ${DONE}/ and ${REFUSED}/` : '';
      const reports = this.#outbox === undefined ? '' : `; ${await this.#outbox.probe()}`;
      const count = files.length === 1 ? '1 file' : `${files.length} files`;
      return { ok: true, message: `${this.#config.path}: ${count}${moved}${reports}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  async *pages(
    cursor: Json | undefined,
    signal: AbortSignal,
    reading?: Reading,
  ): AsyncGenerator<Page, void, undefined> {
    this.#check(signal);
    const scope = { scope: this.#config.path, title: this.#config.path };
    if (reading?.due(scope.scope) === false) return;
    const poll = new Poll(Memory.read(cursor), this.#config.path);
    const found = await this.#look();
    const moves = this.#moves && reading?.trial !== true;
    // Committed by an earlier poll that could not move them.
    if (moves) await this.#move(found, poll);
    for (const unfit of found.unfit) yield* this.#unfit(unfit, poll);
    for (const file of found.files) yield* this.#file(file, poll, signal);
    yield* this.#gone(found, poll);
    yield* poll.news();
    await reading?.committed?.();
    const failed = moves ? await this.#move(found, poll) : undefined;
    yield* poll.news();
    if (failed !== undefined && reading === undefined) throw failed;
    const { note } = poll;
    reading?.ended(scope, {
      ...(failed === undefined ? {} : { failure: toFailure(failed) }),
      ...(note === undefined ? {} : { note }),
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  get #moves(): boolean {
    return this.#config.after === 'move';
  }

  get #who(): string {
    return `exchange ${this.#deps.name}`;
  }

  async #look(): Promise<Found> {
    const { path, outbox } = this.#config;
    // What we wrote ourselves is not read.
    const besides = outbox === undefined ? undefined : await this.#disk.realpath(outbox).catch(() => outbox);
    const found = await look(this.#disk, path, this.#who, besides);
    if (besides === found.root)
      throw configFailure(`${this.#who}: outbox and path are one folder; name another, it may lie within path`);
    return found;
  }

  #check(signal: AbortSignal): void {
    if (this.#closed || signal.aborted) throw retryable(`${this.#who}: the work was stopped`);
  }

  async *#file(file: FoundFile, poll: Poll, signal: AbortSignal): AsyncGenerator<Page, void, undefined> {
    const { memory } = poll;
    const { name, stamp } = file;
    this.#check(signal);
    memory.series = seeNumber(memory.series, name);
    const known = memory.get(name);
    if (known?.stamp === stamp) {
      poll.back(name, known);
      return;
    }
    // The files of a rehearsal are as old as they are, whatever time it pretends.
    const now = systemClock.now();
    const settleMs = this.#config.settle_secs * 1000;
    if (Math.abs(now - file.written) < settleMs) {
      poll.waits(name);
      return;
    }
    const place = memory.place?.name === name ? memory.place : undefined;
    const stop = () => this.#check(signal);
    const ending = yield* readFile({
      disk: this.#disk,
      file,
      scope: this.#moves ? this.#config.path : name,
      states: !this.#moves,
      known,
      place,
      mended: refusedNames(name, known),
      fresh: this.#moves && Math.abs(now - file.changed) < settleMs,
      pageObjects: this.#pageObjects,
      stop,
      events: memory,
      within: (at) => poll.within(at),
      after: (end) => poll.after(name, stamp, end),
    });
    if (ending.kind !== 'accepted') {
      poll.ended(name, stamp, ending);
      if (ending.kind === 'refused') yield* this.#refused(name, ending.reason, ending.detail, poll);
      return;
    }
    const { objects, lines } = ending;
    const facts = { exchange: this.#deps.name, file: name, bytes: file.size, objects, refused_lines: lines.length };
    this.#deps.log.info('A file was read.', facts);
  }

  *#refused(name: string, reason: string, detail: string | undefined, poll: Poll): Generator<Page, void, undefined> {
    this.#deps.log.warn('A file is refused; the others are read.', {
      exchange: this.#deps.name,
      file: name,
      reason: detail === undefined ? reason : `${reason}: ${detail}`,
      next_action: 'ask the sender for it again; a file that changes is read again',
    });
    yield poll.page({ refusals: [{ objectId: name, reason, ...(detail === undefined ? {} : { name: detail }) }] });
  }

  *#unfit({ name, stamp, reason }: Unfit, poll: Poll): Generator<Page, void, undefined> {
    const known = poll.memory.get(name);
    if (known?.stamp === stamp && known.outcome === 'refused') return;
    poll.ended(name, stamp, { kind: 'refused', reason });
    yield* this.#refused(name, reason, undefined, poll);
  }

  /** What is known and not there any more. */
  *#gone(found: Found, poll: Poll): Generator<Page, void, undefined> {
    const { memory } = poll;
    const there = new Set([...found.files, ...found.unfit].map((one) => one.name));
    const gone = [...memory.names].filter((name) => !there.has(name));
    const withdraws = this.#config.vanished === 'withdraw' && !this.#moves;
    if (withdraws && gone.length > 0 && there.size === 0) {
      poll.notes.push('the folder is empty; nothing is withdrawn because of it');
      return;
    }
    const now = systemClock.now();
    for (const name of gone) {
      // It is among the names.
      const known = memory.get(name)!;
      const withdrawn = withdraws && known.outcome === 'accepted';
      // What is replaced in two steps comes back in a moment.
      if (withdrawn && known.goneSince === undefined) memory.set(name, { ...known, goneSince: now });
      else if (!withdrawn || now - (known.goneSince ?? now) >= this.#config.settle_secs * 1000) {
        memory.delete(name);
        const whole = withdrawn ? { scope: name, snapshotBegins: true, snapshotEnds: true } : {};
        yield poll.page({ ...whole, mended: refusedNames(name, known) });
      }
    }
  }

  /** Takes away what was committed. Returns why it could not. */
  async #move(found: Found, { memory }: Poll): Promise<ConnectorError | undefined> {
    let failed: ConnectorError | undefined;
    for (const one of [...found.files, ...found.unfit]) {
      const { name, stamp } = one;
      const known = memory.get(name);
      if (known?.stamp !== stamp) continue;
      // Another may have come under its name since; that one is read first.
      if ((await stampAt(this.#disk, join(found.root, name), 'path' in one)) !== stamp) continue;
      const to = known.outcome === 'accepted' ? DONE : REFUSED;
      try {
        await moveAway(this.#disk, found.root, name, to);
        memory.delete(name);
        memory.moved = { ...memory.moved, [known.outcome]: memory.moved[known.outcome] + 1 };
      } catch (error) {
        const what = `${this.#who}: ${join(found.root, to)}, where ${name} goes after it was read,`;
        failed ??= diskFailure(
          what,
          error,
          'it is not read again; make room and give the right to write there, or set after: remember',
        );
      }
    }
    return failed;
  }

  async #writable(root: string): Promise<void> {
    try {
      await this.#disk.access(root, constants.W_OK);
    } catch (error) {
      throw diskFailure(`${this.#who}: ${root}`, error, 'after: move needs the right to write there');
    }
  }
}
