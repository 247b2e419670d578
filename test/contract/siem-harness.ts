// What a product brings to the contract of SIEM connectors, and a connector driven as the engine drives it.
import { expect } from 'vitest';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { Outcome, OwnedEntry, SiemConnector, SiemDefinition } from '../../src/core/contracts/siem-connector.ts';
import { ConnectorError, type Failure, type FailureKind, toFailure } from '../../src/core/model/failure.ts';
import type { Json } from '../../src/core/model/json.ts';
import type { Observable, ObservableType } from '../../src/core/model/observable.ts';
import type { Fault } from '../../src/simulators/server.ts';

export interface SiemFaults {
  /** Part of "METHOD /path" by which faults hit the request that `apply` sends. */
  readonly match: string;
  set(faults: readonly Fault[]): void;
  /** Requests of `apply` that the far side has seen so far, answered or not. */
  seen(): number;
  /** Kinds that this product reads differently, with the reason in its README. */
  readonly kinds?: Partial<Record<FaultName, FailureKind>>;
}

export interface SiemHarness {
  readonly definition: SiemDefinition;
  /** Not opened yet. Its time-out should be 1 to 2 s, for the hang. */
  readonly connector: SiemConnector;
  readonly owner: string;
  /** `definition.settings(config, instance)`. */
  readonly settings: Json;
  /** Texts that must never show: token, password, key. */
  readonly secrets: readonly string[];
  /** A row of an analyst, for the same value and in the same container as ours, without our mark. */
  readonly foreign: { plant(observable: Observable): Promise<void>; read(observable: Observable): Promise<unknown> };
  /** What the product holds for one of our rows, to see that it did not change. */
  readonly read: (observable: Observable) => Promise<unknown>;
  readonly faults?: SiemFaults;
  /** Turns the body of an upsert into one that the product refuses for good. */
  readonly spoil?: (body: string) => string;
  /** Removes the container of this type, as an administrator might. */
  readonly dropContainer?: (type: ObservableType) => Promise<void>;
  /** A connector whose server presents a certificate that it must not trust. */
  readonly badTls?: () => Promise<SiemConnector>;
  /** A connector with a credential that the product refuses. */
  readonly badCredential?: () => Promise<SiemConnector>;
  /** Makes what was applied visible to list(), where the product shows it late. */
  readonly refresh?: () => Promise<void>;
  stop(): Promise<void>;
}

export type FaultName =
  | 'unauthorized'
  | 'forbidden'
  | 'too large'
  | 'too many requests'
  | 'server error'
  | 'unavailable'
  | 'connection cut before the effect'
  | 'connection cut after the effect'
  | 'no answer in time'
  | 'HTML instead of JSON'
  | 'half an answer';

export const FAULTS: readonly (readonly [FaultName, Fault, FailureKind])[] = [
  ['unauthorized', { action: 'status', status: 401, body: '{}' }, 'config'],
  ['forbidden', { action: 'status', status: 403, body: '{}' }, 'config'],
  ['too large', { action: 'status', status: 413 }, 'permanent'],
  ['too many requests', { action: 'status', status: 429, headers: { 'retry-after': '7' } }, 'retryable'],
  ['server error', { action: 'status', status: 500, body: 'Internal Server Error' }, 'retryable'],
  ['unavailable', { action: 'status', status: 503, body: '{}' }, 'retryable'],
  ['connection cut before the effect', { action: 'reset-before' }, 'retryable'],
  ['connection cut after the effect', { action: 'reset-after' }, 'retryable'],
  ['no answer in time', { action: 'hang' }, 'retryable'],
  ['HTML instead of JSON', { action: 'html' }, 'config'],
  ['half an answer', { action: 'truncate' }, 'retryable'],
];

/** Values that a product's own syntax could mangle. */
export const AWKWARD: readonly Observable[] = [
  { type: 'ipv6-addr', value: '2001:db8::7' },
  { type: 'ipv6-addr', value: '2001:db8:0:1::/64' },
  { type: 'ipv4-addr', value: '198.51.100.0/25' },
  { type: 'domain-name', value: 'xn--bcher-kva.example' },
  { type: 'url', value: `https://long.example/${'a'.repeat(1900)}?q=1` },
  { type: 'url', value: 'https://quote.example/a%22b\'c\\d?x={"y":[1]}&z=$n' },
  { type: 'url', value: 'https://case.example/MiXeD/Path' },
  { type: 'url', value: 'https://xn--bcher-kva.example/%E2%82%AC' },
  { type: 'email-addr', value: "o'brien+tag@mail.example" },
  { type: 'file:hashes.MD5', value: 'd41d8cd98f00b204e9800998ecf8427f' },
  { type: "file:hashes.'SHA-1'", value: 'a'.repeat(40) },
  { type: "file:hashes.'SHA-256'", value: 'b'.repeat(64) },
  { type: "file:hashes.'SHA-512'", value: 'c'.repeat(128) },
];

export const kinds = (outcomes: readonly Outcome[]): string[] => outcomes.map((one) => one.kind);

export async function held(siem: SiemHarness, slots?: readonly string[]): Promise<OwnedEntry[]> {
  await siem.refresh?.();
  const rows: OwnedEntry[] = [];
  const signal = new AbortController().signal;
  for await (const page of siem.connector.list(slots === undefined ? {} : { slots }, signal)) {
    expect(page.length).toBeLessThanOrEqual(5000);
    rows.push(...page);
  }
  return rows;
}

/** Applies and follows receipts to their end, as the engine does. */
export async function applied(siem: SiemHarness, batch: Batch): Promise<readonly Outcome[]> {
  const signal = new AbortController().signal;
  const done: Outcome[] = [];
  const receipts = new Set<string>();
  for (const outcome of await siem.connector.apply(batch, signal)) {
    if (outcome.kind === 'accepted') receipts.add(outcome.receipt);
    else done.push(outcome);
  }
  for (const receipt of receipts) {
    for (let turn = 0; ; turn += 1) {
      const settled = (await siem.connector.settle?.(receipt, signal)) ?? 'pending';
      if (settled !== 'pending') {
        done.push(...settled);
        break;
      }
      if (turn > 200) throw new Error(`receipt ${receipt} never settles`);
      await new Promise((go) => setTimeout(go, 20));
    }
  }
  return done;
}

/** A permanent error of a whole batch is bisected down to single changes, as the engine does. */
export async function bisected(siem: SiemHarness, batch: Batch): Promise<readonly Outcome[]> {
  try {
    return await applied(siem, batch);
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw error;
    const change = batch.changes[0];
    if (batch.size === 1 && change !== undefined)
      return [{ key: change.key, kind: 'failed', failure: toFailure(error) }];
    const half = Math.ceil(batch.size / 2);
    return [...(await bisected(siem, batch.slice(0, half))), ...(await bisected(siem, batch.slice(half, batch.size)))];
  }
}

/** The failure of a batch that must fail, thrown for the whole of it or told per change. */
export async function failureOf(siem: SiemHarness, batch: Batch): Promise<Failure> {
  let outcomes: readonly Outcome[];
  try {
    outcomes = await applied(siem, batch);
  } catch (error) {
    return toFailure(error);
  }
  const failed = outcomes.find((one) => one.kind === 'failed');
  if (failed?.kind !== 'failed') throw new Error(`expected a failure, got ${JSON.stringify(outcomes)}`);
  return failed.failure;
}
