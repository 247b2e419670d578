// What exchanges publish, taken into a file and read from it again. It holds pages as connectors hand them on: objects,
// and refusals, without their cursors (which name server and account), and so no address, no header and no credential.
// One JSON text a line; the last line says that it
// is whole, so a file that was cut is never taken for everything.
import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ExchangeConnector, Page, Reading, ScopeEnd, ScopeName } from '../core/contracts/exchange-connector.ts';
import { ConnectorError } from '../core/model/failure.ts';

const FORMAT = 1;

export type RecordLine =
  | { readonly entente_record: typeof FORMAT; readonly at: string; readonly version: string }
  | { readonly exchange: string; readonly page: Page }
  | { readonly exchange: string; readonly ended: ScopeName; readonly end: ScopeEnd }
  /** It was not read to its end; why is told to the person, since it names hosts. */
  | { readonly exchange: string; readonly failed: true }
  | { readonly end: true; readonly objects: number };

export const head = (at: number, version: string): RecordLine => ({
  entente_record: FORMAT,
  at: new Date(at).toISOString(),
  version,
});

/** Everything one exchange publishes now, from its configured start. What fails is a line as well, and its reason is told. */
export async function* recorded(
  exchange: string,
  connector: ExchangeConnector,
  now: () => number,
  signal: AbortSignal,
  onFailure: (reason: string) => void,
): AsyncGenerator<RecordLine> {
  const ends: RecordLine[] = [];
  let pages = 0;
  const reading: Reading = {
    now,
    trial: true,
    due: () => true,
    ended: (ended, { failure, note }) => {
      if (failure === undefined) ends.push({ exchange, ended, end: note === undefined ? {} : { note } });
      else {
        onFailure(failure.message);
        ends.push({ exchange, failed: true });
      }
    },
  };
  try {
    for await (const page of connector.pages(undefined, signal, reading)) {
      yield { exchange, page: { ...page, cursor: ++pages } };
    }
  } catch (error) {
    onFailure(error instanceof Error ? error.message : String(error));
    yield { exchange, failed: true };
  }
  yield* ends;
}

/** Lines of a record, in order. Throws where it is none, and at the end where it was cut. */
export async function* linesOf(file: string): AsyncGenerator<RecordLine> {
  let folder: boolean;
  try {
    accessSync(file, constants.R_OK);
    folder = statSync(file).isDirectory();
  } catch (error) {
    throw new ConnectorError('permanent', `${file} cannot be read; make a record with: entente record`, {
      cause: error,
    });
  }
  if (folder) throw new ConnectorError('permanent', `${file} is a folder, no record; make one with: entente record`);
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let first = true;
  let whole = false;
  try {
    for await (const text of lines) {
      const line = parsed(text);
      if (first && !(line !== undefined && 'entente_record' in line && line.entente_record === FORMAT))
        throw new ConnectorError('permanent', `${file} is no record of this version; make one with: entente record`);
      first = false;
      if (line === undefined) break;
      whole = 'end' in line && line.end === true;
      yield line;
    }
  } finally {
    lines.close();
  }
  if (!whole) throw new ConnectorError('permanent', `${file} was cut: it has no end; record it anew`);
}

function parsed(text: string): RecordLine | undefined {
  try {
    // Our own file, whose first line says so; what it holds is judged again by everything behind it.
    return JSON.parse(text) as RecordLine;
  } catch {
    return undefined;
  }
}

/** Stands for an exchange: gives what was recorded of it, once, and takes no reports. */
export function replaying(file: string, exchange: string): ExchangeConnector {
  return {
    probe: async () => ({ ok: true, message: `a record, ${file}` }),
    async *pages(cursor, _signal, reading) {
      if (cursor !== undefined) return;
      for await (const line of linesOf(file)) {
        if (!('exchange' in line) || line.exchange !== exchange) continue;
        if ('page' in line) yield line.page;
        else if ('ended' in line) reading?.ended(line.ended, line.end);
      }
    },
    close: async () => {},
  };
}
