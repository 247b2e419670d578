// The configuration as core reads it, checked and with its defaults.
import type { ExchangeDefinition } from '../contracts/exchange-connector.ts';
import type { PeerSettings } from '../contracts/settings.ts';
import type { SiemDefinition } from '../contracts/siem-connector.ts';
import type { Identity } from '../model/sighting.ts';
import type { Secret } from '../runtime/secret.ts';
import type { Address } from './listen.ts';
import type { OwnSettings } from './settings/never-block.ts';
import type { ExchangeCommon, SiemCommon } from './settings/peers.ts';
import type { Policy } from './settings/policy.ts';
import type { ReleaseRule, SightingSettings } from './settings/sharing.ts';
import type { Problem } from './source.ts';
import type { StateServer } from './state-place.ts';

/** What core reads of any exchange; `settings` is the whole parsed object for `definition.create`. */
export interface ExchangeConfig extends ExchangeCommon {
  readonly type: string;
  readonly peer: PeerSettings;
  /** Its URLs; none for an exchange that reads files. */
  readonly urls: readonly string[];
  readonly definition: ExchangeDefinition;
  /** Takes our sightings. */
  readonly reports: boolean;
  readonly settings: { readonly type: string };
}

export interface SiemConfig extends SiemCommon {
  readonly type: string;
  readonly peer: PeerSettings;
  readonly urls: readonly string[];
  readonly definition: SiemDefinition;
  readonly settings: { readonly type: string };
}

interface ListenConfig extends Address {
  readonly token?: Secret;
  /** Further names under which a Host header is accepted. */
  readonly hosts: readonly string[];
}

/** The record of what was done. Paths are absolute. */
interface AuditSettings {
  readonly level: 'counts' | 'values';
  readonly keyFile: string;
  readonly checkpoints: string;
  readonly checkpointMs: number;
}

export interface Config {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  readonly instance: string;
  /** Absolute path of the state file; what people know the state by where a server keeps it. */
  readonly state: string;
  readonly server?: StateServer;
  readonly listen: ListenConfig;
  readonly log: { readonly level: 'error' | 'warn' | 'info' | 'debug'; readonly format: 'json' | 'text' };
  readonly proxy?: string;
  /** Longest wait that a peer may ask for with Retry-After. */
  readonly retryAfterCapMs: number;
  readonly exchanges: readonly ExchangeConfig[];
  readonly siems: readonly SiemConfig[];
  readonly policy: Policy;
  /** Our own ground. */
  readonly own: OwnSettings;
  readonly identity?: Identity;
  readonly release: readonly ReleaseRule[];
  readonly sightings: SightingSettings;
  readonly retention: {
    readonly gone_days: number;
    readonly hits_days: number;
    readonly sightings_days: number;
    readonly audit_values_days: number;
  };
  readonly audit: AuditSettings;
  /** Proxy settings of the environment, for peers that name none. */
  readonly proxyEnv: { readonly HTTP_PROXY?: string; readonly HTTPS_PROXY?: string; readonly NO_PROXY?: string };
  /** Epoch milliseconds at which a rehearsal's clock starts; see rehearsal.ts. */
  readonly clockStart?: number;
  /** The file as it was understood, without any secret: for commands while the file on disk is broken. */
  readonly understood: string;
  /** What is allowed and yet can hardly be meant. */
  readonly warnings: readonly Problem[];
}

/** `unused`: who only works on the state needs no secret of a peer, so that a missing one is no problem. */
export type Secrets = 'needed' | 'unused';
