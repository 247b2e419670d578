// The ground all rows stand on: a folder, the servers that both sides of a pair share, and configurations.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startElasticsearch } from '../test/peers/elasticsearch.ts';
import { Cluster } from './cluster.ts';
import { server, side } from './process.ts';

export interface BenchOptions {
  readonly size: number | undefined;
  readonly rounds: number;
  /** A running Elasticsearch to use instead of starting one. */
  readonly elastic?: string;
  readonly note: (text: string) => void;
}

export interface Taxii {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly collection: string;
}

/** A running MISP server, as its announcement has it. */
export interface Misp {
  readonly url: string;
  readonly key: string;
}

export interface ConfigOptions {
  readonly taxii?: Taxii;
  /** In place of the TAXII server. */
  readonly misp?: Misp;
  /** A file or folder in its place. */
  readonly path?: string;
  /** Index names, one SIEM for each. */
  readonly indices: readonly string[];
  /** `shadow` plans and contacts no SIEM. */
  readonly mode: 'live' | 'shadow';
}

export class Bench {
  readonly rounds: number;
  readonly note: (text: string) => void;
  readonly #size: number | undefined;
  readonly #elastic: string | undefined;
  readonly #folder = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'entente-bench-'));
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #taxii = new Map<number, Promise<Taxii>>();
  readonly #ingested = new Map<string, Promise<string>>();
  #misp: Promise<Misp> | undefined;
  #cluster: Promise<Cluster> | undefined;
  #folders = 0;

  constructor(options: BenchOptions) {
    this.rounds = options.rounds;
    this.note = options.note;
    this.#size = options.size;
    this.#elastic = options.elastic;
  }

  /** How many indicators a row works with; `--size` scales all rows alike. */
  size(standard: number): number {
    return this.#size === undefined ? standard : Math.round((standard * this.#size) / 200_000);
  }

  /** Of a row whose size is what `--size` says. */
  given(standard: number): number {
    return this.#size ?? standard;
  }

  folder(): string {
    const path = join(this.#folder, String(++this.#folders));
    mkdirSync(path);
    return path;
  }

  /** A TAXII server in a process of its own with its objects ready as text. */
  taxii(count: number): Promise<Taxii> {
    let started = this.#taxii.get(count);
    if (started === undefined) {
      this.note(`starting a TAXII server with ${count} indicators`);
      started = this.#partner([String(count)]);
      this.#taxii.set(count, started);
    }
    return started;
  }

  /** The same with a feed of some days, all that became of its objects and the relationships included. */
  grown(aDay: number, days: number): Promise<Taxii> {
    this.note(`starting a TAXII server with ${days} days of ${aDay} indicators`);
    return this.#partner([String(aDay), String(days)]);
  }

  async #partner(args: readonly string[]): Promise<Taxii> {
    const running = await server('taxii-server', args);
    this.#closing.push(async () => void (await running.stop()));
    // Its announcement, made by taxii-server.ts beside this file.
    return running.said as unknown as Taxii;
  }

  /** A MISP server in a process of its own, with as many attributes that name the values of the TAXII server's indicators. */
  misp(count: number): Promise<Misp> {
    this.#misp ??= (async () => {
      this.note(`starting a MISP server with ${count} attributes`);
      const running = await server('misp-server', [String(count)]);
      this.#closing.push(async () => void (await running.stop()));
      // Its announcement, made by misp-server.ts beside this file.
      return running.said as unknown as Misp;
    })();
    return this.#misp;
  }

  cluster(): Promise<Cluster> {
    this.#cluster ??= (async () => {
      if (this.#elastic !== undefined) return new Cluster(this.#elastic);
      this.note('starting Elasticsearch');
      const peer = await startElasticsearch({ measured: true });
      this.#closing.push(() => peer.stop());
      return new Cluster(peer.url);
    })();
    return this.#cluster;
  }

  /** Writes a configuration beside a state that may be prepared; returns the path of the file. */
  async config(options: ConfigOptions, state?: string): Promise<string> {
    const folder = this.folder();
    if (state !== undefined) copyFileSync(state, join(folder, 'entente.db'));
    const { taxii } = options;
    const url = options.mode === 'live' ? (await this.cluster()).url : 'http://127.0.0.1:9';
    const file = join(folder, 'entente.yaml');
    writeFileSync(
      file,
      JSON.stringify({
        instance: 'bench',
        state: 'entente.db',
        listen: '127.0.0.1:0',
        log: { level: 'warn', format: 'json' },
        exchanges: [
          {
            name: 'partner',
            enabled: [taxii, options.misp, options.path].some((one) => one !== undefined),
            ...partnerOf(options),
            schedule: '0 0 1 1 *',
          },
        ],
        siems: options.indices.map((index) => ({
          name: index,
          type: 'elastic',
          url,
          index,
          clearance: 'red',
          mode: options.mode,
        })),
        policy: { never_block: { list_actions: { documentation: 'note' } } },
      }),
    );
    return file;
  }

  /** A state that holds the whole collection and has delivered nothing; made once, to be copied. */
  ingested(count: number, indices: readonly string[], mode: 'live' | 'shadow'): Promise<string> {
    const key = `${count} ${indices.join()} ${mode}`;
    let made = this.#ingested.get(key);
    if (made === undefined) {
      made = (async () => {
        this.note(`ingesting ${count} indicators for later rounds`);
        const file = await this.config({ taxii: await this.taxii(count), indices, mode });
        await side('ingest', [file], 'plain');
        return join(file, '..', 'entente.db');
      })();
      this.#ingested.set(key, made);
    }
    return made;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function partnerOf({ taxii, misp, path }: ConfigOptions): object {
  if (misp !== undefined) return { type: 'misp', url: misp.url, auth: { key: misp.key } };
  if (path !== undefined) return { type: 'files', path, settle_secs: 0 };
  return {
    type: 'taxii21',
    url: taxii?.url ?? 'http://127.0.0.1:9/',
    collections: [taxii?.collection ?? 'indicators'],
    auth: { username: taxii?.username ?? 'none', password: taxii?.password ?? 'none' },
  };
}
