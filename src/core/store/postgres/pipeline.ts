// Several prepared statements in one message, with one answer: a journey to the server is paid once, however many of them
// there are. The server stops at the first that fails.
import type { Step, Result, Rows } from './messages.ts';

/** What is used of pg's connection. */
export interface Wire {
  readonly stream: { cork?(): void; uncork?(): void; destroy(): void };
  parse(given: { name: string; text: string; types: readonly number[] }): void;
  bind(given: { portal: string; statement: string; values: readonly (string | null)[]; binary: boolean }): void;
  describe(given: { type: 'P'; name: string }): void;
  execute(given: { portal: string; rows: number }): void;
  sync(): void;
  on(event: 'parseComplete', listener: () => void): void;
  off(event: 'parseComplete', listener: () => void): void;
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}

/** int2, int4, int8, float4, float8, numeric: what is counted fits into a number of JavaScript. */
const NUMBERS: ReadonlySet<number> = new Set([21, 23, 20, 700, 701, 1700]);
const BOOLEAN = 16;

/** One `Submittable` of pg. */
export class Pipeline {
  readonly #steps: readonly Step[];
  readonly #prepared: Set<string>;
  readonly #resolve: (results: Result[]) => void;
  readonly #reject: (error: Error) => void;
  readonly #results: Result[] = [];
  readonly #parsing: string[] = [];
  #fields: readonly Field[] = [];
  #values: (string | number | null)[] = [];
  #parsed: (() => void) | undefined;

  constructor(
    steps: readonly Step[],
    prepared: Set<string>,
    resolve: (results: Result[]) => void,
    reject: (error: Error) => void,
  ) {
    this.#steps = steps;
    this.#prepared = prepared;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(wire: Wire): void {
    this.#parsed = () => {
      const name = this.#parsing.shift();
      if (name !== undefined) this.#prepared.add(name);
    };
    wire.on('parseComplete', this.#parsed);
    const sent = new Set(this.#prepared);
    wire.stream.cork?.();
    for (const { name, sql, types, values, wants } of this.#steps) {
      if (!sent.has(name)) {
        sent.add(name);
        this.#parsing.push(name);
        wire.parse({ name, text: sql, types });
      }
      wire.bind({ portal: '', statement: name, values, binary: false });
      if (wants === 'rows') wire.describe({ type: 'P', name: '' });
      wire.execute({ portal: '', rows: 0 });
    }
    wire.sync();
    wire.stream.uncork?.();
  }

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    this.#fields = fields;
    this.#values = [];
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    for (let i = 0; i < fields.length; i++) {
      const text = fields[i]!;
      const type = this.#fields[i]?.dataTypeID ?? 0;
      if (text === null) this.#values.push(null);
      else if (NUMBERS.has(type)) this.#values.push(Number(text));
      // SQLite knows no booleans: a comparison is 1 or 0.
      else if (type === BOOLEAN) this.#values.push(text === 't' ? 1 : 0);
      else this.#values.push(text);
    }
  }

  handleCommandComplete({ text }: { text: string }): void {
    const step = this.#steps[this.#results.length];
    if (step?.wants === 'rows') {
      this.#results.push({ columns: this.#fields.map((one) => one.name), values: this.#values } satisfies Rows);
      this.#fields = [];
      this.#values = [];
    } else {
      this.#results.push(Number(/ (\d+)$/.exec(text)?.[1] ?? 0));
    }
  }

  handleEmptyQuery(): void {
    this.#results.push(0);
  }

  handlePortalSuspended(): void {}

  handleReadyForQuery(wire: Wire): void {
    this.#leave(wire);
    this.#resolve(this.#results);
  }

  handleError(error: Error, wire: Wire): void {
    this.#leave(wire);
    this.#reject(Object.assign(error, { step: this.#results.length }));
  }

  #leave(wire: Wire): void {
    if (this.#parsed !== undefined) wire.off('parseComplete', this.#parsed);
    this.#parsed = undefined;
  }
}
