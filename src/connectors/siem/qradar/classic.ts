// The classic API, for consoles before 7.4.3. Its bulk_load takes no source, so that our rows could not be told
// from an analyst's; every value therefore goes by a call of its own, and `source` holds what the notes would.
import type { z } from 'zod';
import type { Batch } from '../../../core/contracts/batch.ts';
import { configFailure, ConnectorError, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type { Change, Outcome, SiemDeps, WriterMark } from '../../../core/contracts/siem-connector.ts';
import { afterFailure, type Board, eachOf, heldByOther, type HeldRow, type HeldSet, type HeldSets } from './board.ts';
import type { QRadarClient } from './client.ts';
import type { QRadarSettings } from './config.ts';
import { CONTROL, type SetKind, setName } from './sets.ts';
import { expiryIn } from './lifetime.ts';
import { ClassicData, ClassicRow, ClassicSets, Named, readable, StoredMark } from './responses.ts';
import { Turns } from './turns.ts';

const ROOT = '/reference_data/sets';
const PAGE = 1000;
const AT_ONCE = 4;

export class Classic implements Board {
  readonly #client: QRadarClient;
  readonly #config: QRadarSettings;
  readonly #owner: string;
  readonly #deps: SiemDeps;
  readonly #turnsOf = new Map<string, Turns>();

  constructor(client: QRadarClient, config: QRadarSettings, deps: SiemDeps) {
    this.#client = client;
    this.#config = config;
    this.#owner = `entente:${deps.instance}`;
    this.#deps = deps;
  }

  async sets(kinds: readonly SetKind[], signal: AbortSignal): Promise<HeldSets> {
    const names = new Map(kinds.map((kind) => [setName(this.#config.set_prefix, kind), kind]));
    const filter = `name in (${[...names.keys()].map((name) => `"${name}"`).join(', ')})`;
    const held = new Map<string, HeldSet>();
    for (const set of await this.#list(filter, signal)) {
      const kind = names.get(set.name);
      if (kind === undefined) continue;
      const identity = `${set.collection_id ?? ''}@${set.creation_time}`;
      held.set(kind.suffix, {
        kind,
        name: set.name,
        id: 0,
        identity,
        count: set.number_of_elements,
        element: set.element_type,
        ...expiryIn(set),
      });
    }
    return held;
  }

  /** A console may give fewer at once than it is asked for. */
  async #list(filter: string, signal: AbortSignal): Promise<z.output<typeof ClassicSets>> {
    const sets: z.output<typeof ClassicSets> = [];
    for (;;) {
      const range = [sets.length, sets.length + PAGE - 1] as const;
      const { body, total } = await this.#client.call({ path: ROOT, query: { filter }, range, signal });
      const page = this.#client.parse(ClassicSets, body, 'the list of sets');
      sets.push(...page);
      if (page.length === 0 || total === undefined || sets.length >= total) return sets;
    }
  }

  async create(kind: SetKind, signal: AbortSignal): Promise<void> {
    const days = kind.suffix === CONTROL.suffix ? 0 : this.#config.dead_man_days;
    await this.#client.call({
      method: 'POST',
      path: ROOT,
      form: {
        name: setName(this.#config.set_prefix, kind),
        element_type: kind.element,
        ...(days === 0 ? {} : { timeout_type: 'LAST_SEEN', time_to_live: `${days} days` }),
      },
      allow: [409],
      signal,
    });
  }

  async mayWrite(signal: AbortSignal): Promise<void> {
    // Without a name nothing is made, but the rights are looked at first.
    await this.#client.call({ method: 'POST', path: ROOT, form: {}, allow: [422], signal });
    // Nor is anything of this value there to be removed.
    const path = `${ROOT}/${inPath(setName(this.#config.set_prefix, CONTROL))}/${inPath(`nothing ${this.#owner}`)}`;
    await this.#client.call({ method: 'DELETE', path, allow: [404, 422], signal });
  }

  async apply(batch: Batch, sets: HeldSets, signal: AbortSignal): Promise<readonly Outcome[]> {
    const suffixes = new Set(batch.changes.map((change) => change.slot.slice(0, change.slot.indexOf('|'))));
    const others = new Map<string, string>();
    for (const suffix of suffixes) {
      const set = sets.get(suffix);
      if (set === undefined)
        throw retryable(`${this.#deps.name}: set ${suffix} is missing; it is made anew at the next open`, {
          uncertain: false,
        });
      for await (const page of this.#read(set, signal))
        for (const row of page)
          if (!this.#isOurs(row.source)) others.set(`${suffix}|${row.value}`, row.source ?? 'nobody');
    }
    const outcomes: Outcome[] = [];
    const failed = new Map<Change, unknown>();
    const unsent: Change[] = [];
    const order = batch.changes.map((change, i) => ({ change, i }));
    await eachOf(order, AT_ONCE, async ({ change, i }) => {
      const source = others.get(change.slot);
      if (source !== undefined) outcomes.push(heldByOther(change, source));
      else if (failed.size > 0) unsent.push(change);
      else
        try {
          outcomes.push(await this.#one(change, batch.frame(i), sets, signal));
        } catch (error) {
          failed.set(change, error);
        }
    });
    return failed.size === 0 ? outcomes : afterFailure(outcomes, failed, unsent);
  }

  async *rows(set: HeldSet, signal: AbortSignal): AsyncIterable<readonly HeldRow[]> {
    for await (const page of this.#read(set, signal)) {
      const rows = page
        .filter((row) => this.#isOurs(row.source))
        .map(({ value, source }): HeldRow => ({ kind: set.kind, value, notes: source, source: this.#owner }));
      if (rows.length > 0) yield rows;
    }
  }

  /**
   * Everybody's rows of our domain. Pages go by position, so that a removal beside a reading would hide a row from it:
   * ours take turns with readings, and after somebody else's the reading steps back by as many.
   */
  async *#read(set: HeldSet, signal: AbortSignal): AsyncIterable<readonly ClassicRow[]> {
    const leave = await this.#turns(set.name).take('reading');
    try {
      const seen = new Set<string>();
      let unread = 0;
      let before: number | undefined;
      for (let from = 0; ; ) {
        const { status, body, total } = await this.#client.call({
          path: `${ROOT}/${inPath(set.name)}`,
          range: [from, from + PAGE - 1],
          // A set that somebody deleted holds nothing; containers() tells that it is gone.
          allow: [404],
          signal,
        });
        const shrunk = before === undefined || total === undefined ? 0 : before - total;
        before = total;
        if (shrunk > 0 && from > 0) {
          from = Math.max(0, from - shrunk);
          continue;
        }
        const data = status === 404 ? [] : this.#client.parse(ClassicData, body, 'the content of a set').data;
        const read = readable(ClassicRow, data);
        unread += data.length - read.length;
        const rows = read.filter(
          (row) => (row.domain_id ?? undefined) === this.#config.domain_id && !seen.has(row.value),
        );
        for (const row of rows) seen.add(row.value);
        if (rows.length > 0) yield rows;
        from += data.length;
        if (data.length === 0 || (total === undefined ? data.length !== PAGE : from >= total)) break;
      }
      if (unread > 0)
        this.#deps.log.warn('Rows in QRadar have another form than IBM documents; they are left alone.', {
          siem: this.#deps.name,
          rows: unread,
        });
    } finally {
      leave();
    }
  }

  #turns(set: string): Turns {
    const found = this.#turnsOf.get(set) ?? new Turns();
    this.#turnsOf.set(set, found);
    return found;
  }

  async rowsOf(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<readonly HeldRow[]> {
    const wanted = new Set(stored);
    const found: HeldRow[] = [];
    for await (const page of this.rows(set, signal)) found.push(...page.filter((row) => wanted.has(row.value)));
    return found;
  }

  async countOthers(sets: readonly HeldSet[], signal: AbortSignal): Promise<number> {
    let count = 0;
    for (const set of sets)
      for await (const page of this.#read(set, signal)) count += page.filter((row) => !this.#isOurs(row.source)).length;
    return count;
  }

  async readMark(control: HeldSet, signal: AbortSignal): Promise<WriterMark | undefined> {
    for await (const page of this.rows(control, signal)) {
      const row = page.find((one) => one.value === this.#markValue());
      try {
        const read = StoredMark.safeParse(JSON.parse(row?.notes?.slice(this.#owner.length) ?? ''));
        if (read.success) return read.data;
      } catch {
        // Not the mark, or one that somebody wrote over: nobody is known to write here.
      }
    }
    return undefined;
  }

  async writeMark(control: HeldSet, mark: WriterMark, signal: AbortSignal): Promise<void> {
    await this.#client.call({
      method: 'POST',
      path: `${ROOT}/${inPath(control.name)}`,
      form: this.#inDomain({ value: this.#markValue(), source: `${this.#owner} ${JSON.stringify(mark)}` }),
      signal,
    });
  }

  async dropControl(control: HeldSet, signal: AbortSignal): Promise<number> {
    if ((await this.readMark(control, signal)) === undefined) return 0;
    const path = `${ROOT}/${inPath(control.name)}/${inPath(this.#markValue())}`;
    await this.#client.call({ method: 'DELETE', path, query: this.#inDomain({}), allow: [404], signal });
    return 1;
  }

  async #one(change: Change, frame: Buffer, sets: HeldSets, signal: AbortSignal): Promise<Outcome> {
    const { key, slot } = change;
    const set = sets.get(slot.slice(0, slot.indexOf('|')));
    if (set === undefined) throw retryable(`${this.#deps.name}: the set of ${slot} is missing`, { uncertain: false });
    const leave = await this.#turns(set.name).take('change');
    try {
      if (change.op === 'remove') {
        const path = `${ROOT}/${inPath(set.name)}/${inPath(slot.slice(slot.indexOf('|') + 1))}`;
        const domain = this.#inDomain({});
        const answer = await this.#client.call({ method: 'DELETE', path, query: domain, allow: [404], signal });
        if (answer.code === 1011) throw noDomain(this.#deps.name);
        if (answer.status === 404 && answer.code === 1002) throw gone(this.#deps.name, set);
        if (answer.status === 404 && answer.code !== 1003)
          throw retryable(`${this.#deps.name}: 404 with code ${answer.code} to a removal`);
        if (answer.status !== 404) this.#client.parse(Named, answer.body, 'a removal');
        return { key, kind: 'applied' };
      }
      // Our own encode() wrote the frame.
      const row = JSON.parse(frame.toString('utf8')) as { value: string; notes: string };
      const form = this.#inDomain({ value: row.value, source: row.notes });
      const answer = await this.#client.call({
        method: 'POST',
        path: `${ROOT}/${inPath(set.name)}`,
        form,
        allow: [404],
        signal,
      });
      if (answer.code === 1011) throw noDomain(this.#deps.name);
      if (answer.status === 404) throw gone(this.#deps.name, set);
      this.#client.parse(Named, answer.body, 'an addition');
      return { key, kind: 'applied' };
    } catch (error) {
      // One value that QRadar refuses does not hold up the others; everything else holds for them too.
      if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw error;
      const failure = toFailure(error);
      // The set was looked at before, so that an invalid parameter is the value.
      const code = failure.code === 'qradar_422_1005' ? 'value_1005' : failure.code;
      return { key, kind: 'failed', failure: { ...failure, ...(code === undefined ? {} : { code }) } };
    } finally {
      leave();
    }
  }

  #isOurs(source: string | null): boolean {
    return source?.startsWith(`${this.#owner} `) === true;
  }

  #markValue(): string {
    return `writer ${this.#owner}`;
  }

  #inDomain(form: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return this.#config.domain_id === undefined ? form : { ...form, domain_id: String(this.#config.domain_id) };
  }
}

function gone(name: string, set: HeldSet): ConnectorError {
  return retryable(`${name}: set ${set.name} is gone; it is made anew at the next open`, { uncertain: false });
}

const noDomain = (name: string): ConnectorError =>
  configFailure(`${name}: domain_id names a domain that this console does not have (code 1011)`, {
    uncertain: false,
    code: 'qradar_404_1011',
  });

/** Parts of a path are decoded twice: once by the web server, which refuses an encoded slash, once by QRadar. */
function inPath(part: string): string {
  return encodeURIComponent(encodeURIComponent(part));
}
