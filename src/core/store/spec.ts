// What the store is told about the configuration. Plain values: they cross to the worker's thread.
import type { SiemDefinition } from '../contracts/siem-connector.ts';
import type { Json } from '../model/json.ts';
import type { ObservableType } from '../model/observable.ts';
import type { ExpiryRules } from '../policy/expiry.ts';
import type { IntakeRules } from '../policy/intake.ts';

export interface ExchangeSpec {
  readonly name: string;
  readonly type: string;
  /** Settings the cursor belongs to; another fingerprint starts the next poll over. */
  readonly fingerprint: string;
  readonly removalBrake: { readonly share: number; readonly atLeast: number; readonly windowHours: number };
  readonly additionBrake: { readonly factor: number; readonly atLeast: number };
}

export interface SiemSpec {
  readonly name: string;
  readonly type: string;
  /** Everything below that shapes wanted state; another fingerprint computes the projection anew. */
  readonly fingerprint: string;
  readonly settings: Json;
  /** Rules per exchange this SIEM listens to; an exchange that is not named here vouches for nothing there. */
  readonly rules: Readonly<Record<string, { readonly intake: IntakeRules; readonly lifetime: ExpiryRules }>>;
  readonly observables: readonly ObservableType[];
  readonly maxEntries?: number;
  readonly refreshAfterDays?: number;
}

export interface StoreSpec {
  readonly path: string;
  readonly instance: string;
  readonly exchanges: readonly ExchangeSpec[];
  readonly siems: readonly SiemSpec[];
  readonly cacheMb?: number;
}

/** The pure half of a SIEM definition: what may run on the store's thread. */
export type Encoder = Pick<
  SiemDefinition,
  'type' | 'versioned' | 'foldsSlots' | 'container' | 'slot' | 'encode' | 'frame' | 'observables'
>;
