// What people do to an event at the partner's, and what becomes of it on a watchlist: simulated MISP, connector, poller and store
// together, by both ways of reading.
import { describe, expect, it } from 'vitest';
import { HOUR } from '../builders/store.ts';
import { aPartner, anAttribute, anEvent, EVENT, four, id, remove, SECS, upsert } from './misp-rig.ts';

describe.each(['search', 'sync'] as const)('an event at the partner, read by %s', (read) => {
  it('is armed, and read again only when something changes', async () => {
    const { server, poll } = await aPartner(read, four);

    expect(await poll()).toEqual(upsert(1, 2, 3, 4));
    await poll();
    const before = [...server.requests].map(([route, n]) => `${route} ${n}`);
    expect(await poll()).toEqual([]);
    const later = [...server.requests].map(([route, n]) => `${route} ${n}`);
    expect(later.filter((one) => !before.includes(one))).toHaveLength(read === 'search' ? 1 : 1);
  });

  it('keeps what is edited until that is published, and follows then', async () => {
    const { act, poll } = await aPartner(read, four);
    await poll();

    act({ do: 'edit', attribute: id(1), set: { to_ids: false } });
    expect(await poll()).toEqual([]);
    act({ do: 'publish', event: EVENT });
    expect(await poll()).toEqual(remove(1));
    act({ do: 'edit', attribute: id(1), set: { to_ids: true }, publish: true });
    expect(await poll()).toEqual(upsert(1));
  });

  it('takes back what is deleted, softly or for good, and arms what is restored', async () => {
    const { act, poll } = await aPartner(read, four);
    await poll();

    act(
      { do: 'delete', attribute: id(1) },
      { do: 'delete', attribute: id(2), sanitise: true },
      { do: 'hard_delete', attribute: id(3), publish: true },
    );
    expect(await poll()).toEqual(remove(1, 2, 3));
    act({ do: 'restore', attribute: id(1), publish: true });
    expect(await poll()).toEqual(upsert(1));
  });

  it('changes value and type', async () => {
    const { act, poll } = await aPartner(read, four);
    await poll();

    act(
      { do: 'edit', attribute: id(1), set: { value: '198.51.100.9' } },
      { do: 'edit', attribute: id(2), set: { type: 'text' }, publish: true },
    );
    expect(await poll()).toEqual([...remove(1, 2), ...upsert(9)]);
  });

  it('follows its marking up and down, of the event and of one attribute', async () => {
    const { act, poll } = await aPartner(read, four);
    await poll();

    act({ do: 'tag_event', event: EVENT, tags: ['TLP:RED'], publish: true });
    expect(await poll()).toEqual(remove(1, 2, 3, 4));
    act(
      { do: 'tag_event', event: EVENT, tags: ['tlp:green'] },
      { do: 'tag', attribute: id(2), tags: ['tlp:red'], publish: true },
    );
    expect(await poll()).toEqual(upsert(1, 3, 4));
  });

  it('is withdrawn once it stays unpublished beyond the grace, and comes back', async () => {
    const { act, poll, clock } = await aPartner(read, four, { unpublish_grace_hours: 6 });
    await poll();

    act({ do: 'unpublish', event: EVENT });
    expect(await poll()).toEqual([]);
    clock.now += 2 * HOUR;
    expect(await poll()).toEqual([]);
    clock.now += 6 * HOUR;
    expect(await poll()).toEqual(remove(1, 2, 3, 4));
    act({ do: 'publish', event: EVENT });
    expect(await poll()).toEqual(upsert(1, 2, 3, 4));
  });

  it('is withdrawn at once without a grace', async () => {
    const { act, poll } = await aPartner(read, four, { unpublish_grace_hours: 0 });
    await poll();

    act({ do: 'unpublish', event: EVENT });
    expect(await poll()).toEqual(remove(1, 2, 3, 4));
  });

  it('that is deleted vanishes with the next listing alone', async () => {
    const { act, poll, list } = await aPartner(read, [four, anEvent([anAttribute(8)], { uuid: id(901) })]);
    await poll();
    expect(await list()).toEqual([]);

    act({ do: 'delete_event', event: EVENT });
    expect(await poll()).toEqual([]);
    expect(await list()).toEqual(remove(1, 2, 3, 4));
  });

  it('that arrives late with old times is not lost, nor read for ever', async () => {
    const { server, poll } = await aPartner(read, four);
    await poll();

    server.load(
      anEvent([anAttribute(7, { timestamp: String(Number(SECS) - 86_400) })], {
        uuid: id(902),
        timestamp: '1600000000',
      }),
    );
    expect(await poll()).toEqual(upsert(7));
    await poll();
    const before = server.requests.get('GET /events/view/{id} 200');
    await poll();
    expect(server.requests.get('GET /events/view/{id} 200')).toBe(before);
  });

  it('is left as it stands while a guard, a key or the network forbids to look', async () => {
    const { server, poll, list, clock } = await aPartner(read, four, { unpublish_grace_hours: 0 });
    await poll();

    for (const fault of [
      { action: 'status', status: 403, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' },
      { action: 'status', status: 403, body: '{"message":"Authentication failed."}' },
      { action: 'reset-before' },
      { action: 'html' },
    ] as const) {
      server.setFaults([fault]);
      expect(await poll()).toEqual([]);
      expect(await list()).toEqual([]);
      clock.now += HOUR;
    }
    server.setFaults([]);
    expect(await poll()).toEqual([]);
    expect(await list()).toEqual([]);
  });

  it('arms nothing of a victim, and what stands beside it', async () => {
    const { rig, poll } = await aPartner(
      read,
      anEvent([anAttribute(1)], {
        Object: [
          { name: 'victim', Attribute: [anAttribute(2)] },
          { name: 'ip-port', Attribute: [anAttribute(3)] },
          { name: 'file', deleted: true, Attribute: [anAttribute(4)] },
        ],
      }),
    );

    expect(await poll()).toEqual(upsert(1, 3));
    expect(rig.ask('SELECT refusal FROM object WHERE refusal IS NOT NULL')).toEqual([
      { refusal: 'data of victims or persons' },
    ]);
  });

  it('is taken as far as the filter says, and withdrawn by none', async () => {
    const event = anEvent([
      anAttribute(1, { Tag: [{ name: 'C2' }] }),
      anAttribute(2, { Tag: [{ name: 'c2' }, { name: 'Phishing' }] }),
      anAttribute(3, { type: 'domain', value: 'evil.example', Tag: [{ name: 'c2' }] }),
      anAttribute(4),
    ]);
    const { poll } = await aPartner(
      read,
      [
        event,
        anEvent([anAttribute(8, { Tag: [{ name: 'c2' }] })], { uuid: id(901), Orgc: { name: 'OTHER', uuid: id(77) } }),
      ],
      {
        filter: { tags: ['c2'], not_tags: ['phishing'], types: ['ip-dst'], orgs: ['exchange'] },
      },
    );

    expect(await poll()).toEqual(upsert(1));
  });

  it('that cannot be read keeps no other from it, and comes when it can', async () => {
    const { server, poller, poll, clock } = await aPartner(read, [four, anEvent([anAttribute(8)], { uuid: id(901) })]);
    server.setFaults([
      read === 'sync'
        ? { match: `/events/view/${EVENT}`, action: 'status', status: 500 }
        : { match: '/attributes/restSearch', holds: EVENT, action: 'status', status: 500 },
    ]);

    expect(await poll()).toEqual(upsert(8));
    expect(poller.failure).toMatchObject({ kind: 'retryable' });
    server.setFaults([]);
    clock.now += HOUR;
    expect(await poll()).toEqual(upsert(1, 2, 3, 4));
    expect(poller.failure).toBeUndefined();
  });
});

describe('an event that is larger than an answer may be', () => {
  it('is told by sync, keeps no other from being read, and comes once it is smaller', async () => {
    const { server, poller, poll, clock } = await aPartner('sync', [
      four,
      anEvent([anAttribute(8)], { uuid: id(901) }),
    ]);
    server.setQuirks([{ kind: 'huge', match: `/events/view/${EVENT}` }]);

    expect(await poll()).toEqual(upsert(8));
    expect(poller.failure).toMatchObject({ kind: 'permanent' });
    expect(poller.failure?.message).toContain(`the event ${EVENT} came as one answer of more than 64 MiB`);
    server.setQuirks([]);
    clock.now += HOUR;
    expect(await poll()).toEqual(upsert(1, 2, 3, 4));
    expect(poller.failure).toBeUndefined();
  });
});

describe('the same event by both ways', () => {
  it('ends in the same objects', async () => {
    const event = anEvent(
      [
        anAttribute(1, { Tag: [{ name: 'tlp:amber' }], comment: 'C2' }),
        anAttribute(2, { type: 'ip-dst|port', value: '198.51.100.2|443', last_seen: '2026-01-09T00:00:00Z' }),
        anAttribute(3, { to_ids: false }),
        anAttribute(4, { type: 'comment', value: 'a text' }),
      ],
      {
        Tag: [{ name: 'tlp:green' }, { name: 'misp:confidence-level="usually-confident"' }],
        distribution: '4',
        SharingGroup: { name: 'Blue', releasability: 'REL TO BEL' },
        Orgc: { name: 'CERT', uuid: id(77) },
      },
    );
    const objects = async (read: 'search' | 'sync') => {
      const { rig, poll } = await aPartner(read, event);
      await poll();
      return rig.ask(
        'SELECT object_id, version, valid_from, valid_until, confidence, tlp, refusal, facts, life_from FROM object ORDER BY object_id',
      );
    };

    const bySearch = await objects('search');
    expect(bySearch).toHaveLength(4);
    expect(await objects('sync')).toEqual(bySearch);
  });
});
