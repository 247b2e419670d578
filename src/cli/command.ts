// What a command is, and what it is given. A command never ends the process: it returns an exit code.
import type { Config } from '../core/config/load.ts';
import type { Registry } from '../core/config/settings.ts';
import type { Environment } from '../core/config/source.ts';
import type { Output } from './output.ts';

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** Name of the value in the help: FILE, N. */
  readonly value?: string;
  readonly help: string;
}

export type FlagValue = string | boolean | readonly (string | boolean)[] | undefined;

/** hidden: what is typed is not shown. */
export type Ask = (question: string, how?: 'hidden') => Promise<string>;

export interface Context {
  readonly parts: Parts;
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly json: boolean;
  readonly out: Output;
  readonly env: Environment;
  /** --config, else $ENTENTE_CONFIG, else ./entente.yaml. */
  readonly configPath: string;
  /** Asks the person at the terminal; absent where nobody sits there. */
  readonly ask?: Ask;
  /** Aborts at SIGTERM, SIGINT, and when the launcher is gone. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly example: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Most words after the name; 0 unless said. More is wrong usage: `reconcile NAME --repair` must not mean all SIEMs. */
  readonly mostArgs?: number;
  /** What the first word after the name may be, for the completion of a shell; left out: anything. */
  readonly words?: readonly string[];
  /** Not shown in the list of commands. */
  readonly hidden?: boolean;
  run(context: Context): Promise<number>;
}

/** A command before it is asked for: what it needs is loaded then, so that none waits for what only others need. */
export interface NamedCommand {
  readonly name: string;
  load(): Promise<Command>;
}

export interface SimulatorStart {
  readonly port: number;
  readonly data?: string;
  readonly faults?: string;
  readonly tls: boolean;
  readonly seed?: string;
  readonly splunkVersion?: string;
  /** Newest API version of a simulated QRadar. */
  readonly apiVersion?: string;
}

/** What it prints once it listens (kind, url, credentials), and how it ends. */
export interface StartedSimulator {
  readonly line: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface PeerProbe {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

/** What the composition root joins to the frame. */
export interface Parts {
  readonly version: string;
  readonly registry: Registry;
  readonly simulators: Readonly<Record<string, (start: SimulatorStart) => Promise<StartedSimulator>>>;
  /** Contacts every peer and changes nothing there. */
  readonly probe?: (config: Config, signal: AbortSignal) => Promise<readonly PeerProbe[]>;
  /** Those that need more than the frame has. */
  readonly commands: readonly NamedCommand[];
}
