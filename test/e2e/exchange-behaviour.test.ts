// Partners that misbehave without being broken, by the launcher: what is armed, what is told, and what the partner sees.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Settings, Status } from './site.ts';
import { aWorld, addresses, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const OPEN = { policy: { never_block: { list_actions: { documentation: 'note', special_addresses: 'note' } } } };

let world: World;
afterEach(async () => {
  await world.close();
});

interface Collections {
  readonly collections: readonly { readonly title: string; readonly state: string; readonly reason: string | null }[];
}

const collectionsOf = (status: Status) => (status.exchanges[0] as unknown as Collections).collections;

describe('an exchange of three collections', () => {
  it.each(['hangs', 'answers 500'])('has two of them armed though the second %s, and says which it is', async (how) => {
    world = await aWorld({ taxii: { more: ['First', 'Second', 'Third'] } });
    const { taxii, site } = world;
    for (const [n, title] of ['First', 'Second', 'Third'].entries())
      taxii.load([indicator(addresses(1, n)[0]!)], { collection: title });
    const match = `${taxii.idOf('Second')}/objects/`;
    taxii.setFaults([
      how === 'hangs'
        ? { action: 'hang', match }
        : { action: 'status', status: 500, match, body: '{"title":"\u202eno"}' },
    ]);
    site.configure(world.settings({ exchange: { collections: ['First', 'Second', 'Third'] }, top: OPEN }));

    const once = await site.entente(['run', '--once', '--patience-secs', '6']);
    const status = await site.ask<Status>(['status']);

    expect(once.code).toBe(1);
    expect(world.armed()).toEqual(['198.18.0.1', '198.18.0.3']);
    expect(status.exchanges[0]?.state).not.toBe('ok');
    expect(Object.fromEntries(collectionsOf(status).map(({ title, state }) => [title, state]))).toEqual({
      First: 'ok',
      Second: 'recovering',
      Third: 'ok',
    });
    expect((await site.entente(['status'])).stdout).toMatch(/Second +partner +recovering/);
    expect(site.printed).not.toContain('\u202e');

    taxii.setFaults([]);
    await site.entente(['run', '--once']);
    expect(world.armed()).toHaveLength(3);
  });
});

describe('a partner that gives at most 20 objects at once', () => {
  it('has all 40 armed, and is asked for as many from then on', async () => {
    world = await aWorld({
      taxii: { data: addresses(40).map((value) => indicator(value)), quirks: [{ kind: 'limit-refused' }] },
    });
    const { site, taxii } = world;
    site.configure(world.settings({ top: OPEN }));

    const probe = await site.entente(['check', '--probe']);
    const first = await site.entente(['run', '--once']);
    const refused = () => [...taxii.requests].find(([route]) => route.endsWith(' 413'))?.[1] ?? 0;
    const before = refused();
    const second = await site.entente(['run', '--once']);
    const status = await site.ask<Status>(['status']);

    expect(probe.stdout).toMatch(/pages of at most 15/);
    expect([first.code, world.armed().length]).toEqual([0, 40]);
    expect([second.code, refused()]).toEqual([0, before]);
    expect(first.stderr.match(/asked for in pages of 15/g)).toHaveLength(1);
    expect(collectionsOf(status)[0]?.reason).toMatch(/asked for in pages of 15/);
  });
});

describe('credentials', () => {
  const SECRET = 'the-token-1';

  it('of a blank user name pass the check, are sent as given, and work', async () => {
    world = await aWorld({ taxii: { users: [{ username: '', password: SECRET }], data: [indicator('198.18.0.9')] } });
    world.site.configure(world.settings({ exchange: { auth: { username: '', password: SECRET } }, top: OPEN }));

    expect(await world.site.entente(['check', '--probe'])).toMatchObject({ code: 0 });
    expect(await world.site.entente(['run', '--once'])).toMatchObject({ code: 0 });
    expect(world.armed()).toEqual(['198.18.0.9']);
  });

  it.each([
    `https://me:${SECRET}@taxii.example/`,
    `https://taxii.example/?api_key=${SECRET}`,
    `https://${SECRET}@taxii.example/`,
  ])('in a URL are refused and printed nowhere: %s', async (url) => {
    world = await aWorld();
    world.site.configure(world.settings({ exchange: { url } as Settings, top: OPEN }));

    const check = await world.site.entente(['check']);
    await world.site.entente(['run', '--once']);
    await world.site.entente(['status']);

    expect(check.code).toBe(2);
    expect(world.site.printed).toMatch(/without user name or password/);
    expect(world.site.printed).not.toContain(SECRET);
  });
});
