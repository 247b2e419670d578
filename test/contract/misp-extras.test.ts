// What a server says beside its attributes, where it is asked: decay scores, hits on its own warninglists, and what the
// originator says by sightings.
import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../builders/store.ts';
import { aPartner, anAttribute, anEvent, EVENT, id, remove, upsert } from './misp-rig.ts';

const facts = (rig: Awaited<ReturnType<typeof aPartner>>['rig']) =>
  rig
    .ask<{ facts: string; confidence: number | null }>('SELECT facts, confidence FROM object ORDER BY object_id')
    .map((one) => ({ labels: (JSON.parse(one.facts) as { labels?: string[] }).labels, confidence: one.confidence }));

describe('what a server says beside its attributes', () => {
  it('is not asked for by itself', async () => {
    const score = [{ score: 42, decayed: false }];
    const { rig, poll } = await aPartner(
      'search',
      anEvent([anAttribute(1, { decay_score: score })]),
      {},
      { warninglists: LISTS },
    );

    expect(await poll()).toEqual(upsert(1));
    expect(facts(rig)).toEqual([{ labels: undefined, confidence: null }]);
  });

  it('gives confidence by decay scores, and keeps out what all models call over', async () => {
    const event = anEvent([
      anAttribute(1, { decay_score: [{ score: 63.9, decayed: false }] }),
      anAttribute(2, { decay_score: [{ score: 3, decayed: true }] }),
    ]);
    const { rig, poll } = await aPartner('search', event, { decay_scores: true });

    expect(await poll()).toEqual(upsert(1));
    expect(facts(rig).map((one) => one.confidence)).toEqual([63, 3]);
  });

  /** What each of these scores changes in a SIEM that asks for a confidence of 50, one reading after the other. */
  async function over(...scores: readonly (readonly [score: number, decayed?: boolean])[]): Promise<string[][]> {
    const said = ([score, decayed = false]: readonly [number, boolean?]) => [{ score, decayed }];
    const [first, ...rest] = scores;
    const event = anEvent([anAttribute(1, { decay_score: said(first!) })]);
    const { poll, act } = await aPartner('search', event, { decay_scores: true }, { siem: { minConfidence: 50 } });
    const changes = [await poll()];
    for (const one of rest) {
      act({ do: 'score', attribute: id(1), scores: said(one), publish: true });
      changes.push(await poll());
    }
    return changes;
  }

  it('keeps what stands there while its score trembles around what the SIEM asks for', async () => {
    const [up, down] = [upsert(1), remove(1)];

    expect(await over([50.4], [49.9], [50.2], [47], [53])).toEqual([up, [], [], [], []]);
    expect(await over([49.9], [50.1], [49], [53.9], [54])).toEqual([[], [], [], [], up]);
    expect(await over([52], [47], [51], [48], [52])).toEqual([up, down, [], [], up]);
  });

  it("keeps out what is over by the partner's model while its score trembles around the end of that", async () => {
    const [up, down] = [upsert(1), remove(1)];

    expect(await over([70], [64.9, true], [66], [64.5, true], [69])).toEqual([up, down, [], [], up]);
  });

  it('sees a score that sinks though nobody edits or publishes, once a day, and is not put off by a broken call', async () => {
    const scored = (n: number, score: number) => anAttribute(n, { decay_score: [{ score, decayed: false }] });
    const settings = { decay_scores: true };
    const { poll, act, clock, server } = await aPartner('search', anEvent([scored(1, 60), scored(2, 60)]), settings, {
      siem: { minConfidence: 50 },
    });
    expect(await poll()).toEqual(upsert(1, 2));
    act({ do: 'score', attribute: id(1), scores: [{ score: 40, decayed: false }] });

    clock.now += HOUR;
    expect(await poll()).toEqual([]);
    clock.now += DAY;
    server.setFaults([{ match: 'attributes/restSearch', action: 'reset-before', times: 1 }]);
    expect(await poll()).toEqual([]);
    expect(await poll()).toEqual(remove(1));

    act({ do: 'score', attribute: id(1), scores: [{ score: 60, decayed: false }] });
    expect(await poll()).toEqual([]);
    clock.now += DAY;
    expect(await poll()).toEqual(upsert(1));
  });

  it('goes by a new edit at once, however little its score moved', async () => {
    const event = anEvent([anAttribute(1, { decay_score: [{ score: 48, decayed: false }] })]);
    const { poll, act } = await aPartner('search', event, { decay_scores: true }, { siem: { minConfidence: 50 } });
    expect(await poll()).toEqual([]);

    act(
      { do: 'score', attribute: id(1), scores: [{ score: 51, decayed: false }] },
      { do: 'edit', attribute: id(1), set: { comment: 'seen again' }, publish: true },
    );

    expect(await poll()).toEqual(upsert(1));
  });

  it('shows the lists on which the server finds a value, and refuses nothing for them', async () => {
    const { rig, poll } = await aPartner(
      'search',
      anEvent([anAttribute(1), anAttribute(2)]),
      { warninglist_hits: true },
      { warninglists: LISTS },
    );

    expect(await poll()).toEqual(upsert(1, 2));
    expect(facts(rig).map((one) => one.labels)).toEqual([['warninglist: List of CDN'], undefined]);
  });

  it('takes for harmless, or ends, what its originator says so of, once the event is published again', async () => {
    const { server, poll, act } = await aPartner('search', anEvent([1, 2, 3].map((n) => anAttribute(n))), {
      read_sightings: true,
    });
    await poll();
    for (const [n, type] of [
      [1, '1'],
      [2, '2'],
      [3, '0'],
    ] as const)
      await fetch(`${server.url}/sightings/add/${id(n)}`, {
        method: 'POST',
        headers: { authorization: server.key, accept: 'application/json', 'content-type': 'application/json' },
        body: JSON.stringify({ type }),
      });

    act({ do: 'publish', event: EVENT });
    expect(await poll()).toEqual(remove(1, 2));
    // Theirs stay theirs: none of it comes back as ours.
    expect(server.sightings()).toHaveLength(3);
  });
});

const LISTS = [{ name: 'List of CDN', values: ['198.51.100.1'] }];
