// One file as pages. Nothing of it comes before the whole of it was surveyed; where a page ended, the next poll goes on
// after a crash. What becomes of the file is the last thing told.
import type { Page } from '../../../core/contracts/exchange-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import { ConnectorError } from '../../../core/model/failure.ts';
import { isRecord } from '../../../core/stix/raw.ts';
import { Changed, elementsOf } from './elements.ts';
import { codeOf, type Disk, wordsFor } from './disk.ts';
import type { FoundFile } from './folder.ts';
import { Gathered, specVersionOf } from './mapping.ts';
import type { Known, Place } from './memory.ts';
import { OpenFile } from './open.ts';
import { survey, type Whole } from './survey.ts';

export type Ending =
  | {
      readonly kind: 'accepted';
      readonly digest: string;
      readonly objects: number;
      /** Of JSON Lines those that were no JSON. */
      readonly lines: readonly number[];
    }
  /** It holds what it held. */
  | { readonly kind: 'same'; readonly known: Known }
  | { readonly kind: 'refused'; readonly reason: string; readonly detail?: string | undefined }
  /** Replaced or written to while it was read, or not whole and just written: it is read again. */
  | { readonly kind: 'waits' };

export interface ReadingOf {
  readonly disk: Disk;
  readonly file: FoundFile;
  readonly scope: string;
  /** What it no longer shows is gone. */
  readonly states: boolean;
  readonly known: Known | undefined;
  /** Where an earlier reading ended. */
  readonly place: Place | undefined;
  /** Names under which it may stand in the list of what is refused. */
  readonly mended: readonly string[];
  /** What is not whole would be moved away, and changed so shortly ago that somebody may write to it under an old time. */
  readonly fresh: boolean;
  readonly pageObjects: number | undefined;
  /** Throws where the reading is to end. */
  readonly stop: () => void;
  /** The cursor of a page that ends within the file, and of the one that ends it. */
  within(place: Place): Json;
  after(ending: Ending): Json;
}

export async function* readFile(reading: ReadingOf): AsyncGenerator<Page, Ending, undefined> {
  const { disk, file, known, stop } = reading;
  let open: OpenFile | undefined;
  try {
    open = await OpenFile.open(disk, file);
    const opened = open;
    if (opened === undefined) return { kind: 'waits' };
    const surveyed = await survey(() => opened.chunks(0, stop));
    if (!(await opened.unchanged())) return { kind: 'waits' };
    if ('reason' in surveyed) return reading.fresh ? { kind: 'waits' } : { kind: 'refused', ...surveyed };
    if (known?.outcome === 'accepted' && known.digest === surveyed.digest) return { kind: 'same', known };
    return yield* pagesOf(reading, surveyed, opened);
  } catch (error) {
    if (error instanceof Changed) return { kind: 'waits' };
    const code = codeOf(error);
    if (error instanceof ConnectorError || code === 'unknown error') throw error;
    if (code === 'ENOENT' || code === 'ESTALE') return { kind: 'waits' };
    return { kind: 'refused', reason: `file ${wordsFor(error)}`, detail: code };
  } finally {
    await open?.close();
  }
}

async function* pagesOf(reading: ReadingOf, whole: Whole, open: OpenFile): AsyncGenerator<Page, Ending, undefined> {
  const { file, scope, states, stop } = reading;
  const resumed = reading.place?.digest === whole.digest ? reading.place : undefined;
  const gathered = new Gathered(reading.pageObjects);
  const lines: number[] = [...(resumed?.lines ?? [])];
  gathered.blind = resumed?.blind ?? false;
  gathered.total = resumed?.objects ?? 0;
  let begins = resumed === undefined;
  const specVersion = whole.form.kind === 'list' ? specVersionOf(whole.form.around) : undefined;
  const elements = elementsOf(
    whole.form,
    (from) => open.chunks(from, stop),
    resumed?.offset ?? 0,
    resumed?.elements ?? 0,
  );
  let pending: Place | undefined;
  for await (const { value, number, end } of elements) {
    // Told only when more follows: the last page tells how the file ended.
    if (pending !== undefined) {
      stop();
      const cursor = reading.within(pending);
      yield { scope, ...gathered.next(), cursor, ...(begins && states ? { snapshotBegins: true } : {}) };
      [pending, begins] = [undefined, false];
    }
    if (value === undefined) {
      if (lines.length < MOST_LINES) lines.push(number);
      gathered.refuse({ objectId: `${file.name}:${number}`, reason: 'line is not JSON' });
      gathered.blind = true;
    } else if (whole.form.kind !== 'value' || !isEmpty(value)) gathered.take(value, specVersion);
    if (gathered.full) {
      const { total, blind } = gathered;
      const { stamp, name } = file;
      pending = {
        name,
        stamp,
        digest: whole.digest,
        offset: end,
        elements: number,
        objects: total,
        lines: [...lines],
        blind,
      };
    }
  }
  stop();
  const unchanged = await open.unchanged();
  const ending: Ending = unchanged
    ? { kind: 'accepted', digest: whole.digest, objects: gathered.total, lines }
    : { kind: 'waits' };
  yield {
    scope,
    ...gathered.next(),
    cursor: reading.after(ending),
    ...(unchanged ? { mended: reading.mended } : {}),
    ...(begins && states ? { snapshotBegins: true } : {}),
    ...(unchanged && states && !gathered.blind ? { snapshotEnds: true } : {}),
    ...(gathered.notes.size === 0 ? {} : { warning: `${file.name}: ${[...gathered.notes].join('; ')}` }),
  };
  return ending;
}

/** An envelope without objects (TAXII 2.1 §3.7). */
const isEmpty = (value: unknown): boolean => isRecord(value) && Object.keys(value).length === 0;

/** Of one file; more than these are told by their number alone. */
const MOST_LINES = 50;
