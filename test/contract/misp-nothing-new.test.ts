// Nothing new, as servers and what stands before them say it. Held through the simulated partner, the poller and the store.
import { describe, expect, it } from 'vitest';
import { aPartner, four, id, remove, upsert } from './misp-rig.ts';

describe.each(['search', 'sync'] as const)('misp by %s on a server where nothing is new', (read) => {
  it.each<[number, string]>([
    [204, ''],
    [200, ''],
    [200, ' \n'],
    [200, '{}'],
    [200, '[]'],
    [200, '{"response":null}'],
    [200, '{"response":{}}'],
  ])('takes %i with the body %j for that, takes nothing back, and goes on from where it was', async (status, body) => {
    const { server, poller, poll, list, act } = await aPartner(read, four);
    const armed = await poll();
    server.setFaults(['events/restSearch', 'events/index'].map((match) => ({ match, action: 'status', status, body })));
    act({ do: 'delete', attribute: id(1), publish: true });

    const none = [await poll(), await list()];
    const stood = poller.failure;
    server.setFaults([]);

    expect(armed).toEqual(upsert(1, 2, 3, 4));
    expect([stood, none]).toEqual([undefined, [[], []]]);
    expect(await poll()).toEqual(remove(1));
  });

  it.each([
    [200, '{"message":"maintenance"}'],
    [200, '{"response":"none"}'],
    [200, '{"errors":["x"]}'],
    [200, 'null'],
    [200, '{'],
  ])('takes %i with the body %j for no such answer', async (status, body) => {
    const { server, poller, poll } = await aPartner(read, four);
    await poll();
    server.setFaults([{ match: '/events/', action: 'status', status, body }]);

    expect(await poll()).toEqual([]);
    expect(poller.failure).toMatchObject({ message: expect.stringMatching(/not what MISP answers|broken JSON/) });
  });
});
