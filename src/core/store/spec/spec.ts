// What the store is told about the configuration. Plain values: they cross to the worker's thread.
import type { Json } from '../../model/json.ts';
import type { ObservableType } from '../../model/observable.ts';
import type { BrakeSettings } from '../../policy/brakes.ts';
import type { ExpiryRules } from '../../policy/expiry.ts';
import type { IntakeRules } from '../../policy/intake.ts';
import type { Own } from '../../policy/never-block.ts';
import type { ReleaseRule } from '../../policy/release.ts';
import type { StatePlace } from '../sql/place.ts';

export interface ExchangeSpec {
  readonly name: string;
  readonly type: string;
  /** Settings the cursor belongs to; another fingerprint starts the next poll over. */
  readonly fingerprint: string;
  /** Left out: refuse. */
  readonly bareUrls?: 'refuse' | 'both_schemes';
}

export interface SiemSpec {
  readonly name: string;
  readonly type: string;
  /** Everything below that shapes wanted state; another fingerprint computes the projection anew. */
  readonly fingerprint: string;
  readonly settings: Json;
  /** Rules per exchange this SIEM listens to; an exchange that is not named here vouches for nothing there. */
  readonly rules: Readonly<Record<string, { readonly intake: IntakeRules; readonly lifetime: ExpiryRules }>>;
  /** Brakes per exchange it listens to. They shape no wanted state, so the fingerprint leaves them out. */
  readonly brakes: Readonly<Record<string, BrakeSettings>>;
  readonly observables: readonly ObservableType[];
  readonly maxEntries?: number;
  readonly refreshAfterDays?: number;
  /** See SiemDefinition. */
  readonly longestCallMs: number;
}

/** What may be reported, to whom, and how coarse. Absent where nothing is. */
export interface ReleaseSpec {
  readonly rules: readonly ReleaseRule[];
  /** Names of the exchanges that take our sightings. */
  readonly reporting: readonly string[];
  readonly windowMinutes: number;
  readonly precisionMinutes: number;
  readonly delayMinutes: number;
  readonly minCount: number;
  /** What nobody approved for so long is denied. */
  readonly holdHours: number;
  /** Values of our own canaries: hits on them are no news. Entry keys. */
  readonly ignore: readonly string[];
  /** Our own ground: nothing of it is told. */
  readonly own?: Own;
  readonly hitsDays: number;
  readonly sightingsDays: number;
  /** Per exchange, a fingerprint of the settings that shape what it is sent; another one ends approvals. */
  readonly forms?: Readonly<Record<string, string>>;
}

export interface AuditSpec {
  /** `off` is for measuring what the record costs; no configuration says it. */
  readonly level: 'values' | 'counts' | 'off';
  /** For how long it tells which values they were, and the history is kept. */
  readonly valuesDays: number;
}

export interface StoreSpec {
  readonly path: StatePlace;
  /** What others are told who want the state too, where the connection holds its lock. */
  readonly holder?: string;
  /** How long the server of the state may be away at a time; for ever, unless it is said. */
  readonly patienceMs?: number;
  readonly instance: string;
  readonly exchanges: readonly ExchangeSpec[];
  readonly siems: readonly SiemSpec[];
  readonly cacheMb?: number;
  readonly release?: ReleaseSpec;
  readonly audit?: AuditSpec;
}
