// A made-up but life-like partner feed, one day at a time and the same for the same options: identities, TLP 2.0 and
// PAP markings, malware, indicators of all families with what becomes of them, and some that must be refused.
import { context } from './feed-context.ts';
import { Seed } from './feed-draw.ts';
import { DAY, Indicators, LIFE_DAYS } from './feed-indicators.ts';
import type { StixBundle, StixObject } from './stix-object.ts';

export interface FeedOptions {
  /** Which feed; another seed shares no indicator id with this one. */
  readonly seed?: number;
  /** New indicators per day; keep it the same for all days of a feed. */
  readonly count?: number;
  /** Day 0 has new objects only; later days begin with new versions and revocations of earlier ones. */
  readonly day?: number;
  /** Begin of day 0: epoch milliseconds or an ISO date. For a feed of today take the time 24 hours ago. */
  readonly start?: number | string;
  /** Irregular indicators on top, as a share of `count`; each is wrong in one of fifteen ways, in turn. */
  readonly irregular?: number;
}

const MOST = 2 ** 26;

export function* feed(options: FeedOptions = {}): Generator<StixObject> {
  const { seed: seedNumber = 1, count = 1000, day = 0, start = '2026-01-05T00:00:00Z', irregular = 0.02 } = options;
  const startMs = typeof start === 'number' ? start : Date.parse(start);
  if (Number.isNaN(startMs)) throw new Error(`feed: start ${start} is no date`);
  if ((day + 1) * count > MOST) throw new Error(`feed: at most ${MOST} indicators have distinct addresses`);
  const seed = new Seed(seedNumber);
  const around = context(seed, seedNumber, new Date(startMs - 30 * DAY).toISOString());
  const indicators = new Indicators({ seed, count, start: startMs, context: around });

  yield* around.objects;
  for (let born = Math.max(0, day - LIFE_DAYS); born < day; born++) {
    for (let index = 0; index < count; index++) {
      const changed = indicators.change(born, index, day - born);
      if (changed !== undefined) yield changed;
    }
  }
  for (let index = 0; index < count; index++) {
    const indicator = indicators.birth(day, index);
    yield indicator;
    const relationship = indicators.relationship(day, index, indicator);
    if (relationship !== undefined) yield relationship;
  }
  for (let place = 0; place < Math.ceil(count * irregular); place++) yield indicators.irregular(day, place);
}

export function feedBundle(options: FeedOptions = {}): StixBundle {
  const { seed = 1, day = 0 } = options;
  const id = `bundle--${new Seed(seed).draw(30, day, 0).uuid()}`;
  return { type: 'bundle', id, objects: [...feed(options)] };
}
