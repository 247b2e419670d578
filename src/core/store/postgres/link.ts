// Asking a server without giving up the thread: the units are synchronous, so who asks sleeps until the thread of the
// connections (thread.ts) has an answer. One such thread serves all connections of a thread.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import {
  ANSWERS,
  type ConnectRequest,
  type Fault,
  LOSSES,
  NEWS,
  type Reply,
  type Request,
  type Result,
  type Start,
  type Step,
} from './messages.ts';

/** Built JavaScript, as in a package, has its thread beside it. */
const THREAD = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js';
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };
/** One statement may take that long; a server that is silent for longer is as good as gone. */
const LONGEST_MS = 600_000;
/** Characters of a statement that are told; none of its values is in it. */
const MOST_TOLD = 500;
/** Characters on their way that nobody waited for: more would only lie in memory. */
const MOST_AHEAD = 8_000_000;

/** The server, or the way to it, said no. Its words alone are for people; the statement is for who looks into it. */
export class ServerFault extends Error {
  override readonly name = 'ServerFault';
  readonly statement: string | undefined;
  readonly code: string | undefined;
  readonly lost: boolean;
  readonly step: number | undefined;

  constructor({ message, code, lost, step }: Fault, sql?: string) {
    super(message);
    this.statement = sql?.replace(/\s+/g, ' ').trim().slice(0, MOST_TOLD);
    this.code = code;
    this.lost = lost;
    this.step = step;
  }
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly signal: Int32Array;
  /** What was sent and nobody waits for. */
  readonly sent: Map<number, Sent>;
  users: number;
}

interface Sent {
  readonly by: Link;
  readonly steps: readonly Step[];
  readonly size: number;
}

let thread: Thread | undefined;
let lastConnection = 0;
let lastRequest = 0;

function joinThread(): Thread {
  if (thread === undefined) {
    const { port1, port2 } = new MessageChannel();
    const shared = new SharedArrayBuffer(12);
    const worker = new Worker(new URL(THREAD, import.meta.url), {
      workerData: { port: port2, shared } satisfies Start,
      transferList: [port2],
      resourceLimits: LIMITS,
      // pg would read places and passwords from variables that are not ours.
      env: {},
    });
    // It ends with who uses it, and keeps no process alive.
    worker.unref();
    port1.unref();
    thread = { worker, port: port1, signal: new Int32Array(shared), sent: new Map(), users: 0 };
  }
  thread.users++;
  return thread;
}

export class Link {
  readonly #thread: Thread;
  readonly #connection = ++lastConnection;
  #closed = false;
  #ahead = 0;
  #failed: ServerFault | undefined;

  constructor() {
    this.#thread = joinThread();
  }

  connect(to: ConnectRequest): void {
    this.forget();
    this.#request({ kind: 'connect', to }, to.timeoutMs + 5_000);
  }

  ask(steps: readonly Step[]): readonly Result[] {
    return this.#request({ kind: 'ask', steps }, LONGEST_MS, steps);
  }

  /**
   * The same, without waiting: the server works while the asker does. What fails is thrown by the next that is asked, before
   * anything else, and in a transaction nothing after it has an effect.
   */
  send(steps: readonly Step[], size: number): void {
    if (this.#ahead + size > MOST_AHEAD) {
      this.ask(steps);
      return;
    }
    const message = this.#message({ kind: 'ask', steps });
    this.#ahead += size;
    this.#thread.sent.set(message.id, { by: this, steps, size });
    this.#thread.port.postMessage(message);
  }

  /** What became of what was sent is of no interest any more. */
  forget(): void {
    for (const [id, { by }] of this.#thread.sent) if (by === this) this.#thread.sent.delete(id);
    this.#ahead = 0;
    this.#failed = undefined;
  }

  script(text: string): void {
    this.#request({ kind: 'script', text }, LONGEST_MS);
  }

  /** How much was heard of other connections. */
  get news(): number {
    return Atomics.load(this.#thread.signal, NEWS);
  }

  /** Goes up when a connection of this thread is lost. */
  get losses(): number {
    return Atomics.load(this.#thread.signal, LOSSES);
  }

  /** Sleeps. */
  pause(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  drop(): void {
    this.#thread.port.postMessage(this.#message({ kind: 'drop' }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.forget();
    this.drop();
    if (--this.#thread.users > 0) return;
    thread = undefined;
    this.#thread.port.close();
    void this.#thread.worker.terminate();
  }

  #noted({ id, fault }: Reply, { steps, size }: Sent): void {
    this.#thread.sent.delete(id);
    this.#ahead -= size;
    if (fault !== undefined) this.#failed ??= new ServerFault(fault, steps[fault.step ?? -1]?.sql);
  }

  #message(what: Without<Request>): Request {
    return { id: ++lastRequest, connection: this.#connection, ...what };
  }

  #request(what: Without<Request>, limitMs: number, steps: readonly Step[] = []): readonly Result[] {
    const { port, signal } = this.#thread;
    const message = this.#message(what);
    port.postMessage(message);
    for (;;) {
      const seen = Atomics.load(signal, ANSWERS);
      const received = receiveMessageOnPort(port) as { message: Reply } | undefined;
      if (received === undefined) {
        if (Atomics.wait(signal, ANSWERS, seen, limitMs) === 'timed-out') {
          this.drop();
          throw new ServerFault({ message: `no answer within ${limitMs / 1000} s`, lost: true });
        }
        continue;
      }
      // Answers to what was not waited for.
      if (received.message.id !== message.id) {
        const sent = this.#thread.sent.get(received.message.id);
        if (sent !== undefined) sent.by.#noted(received.message, sent);
        continue;
      }
      const { results, fault } = received.message;
      const failed = this.#failed ?? (fault && new ServerFault(fault, steps[fault.step ?? -1]?.sql));
      this.#failed = undefined;
      if (failed !== undefined) throw failed;
      return results ?? [];
    }
  }
}

type Without<R> = R extends Request ? Omit<R, 'id' | 'connection'> : never;
