// A guard in front of a partner's MISP, as misp-guard is one: what it refuses is neither a bad key nor a withdrawal, and what got past it,
// by its own published findings, must not get past us.
import { describe, expect, it } from 'vitest';
import { aPartner, anAttribute, anEvent, EVENT, four, id, remove, upsert } from './misp-rig.ts';
import { HOUR } from '../builders/store.ts';

const FORBIDDEN = {
  action: 'status',
  status: 403,
  headers: { 'content-type': 'text/plain' },
  body: 'Forbidden',
} as const;
const other = (n: number) => anEvent([anAttribute(n)], { uuid: id(900 + n) });

describe('a guard that keeps single events back', () => {
  it('keeps no other from being read, and the event comes once it lets it pass', async () => {
    const { server, poller, poll, clock } = await aPartner('sync', [four, other(11), other(12), other(13)]);
    server.setFaults([EVENT, id(911), id(912)].map((one) => ({ match: `/events/view/${one}`, ...FORBIDDEN })));

    expect(await poll()).toEqual(upsert(13));
    expect(poller.failure?.message).toMatch(/a guard in front of the server keeps .* back \(403 Forbidden\)/);
    expect(poller.failure?.message).not.toContain('renew');
    server.setFaults([]);
    clock.now += HOUR;
    expect(await poll()).toEqual(upsert(1, 11, 12, 2, 3, 4));
    expect(poller.failure).toBeUndefined();
  });

  it('withdraws nothing of them, by a poll or by a listing', async () => {
    const { server, act, poll, list } = await aPartner('sync', [four, other(11)], { unpublish_grace_hours: 0 });
    await poll();
    server.setFaults([{ match: `/events/view/${EVENT}`, ...FORBIDDEN }]);

    act({ do: 'edit', attribute: id(1), set: { value: '198.51.100.9' }, publish: true });
    expect(await poll()).toEqual([]);
    expect(await list()).toEqual([]);
    act({ do: 'unpublish', event: EVENT });
    expect(await poll()).toEqual([]);
    expect(await list()).toEqual([]);
    server.setFaults([]);
    expect(await poll()).toEqual(remove(1, 2, 3, 4));
  });

  it('is taken for a guard that lets no event pass where that is so', async () => {
    const { server, poller, poll } = await aPartner(
      'sync',
      Array.from({ length: 30 }, (_, n) => other(n + 11)),
    );
    server.setFaults([{ match: '/events/view/', ...FORBIDDEN }]);

    expect(await poll()).toEqual([]);
    expect(poller.failure?.message).toContain('a guard in front');
    const asked = [...server.requests].filter(([route]) => route.includes('events/view'));
    expect(asked.reduce((sum, [, n]) => sum + n, 0)).toBeLessThan(15);
  });
});

describe.each(['search', 'sync'] as const)('what got past a guard, by %s', (read) => {
  it.each(['TLP:RED', 'Tlp:Red', ' tlp:red', 'tlp:red ', 'tlp:red\n', 'tlp:RED', 'tlp:\u200bred'])(
    'a marking spelled %j is as strict as any, on event and attribute',
    async (tag) => {
      const onEvent = await aPartner(read, anEvent([anAttribute(1)], { Tag: [{ name: tag }] }));
      const onAttribute = await aPartner(read, anEvent([anAttribute(1, { Tag: [{ name: tag }] }), anAttribute(2)]));

      expect(await onEvent.poll()).toEqual([]);
      expect(await onAttribute.poll()).toEqual(upsert(2));
    },
  );

  it.each<[string, readonly ('numbers' | 'flags')[]]>([
    ['"0"', ['flags']],
    ['0', ['flags', 'numbers']],
    ['false', []],
  ])('to_ids and deleted as %s mean what they say', async (_how, kinds) => {
    const { server, poll } = await aPartner(
      read,
      anEvent([anAttribute(1), anAttribute(2, { to_ids: false }), anAttribute(3, { deleted: true })]),
    );
    server.setQuirks([
      ...(read === 'sync' ? [{ kind: 'guard' } as const] : []),
      ...kinds.map((kind) => ({ kind, match: '' })),
    ]);

    expect(await poll()).toEqual(upsert(1));
  });

  it('an attribute is one, whatever the case of its uuid', async () => {
    const upper = '9F1D4A52-6F0C-4A53-9F3F-ABCDEF000001';
    const { rig, act, poll } = await aPartner(read, anEvent([anAttribute(1, { uuid: upper })]));

    expect(await poll()).toEqual(upsert(1));
    act({ do: 'edit', attribute: upper, set: { to_ids: false }, publish: true });
    expect(await poll()).toEqual(remove(1));
    expect(rig.ask('SELECT object_id FROM object')).toEqual([{ object_id: upper.toLowerCase() }]);
  });

  it('a line break makes no second value, and hides none', async () => {
    const { rig, poll } = await aPartner(
      read,
      anEvent([
        anAttribute(1, { value: '198.51.100.1\n198.51.100.200' }),
        anAttribute(2, { value: '198.51.100.2\r\n' }),
        anAttribute(3, { type: 'domain', value: 'evil.example\nministry.example' }),
        anAttribute(4, { type: 'ip-dst|port', value: '198.51.100.4\n|443' }),
      ]),
    );

    expect(await poll()).toEqual(upsert(2, 4));
    expect(rig.ask('SELECT object_id, refusal FROM object WHERE refusal IS NOT NULL ORDER BY object_id')).toEqual([
      { object_id: id(1), refusal: 'not an IPv4 address' },
      { object_id: id(3), refusal: 'not a domain name' },
    ]);
  });

  it.each([4, '4'])(
    'a sharing group is a term that a release rule has to name, with distribution %j',
    async (distribution) => {
      const group = {
        distribution,
        sharing_group_id: '7',
        SharingGroup: { name: 'Blue', releasability: 'REL TO BEL' },
      };
      const { rig, poll } = await aPartner(read, anEvent([anAttribute(1)], group));

      expect(await poll()).toEqual(upsert(1));
      const [object] = rig.ask<{ facts: string }>('SELECT facts FROM object');
      expect(JSON.parse(object!.facts)).toMatchObject({
        statements: ['sharing group: Blue', 'releasable to: REL TO BEL'],
      });
    },
  );
});
