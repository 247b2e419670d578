// What both ways of reading need, and what they give: parts of events, which the connector turns into pages.
import type { EventHead } from '../../../core/misp/head.ts';
import type { MispClient } from './client.ts';
import type { At, Cursor } from './cursor.ts';
import type { Mapping, Read } from './mapping.ts';
import type { PageLimit } from './page-size.ts';

export interface ReadingContext {
  readonly client: MispClient;
  readonly mapping: Mapping;
  readonly cursor: Cursor;
  readonly pageSize: number;
  /** Asked for beside the attributes. */
  readonly extras: Readonly<Record<string, 1>>;
  /** Epoch seconds. */
  readonly start: number | undefined;
  /** Engine time, epoch milliseconds. */
  now(): number;
  readonly signal: AbortSignal;
  /** The server's own clock when it answered, epoch milliseconds. */
  heard(peerTime: number): void;
  warn(text: string): void;
  /** The page size that works, and one that did not. */
  readonly limit: Limit;
}

export interface Limit {
  learnt: PageLimit | undefined;
}

/** A part of one event, in the order of reading. */
export interface EventPart {
  readonly head: EventHead;
  readonly read: Read;
  readonly begins: boolean;
  readonly ends: boolean;
  /** How to go on after it. */
  readonly next?: At;
}

/** What became of one event that was to be read: `moved`: it was edited meanwhile, and comes again once it is published. */
export type EventEnd = 'read' | 'moved';
