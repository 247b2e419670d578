// What a connector to a partner exchange gives. It reads pages of objects and moves a cursor that only it
// understands; the engine commits objects and cursor together and never moves one without the other.
import type { z } from 'zod';
import type { IncomingObject, ObjectRefusal } from '../model/entry.ts';
import type { Failure } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import type { Identity, Posted, Sighting } from '../model/sighting.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HttpClient, HttpOptions } from '../runtime/http.ts';
import type { Log } from '../runtime/log.ts';
import type { Probe } from './siem-connector.ts';

export interface Page {
  /** Collection id, MISP event, or file: where these objects were seen. */
  readonly scope: string;
  readonly objects: readonly IncomingObject[];
  readonly refusals: readonly ObjectRefusal[];
  /** Where to go on after this page is committed: at once after a crash, and at the next poll. */
  readonly cursor: Json;
  /** Set when this page is the first of a full snapshot of the scope, as a file is one; perhaps it is the last too. */
  readonly snapshotBegins?: boolean;
  /** Set when this page completes the snapshot that began: whatever else the scope showed before is gone. */
  readonly snapshotEnds?: boolean;
  /** Ids under which something was refused before that no longer is. */
  readonly mended?: readonly string[];
  /** Something a person should know though work goes on (a server that ignores a limit, a header that is missing). */
  readonly warning?: string;
  /** Objects that are nothing for us, by type. */
  readonly ignored?: Readonly<Record<string, number>>;
}

/** The engine's side of a reading: what it knows of the scopes of an exchange, and where it hears how each ended. */
export interface Reading {
  /** Engine time, epoch milliseconds. No cursor runs ahead of it, whatever the clock of a partner says. */
  now(): number;
  /** False while a scope rests after a failure: it is not asked for then, and the others are. */
  due(scope: string): boolean;
  /** Once for each scope that is configured and was due: read to its end, or why not. */
  ended(scope: ScopeName, end: ScopeEnd): void;
  /** Scopes by which the store knows something that is published. */
  scopes?(): Promise<readonly string[]>;
  /** What is read goes into a copy of the state that is thrown away: nothing may change at the far side because of it. */
  readonly trial?: boolean;
  /** Resolves when all pages that were given so far are in the store. */
  committed?(): Promise<void>;
  /** The server's own clock when it answered, epoch milliseconds: lets a jump of ours be judged. */
  heard?(peerTime: number): void;
}

export interface ScopeName {
  readonly scope: string;
  /** For people. */
  readonly title: string;
}

export interface ScopeEnd {
  readonly failure?: Failure;
  /** What a person should know of the scope though it is read ("asked for in pages of 15"). */
  readonly note?: string;
}

export interface ListingPart {
  readonly scope: string;
  readonly present: readonly { readonly objectId: string; readonly version: string }[];
  /** Last part of its scope. Absence may be concluded for a scope only after this. */
  readonly complete: boolean;
  /** Why the scope could not be listed to its end; the others are. */
  readonly failure?: Failure;
}

/** What became of one sighting, by its uuid. */
export type SendOutcome = { readonly uuid: string } & (
  | { readonly kind: 'sent' }
  /** Taken, result later: ask `settle(receipt)`. */
  | { readonly kind: 'accepted'; readonly receipt: string }
  /** Taken, but the exchange says no more what became of it and does not show it: looked for again after a growing pause. */
  | { readonly kind: 'unseen'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
);

export interface ExchangeConnector {
  /** Never throws. */
  probe(signal: AbortSignal): Promise<Probe>;
  /**
   * From where `cursor` stands to the end of what is published now. Undefined cursor = from the configured start. A
   * scope that fails keeps none of the others from being read; what is thrown concerns all of them. Without a
   * `reading` all scopes are due, and the first failure of one is thrown at the end.
   */
  pages(cursor: Json | undefined, signal: AbortSignal, reading?: Reading): AsyncIterable<Page>;
  /**
   * Everything that is published now, scope after scope. What a scope that is never complete lacks says nothing. `known`:
   * scopes by which the store knows something; one that is gone is complete with nothing in it.
   */
  listing?(signal: AbortSignal, known?: readonly string[]): AsyncIterable<ListingPart>;
  /**
   * Absent where the exchange takes no reports. One outcome per sighting; a thrown ConnectorError holds for all of
   * them. Sending the same content again changes nothing at the partner; what was tried before is looked for there
   * before it is sent once more.
   */
  readonly send?: (sightings: readonly Sighting[], signal: AbortSignal) => Promise<readonly SendOutcome[]>;
  readonly settle?: (
    receipt: string,
    posted: readonly Posted[],
    signal: AbortSignal,
  ) => Promise<readonly SendOutcome[] | 'pending'>;
  close(): Promise<void>;
}

export interface ExchangeDeps {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly http: (options: HttpOptions) => HttpClient;
  /** Ours, in what we report. Without it nothing is reported. */
  readonly identity?: Identity;
}

export interface FileCounts {
  readonly accepted: number;
  readonly refused: number;
  /** Still being written, as far as one can tell. */
  readonly waiting: number;
}

export interface ExchangeDefinition<C extends { readonly type: string } = { readonly type: string }> {
  readonly type: C['type'];
  readonly config: z.ZodType<C>;
  /** The settings a cursor belongs to. When they change, the next poll starts over. */
  settings(config: C): Json;
  /** True when this configuration has the exchange take our sightings. */
  reports?(config: C): boolean;
  /** Settings that shape what is reported and say where to: an approval is for what was shown under them. */
  reportForm?(config: C): Json;
  /** For an exchange of files: how many were accepted, refused, or wait, as a cursor tells. */
  files?(cursor: Json | undefined): FileCounts;
  /** Loads what only a working connector needs; contacts nobody. */
  create(config: C, deps: ExchangeDeps): Promise<ExchangeConnector>;
}

export function defineExchange<C extends { readonly type: string }>(
  definition: ExchangeDefinition<C>,
): ExchangeDefinition<C> {
  return definition;
}
