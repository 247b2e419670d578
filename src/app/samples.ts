// The last days in half hours: every ten seconds the status is looked at, and what was seen is added to the half hour.
// A few new objects are followed until they are armed, which tells how long that takes from being published.
import type { ExchangeReport, SiemReport, State, StatusReport } from '../core/model/status.ts';
import { timestampMs } from '../core/model/timestamp.ts';
import type { PagesReader } from '../core/store/read/pages.ts';
import { type Sample, SAMPLE_MS } from '../core/store/rows/samples.ts';

export const LOOK_EVERY_MS = 10_000;
/** A change that waits no longer than this is on its way, not late. */
const LATE_SECS = 60;
const MOST_FOLLOWED = 50;
/** What is not armed by then is followed no longer. */
const FOLLOWED_MS = 86_400_000;

type Mutable = { -readonly [K in keyof Sample]: Sample[K] };
type Following = Pick<PagesReader, 'newestObject' | 'objectsAfter' | 'standsOf'>;

export class Sampler {
  readonly #reader: Following;
  readonly #samples = new Map<string, Mutable>();
  readonly #followed = new Map<number, { readonly published: number; readonly armed: Set<string> }>();
  #newest: number | undefined;
  #looked: number | undefined;
  /** What was published before came late because nobody looked, as all of a first sync does. */
  #began: number | undefined;
  #totals: { readonly hits: number; readonly sent: number } | undefined;

  constructor(reader: Following) {
    this.#reader = reader;
  }

  look(status: StatusReport, now: number): void {
    const secs = this.#looked === undefined ? 0 : Math.max(0, Math.min(LOOK_EVERY_MS * 3, now - this.#looked)) / 1000;
    this.#looked = now;
    this.#began ??= now;
    for (const one of status.exchanges) this.#add('exchange', one.name, kindOf(one), secs, one.indicators, now);
    for (const one of status.siems) this.#add('siem', one.name, siemKind(one), secs, one.delivered, now);
    const { hits, sent } = status.sightings;
    const entries = Math.max(0, ...status.siems.map((one) => one.wanted));
    const whole = this.#add('whole', '', STATE_KIND[status.state], secs, entries, now);
    whole.hits += Math.max(0, hits - (this.#totals?.hits ?? hits));
    whole.told += Math.max(0, sent - (this.#totals?.sent ?? sent));
    this.#totals = { hits, sent };
    this.#follow(now);
  }

  /** What was seen since the last time, to be added to what is kept. */
  take(): Sample[] {
    const all = [...this.#samples.values()].map((one) => ({
      ...one,
      ok: Math.round(one.ok),
      behind: Math.round(one.behind),
      failing: Math.round(one.failing),
      paused: Math.round(one.paused),
    }));
    this.#samples.clear();
    return all;
  }

  #of(role: Sample['role'], peer: string, now: number): Mutable {
    const start = now - (now % SAMPLE_MS);
    const key = `${start} ${role} ${peer}`;
    let one = this.#samples.get(key);
    if (one === undefined) {
      const none = { ok: 0, behind: 0, failing: 0, paused: 0, entries: 0, hits: 0, told: 0 };
      one = { start, role, peer, ...none, armed: 0, armed_secs: 0, armed_most: 0 };
      this.#samples.set(key, one);
    }
    return one;
  }

  #add(role: Sample['role'], peer: string, kind: Kind, secs: number, entries: number, now: number): Mutable {
    const one = this.#of(role, peer, now);
    one[kind] += secs;
    one.entries = entries;
    return one;
  }

  #follow(now: number): void {
    if (this.#newest === undefined) this.#newest = this.#reader.newestObject();
    const room = MOST_FOLLOWED - this.#followed.size;
    for (const { id, version } of room > 0 ? this.#reader.objectsAfter(this.#newest, room) : []) {
      this.#newest = id;
      const published = timestampMs(version);
      if (published !== undefined && published >= this.#began! && published <= now)
        this.#followed.set(id, { published, armed: new Set() });
    }
    if (room <= 0) this.#newest = this.#reader.newestObject();
    for (const [id, { published, armed }] of this.#followed) {
      const stands = this.#reader.standsOf(id);
      for (const { siem, armed: is } of stands) {
        if (!is || armed.has(siem)) continue;
        armed.add(siem);
        const secs = Math.round((now - published) / 1000);
        for (const one of [this.#of('siem', siem, now), this.#of('whole', '', now)]) {
          one.armed++;
          one.armed_secs += secs;
          one.armed_most = Math.max(one.armed_most, secs);
        }
      }
      const over = stands.every(({ siem }) => armed.has(siem)) || now - published > FOLLOWED_MS;
      if (over) this.#followed.delete(id);
    }
  }
}

type Kind = 'ok' | 'behind' | 'failing' | 'paused';
const STATE_KIND: Readonly<Record<State, Kind>> = {
  ok: 'ok',
  recovering: 'behind',
  failing: 'failing',
  paused: 'paused',
};
const kindOf = ({ state }: ExchangeReport | SiemReport): Kind => STATE_KIND[state];

function siemKind(one: SiemReport): Kind {
  const late = one.pending > 0 && one.oldest_pending_secs > LATE_SECS;
  return one.state === 'ok' && (late || one.drift > 0) ? 'behind' : kindOf(one);
}
