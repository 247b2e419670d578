// What people and machines read: the answer on stdout, progress and notes on stderr. Tables fit the terminal,
// colour is for terminals without NO_COLOR, progress is a bar there and a plain line every few seconds elsewhere.
import { Writable } from 'node:stream';
import type { Clock } from '../core/runtime/clock.ts';
import { showingHidden } from '../core/model/text.ts';
import type { RootLog } from '../core/runtime/log.ts';
import { inTurns } from '../core/runtime/in-turns.ts';
import { tableLines } from './table.ts';

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';

export interface Output {
  line(text: string): void;
  json(value: unknown): void;
  /** An answer for machines that comes piece by piece. A reader that goes away meanwhile is heard of. */
  parts(pieces: Iterable<string>): Promise<void>;
  /** To stderr. */
  note(text: string): void;
  /** From now on what would be words on stderr are lines of such a log: machines read what a daemon says there. */
  asLog(make: ((stderr: Writable) => RootLog) | undefined): void;
  /** Why the command ends without having done its work. */
  failure(reason: string): void;
  /** What nobody caught. Resolves when the stream has it. */
  bug(error: unknown): Promise<void>;
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  colour(text: string, colour: Colour): string;
  /** `what` may change as it goes on. `ifLong`: work that ends within the first seconds is not spoken of. */
  progress(what: string | (() => string), when?: 'always' | 'ifLong'): Progress;
  /** That somebody else is at work, and for how long: to be ticked while it lasts. Short waits are not spoken of. */
  waiting(what: () => string): Waiting;
}

export interface Progress {
  /** So many are done in all. `of`, where it can be told: how many there are; asked for only when it is shown. */
  at(done: number, of?: () => number): void;
  end(): void;
}

export interface Waiting {
  tick(): void;
  end(): void;
}

const CODES: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 };
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

export function createOutput(
  stdout: Stream,
  stderr: Stream,
  env: { readonly [name: string]: string | undefined },
  clock: Clock,
): Output {
  const coloured = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  let log: RootLog | undefined;
  const say = (text: string) => void stderr.write(`${printable(text)}\n`);
  return {
    line: (text) => void stdout.write(`${printable(text)}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    parts: (pieces) => {
      function* written(): Generator<undefined, void> {
        for (const piece of pieces) {
          stdout.write(piece);
          yield;
        }
      }
      return inTurns(written(), clock);
    },
    note: (text) => {
      if (log === undefined) say(text);
      else log.warn('Something to know before the daemon runs.', { note: text });
    },
    asLog: (make) => {
      log = make?.(onto(stderr));
    },
    failure: (reason) => {
      if (log === undefined) say(reason);
      else log.error('Entente could not be started.', { reason });
    },
    async bug(error) {
      if (log === undefined)
        say(`entente: a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      else log.error('A bug ended the process.', { error });
      await log?.close();
    },
    table: (head, rows) => {
      const clean = (row: readonly string[]) => row.map((cell) => printable(cell).replaceAll('\n', ' '));
      const width = stdout.isTTY === true ? stdout.columns || 80 : undefined;
      const today = new Date(clock.now()).toISOString().slice(0, 10);
      for (const line of tableLines(head, rows.map(clean), width, today)) stdout.write(`${line}\n`);
    },
    colour: (text, colour) => (coloured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text),
    progress: (what, when = 'always') => startProgress(what, when, stderr, clock),
    waiting: (what) => startWaiting(what, stderr, clock),
  };
}

function onto(stream: Stream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      stream.write(chunk.toString('utf8'));
      done();
    },
  });
}

/** Text of partners and products must not move the cursor, nor look like another; our own colours are kept. */
function printable(text: string): string {
  return text
    .replace(/\p{Cc}(\[\d+m)?/gu, (found: string, colour: string | undefined) => {
      const kept = found === '\n' || found === '\t' || (found.startsWith('\u001b') && colour !== undefined);
      return kept ? found : `\ufffd${colour ?? ''}`;
    })
    .replace(UNSEEN, showingHidden);
}

const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;

/** A time for people: to the second, in UTC. Machines get the full one. */
export function when(iso: string): string;
export function when(iso: string | null | undefined): string | undefined;
export function when(iso: string | null | undefined): string | undefined {
  return iso?.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2Z');
}

/** One line that is painted over on a terminal, and a line every few seconds elsewhere. */
class Line {
  readonly #tty: boolean;
  readonly #stderr: Stream;
  readonly #clock: Clock;
  readonly #start: number;
  #shown: number;
  #said = false;

  constructor(stderr: Stream, clock: Clock, first: 'at once' | 'later') {
    this.#tty = stderr.isTTY === true;
    this.#stderr = stderr;
    this.#clock = clock;
    this.#start = clock.monotonic();
    this.#shown = this.#tty && first === 'at once' ? Number.NEGATIVE_INFINITY : this.#start;
  }

  get seconds(): number {
    return (this.#clock.monotonic() - this.#start) / 1000;
  }

  get columns(): number | undefined {
    return this.#tty ? this.#stderr.columns || 80 : undefined;
  }

  get said(): boolean {
    return this.#said;
  }

  due(): boolean {
    return this.#clock.monotonic() - this.#shown >= (this.#tty ? BAR_EVERY_MS : LINE_EVERY_MS);
  }

  show(text: string): void {
    this.#shown = this.#clock.monotonic();
    this.#said = true;
    // What a terminal breaks into two lines is not painted over.
    const { columns } = this;
    this.#stderr.write(columns === undefined ? `${text}\n` : `\r${text.slice(0, columns - 1)}\u001b[K`);
  }

  end(how: 'stays' | 'goes'): void {
    if (this.#tty && this.#said) this.#stderr.write(how === 'stays' ? '\n' : '\r\u001b[K');
  }
}

function startProgress(
  what: string | (() => string),
  when: 'always' | 'ifLong',
  stderr: Stream,
  clock: Clock,
): Progress {
  const line = new Line(stderr, clock, when === 'always' ? 'at once' : 'later');
  let last = 0;
  let total: number | undefined;
  const show = () => {
    const name = typeof what === 'string' ? what : what();
    line.show(progressText(name, last, total, line.seconds, line.columns));
  };
  return {
    at(done, of) {
      last = done;
      if (!line.due()) return;
      total = of?.();
      show();
    },
    end() {
      if (when === 'ifLong' && !line.said) return;
      if (total !== undefined) total = last;
      show();
      line.end('stays');
    },
  };
}

function startWaiting(what: () => string, stderr: Stream, clock: Clock): Waiting {
  const line = new Line(stderr, clock, 'later');
  return {
    tick: () => {
      if (line.due()) line.show(`${what()}  ${timeText(line.seconds)}`);
    },
    end: () => line.end('goes'),
  };
}

/** `Delivering  [#####-----]  50,000 of 100,000  12,500/s  4 s left`; the bar only where there is room for one. */
export function progressText(
  what: string,
  done: number,
  total: number | undefined,
  seconds: number,
  columns?: number,
): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const parts = [
    total === undefined ? done.toLocaleString('en') : `${done.toLocaleString('en')} of ${total.toLocaleString('en')}`,
    `${Math.round(rate).toLocaleString('en')}/s`,
  ];
  if (total !== undefined && rate > 0 && done < total) parts.push(`${timeText((total - done) / rate)} left`);
  const text = parts.join('  ');
  const room = columns === undefined ? 0 : Math.min(30, columns - what.length - text.length - 7);
  if (total === undefined || total === 0 || room < 10) return `${what}  ${text}`;
  const filled = Math.min(room, Math.floor((done / total) * room));
  return `${what}  [${'#'.repeat(filled)}${'-'.repeat(room - filled)}]  ${text}`;
}

/** A length of time for people. */
export function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
