// How a SIEM stands with us: what makes it failing and what ends that, and what is known of changes whose call did not
// end well.
import { describe, expect, it } from 'vitest';
import { delivering, signal } from '../../../test/builders/delivering.ts';
import { DAY, indicators, MINUTE, NOW, versionAt } from '../../../test/builders/store.ts';
import { ConnectorError, configFailure, type Failure, permanent, retryable } from '../model/failure.ts';

const SECOND = 1000;
const plain = { versioned: false };
const revoked = (from: number, to: number) => indicators(from, to, { revoked: true, version: versionAt(NOW) });
const refusal: Failure = { kind: 'permanent', message: 'may not delete', code: 'no_delete' };

describe('a removal that is refused', () => {
  async function failing() {
    const all = delivering();
    all.rig.commit(indicators(0, 2));
    await all.deliverer.cycle(signal);
    all.siem.refuse = (change) => (change.op === 'remove' ? refusal : undefined);
    all.rig.commit(revoked(0, 1));
    await all.deliverer.cycle(signal);
    expect(all.deliverer.history.failure).toMatchObject({
      kind: 'config',
      message: expect.stringContaining('removal'),
    });
    all.at.now += MINUTE;
    return all;
  }

  it('is no trouble any more once its container was made anew', async () => {
    const { siem, deliverer, values } = await failing();
    siem.drop();

    await deliverer.cycle(signal);

    expect([deliverer.history.failure, values()]).toEqual([undefined, ['198.18.0.1']]);
  });

  it('is no trouble any more once everything was taken over anew, and it is gone', async () => {
    const { siem, deliverer } = await failing();
    siem.rows.delete('ipv4-addr|198.18.0.0');
    siem.mark = undefined;

    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toBeUndefined();
  });

  it('makes the SIEM failing also where a task refuses it', async () => {
    const { rig, siem, connect, at, start, values } = delivering({ ...plain, receipts: true });
    const connector = connect();
    const deliverer = start('boot-1', { connector });
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = (change) => (change.op === 'remove' ? refusal : undefined);
    rig.commit(revoked(0, 1));

    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toMatchObject({ kind: 'config', message: expect.stringContaining('removal') });
    // While it is tried again by a task that runs nothing is said to be well.
    siem.refuse = undefined;
    at.now += 20 * MINUTE;
    const settle = connect().settle!.bind(connect());
    let running = true;
    const waits = async (receipt: string, until: AbortSignal) => (running ? 'pending' : settle(receipt, until));
    Object.assign(connector, { settle: waits });
    await deliverer.cycle(signal);
    expect(deliverer.history.failure).toMatchObject({ kind: 'config' });
    running = false;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    await deliverer.cycle(signal);
    expect([values(), deliverer.history.failure]).toEqual([['198.18.0.1'], undefined]);
  });
});

describe('after a failure', () => {
  it('that a person mends, the SIEM is negotiated with again', async () => {
    const { rig, siem, at, deliverer } = delivering();
    await deliverer.cycle(signal);
    let opens = 0;
    siem.hook = (call, when) => {
      if (call === 'open' && when === 'before') opens++;
      if (call === 'apply') throw configFailure('403');
    };
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    expect(opens).toBe(0);

    at.now += MINUTE;
    await deliverer.cycle(signal);

    expect(opens).toBe(1);
  });

  it('that came before the removals they wait like the rest: no cycle after the other tries them', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    let calls = 0;
    siem.hook = (call, when) => {
      if (call !== 'containers' || when === 'after') return;
      calls++;
      throw retryable('503', { retryAfterMs: 10 * MINUTE });
    };
    rig.commit(revoked(0, 1));

    for (let i = 0; i < 5; i++) {
      await deliverer.cycle(signal);
      at.now += SECOND;
    }
    expect(calls).toBe(1);

    siem.hook = undefined;
    at.now += 10 * MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toEqual(['198.18.0.1']);
  });

  it('of an administrator who deleted the container it is provisioned again before anything is written', async () => {
    const { rig, siem, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.drop();
    const calls: string[] = [];
    siem.hook = (call, when) => {
      if (when === 'before') calls.push(call);
    };

    await deliverer.cycle(signal);

    expect(calls.filter((call) => call === 'open' || call === 'apply')).toEqual(['open', 'apply']);
    expect(values()).toHaveLength(2);
  });

  it('of one container the others go on, and what waited goes at once when it is over', async () => {
    const { rig, siem, connect, at, start, values } = delivering({ maxItems: 1 });
    let trouble: Failure | undefined = { kind: 'config', message: 'one set is of another type', code: 'place_type' };
    const deliverer = start('boot-1', { connector: Object.assign(connect(), { trouble: () => trouble }) });
    siem.refuse = ({ key }) => (key.endsWith('.0.0') ? trouble : undefined);
    rig.commit(indicators(0, 3));

    await deliverer.cycle(signal);
    expect([values(), deliverer.history.failure?.code]).toEqual([['198.18.0.1', '198.18.0.2'], 'place_type']);

    trouble = undefined;
    at.now += SECOND;
    await deliverer.cycle(signal);
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(3);
  });
});

describe('what is known of changes whose call did not end well', () => {
  it('nothing where it may have been carried out, though the failure is one that a person mends', async () => {
    const { rig, at, deliverer, values, onApply } = delivering(plain);
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    let left = 1;
    onApply(() => {
      if (left-- > 0) throw configFailure('the answer does not come from the product', { uncertain: true });
    }, 'after');
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(2);
    rig.commit(revoked(0, 2));

    for (let i = 0; i < 3; i++) {
      at.now += 10 * MINUTE;
      await deliverer.cycle(signal);
    }

    expect(values()).toEqual([]);
  });

  it('that they were left undone where the SIEM says so: nothing is read back', async () => {
    const { rig, siem, at, deliverer, values } = delivering(plain);
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    let left = 1;
    const calls: string[] = [];
    siem.hook = (call, when) => {
      if (when === 'before') calls.push(call);
      if (call === 'apply' && left-- > 0) throw retryable('429', { uncertain: false });
    };
    await deliverer.cycle(signal);
    at.now += MINUTE;

    await deliverer.cycle(signal);

    expect([values().length, calls.filter((call) => call === 'list')]).toEqual([2, []]);
  });

  it('what their task came to, though it cannot be asked for at once', async () => {
    const { rig, siem, at, deliverer, values } = delivering({ ...plain, receipts: true });
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.hook = (call) => {
      if (call === 'settle') throw retryable('503');
    };
    await deliverer.cycle(signal);
    expect(rig.store.receipts('siem')).toHaveLength(1);

    siem.hook = (call) => {
      if (call === 'list') throw permanent('nothing is to be read back');
    };
    at.now += MINUTE;
    await deliverer.cycle(signal);

    expect([values().length, rig.store.receipts('siem'), deliverer.failure]).toEqual([2, [], undefined]);
  });
});

it('what is listed under our mark raises our revisions, also where nobody can read what it is', async () => {
  const { rig, siem, at, deliverer } = delivering();
  const high = (NOW + 400 * DAY) * 1000;
  const key = 'of-another-time|x' as never;
  const body = '{}';
  const owner = 'entente:test-instance';
  siem.generation = 1;
  siem.rows.set('old', { owner, key, slot: 'old', writer: 'lost', revision: high, until: NOW + DAY, body });
  rig.commit(indicators(0, 1));

  await deliverer.cycle(signal);
  at.now += MINUTE;
  rig.commit(indicators(1, 2), at.now);
  await deliverer.cycle(signal);

  expect(siem.rows.get('ipv4-addr|198.18.0.1')?.revision).toBeGreaterThan(high);
});

it('what was negotiated is what the mapping knows', async () => {
  const { rig, connect, start } = delivering();
  const connector = connect();
  const open = async () => ({ facts: { version: 9 }, containers: [{ name: 'memory', identity: '1' }] });

  await start('boot-1', { connector: Object.assign(connector, { open }) }).cycle(signal);

  expect(rig.store.siemFacts('siem').facts).toEqual({ version: 9 });
});

it('a batch is split as the SIEM asks, in the middle of other failures too', async () => {
  const { rig, deliverer, values, onApply } = delivering();
  rig.commit(indicators(0, 8));
  onApply((batch) => {
    if (batch.size > 3) throw new ConnectorError('permanent', '413', { split: { maxItems: 3 } });
    if (batch.changes.some((one) => one.key.endsWith('.0.5'))) throw permanent('400');
  });

  await deliverer.cycle(signal);

  expect(values()).toHaveLength(7);
  expect(rig.read((reader) => reader.parked(10))).toMatchObject([{ value: '198.18.0.5' }]);
});
