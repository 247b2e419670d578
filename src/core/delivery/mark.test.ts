// Our mark in the SIEM: who writes there, what is done about another, and how the place is given back.
import { describe, expect, it } from 'vitest';
import { delivering, signal } from '../../../test/builders/delivering.ts';
import { anIndicator, DAY, HOUR, indicators, ipv4, MINUTE, NOW } from '../../../test/builders/store.ts';
import { entryKey } from '../model/observable.ts';
import { STATE } from '../store/rows/rows.ts';
import { judgeWriter } from './writer.ts';

describe('who writes here', () => {
  it('is told by the mark: a restart goes on, another fresh writer stops us, an old one is taken over', () => {
    const self = { writer: 'me', boot: 'b2', revision: 10, marked: false };
    const mark = { writer: 'me', boot: 'b1', revision: 9, at: NOW };

    expect(judgeWriter(mark, self, NOW).kind).toBe('mine');
    expect(judgeWriter({ ...mark, revision: 11 }, self, NOW).kind).toBe('adopt');
    expect(judgeWriter(mark, { ...self, marked: true }, NOW).kind).toBe('twin');
    expect(judgeWriter({ ...mark, writer: 'you' }, self, NOW + MINUTE).kind).toBe('twin');
    expect(judgeWriter({ ...mark, writer: 'you' }, self, NOW + 16 * MINUTE).kind).toBe('adopt');
    expect(judgeWriter(undefined, self, NOW).kind).toBe('adopt');
  });

  it('a second daemon of the same name writes nothing', async () => {
    const { rig, siem, deliverer } = delivering();
    siem.mark = { writer: 'other', boot: 'x', revision: 1, at: NOW };
    rig.commit(indicators(0, 1));

    await deliverer.cycle(signal);

    expect(siem.writes).toBe(0);
    expect(deliverer.history.failure).toMatchObject({ kind: 'config' });
  });

  it('a copy of this state that starts elsewhere stops the first', async () => {
    const { rig, siem, at, deliverer, start } = delivering();
    await deliverer.cycle(signal);
    at.now += MINUTE;
    await start('boot-2').cycle(signal);
    rig.commit(indicators(0, 1));

    await deliverer.cycle(signal);

    expect(siem.writes).toBe(0);
    expect(deliverer.history.failure?.message).toContain('a copy of this state');
  });

  it.each(['renewed', 'given back'])('a mark of the life before that lands late (%s) stops nobody', async (which) => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 1));
    await start('boot-1').cycle(signal);
    const late = { ...siem.mark!, ...(which === 'renewed' ? {} : { at: 0 }) };
    at.now += 2_000;
    rig.restart();
    const second = start('boot-2');
    await second.cycle(signal);
    siem.mark = late;
    rig.commit(indicators(1, 2));
    at.now += 2_000;

    await second.cycle(signal);

    expect(second.history.failure).toBeUndefined();
    expect(values()).toHaveLength(2);
    expect(siem.mark.boot).toBe('boot-2');
  });

  it('a lost state takes over what stands there, and removes nothing before the partners were read', async () => {
    const { rig, siem, deliverer, values } = delivering();
    const body = JSON.stringify({ owner: 'entente:test-instance', writer: 'lost', until: NOW + DAY });
    for (const value of ['192.0.2.1', '192.0.2.2']) {
      const key = `ipv4-addr|${value}`;
      siem.rows.set(key, {
        owner: 'entente:test-instance',
        key: key as never,
        slot: key,
        writer: 'lost',
        revision: 77,
        until: NOW + DAY,
        body,
      });
    }
    siem.generation = 1;
    siem.mark = { writer: 'lost', boot: 'x', revision: 77, at: NOW - DAY };
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(2);

    rig.commit([anIndicator({ objectId: 'indicator--1', observables: [ipv4('192.0.2.1')] })]);
    rig.store.pollCompleted('partner', NOW);
    await deliverer.cycle(signal);

    expect(values()).toEqual(['192.0.2.1']);
  });

  it('a restored older state raises its revisions above what stands there', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 1));
    siem.tombstones.set('ipv4-addr|198.18.0.0', (NOW + DAY) * 1000);

    await deliverer.cycle(signal);
    at.now += HOUR;
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.0']);
    expect(siem.rows.get('ipv4-addr|198.18.0.0')?.revision).toBeGreaterThan((NOW + DAY) * 1000);
  });

  it('lists and takes over when the mark is newer than the one that the state wrote', async () => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 2));
    await start('boot-1').cycle(signal);
    const { writer } = rig.store.identity();
    // What a later life of this state wrote before the backup was put back: a mark, and an entry unknown here.
    siem.rows.set('ipv4-addr|198.18.9.9', {
      ...[...siem.rows.values()][0]!,
      key: entryKey('ipv4-addr', '198.18.9.9'),
      slot: 'ipv4-addr|198.18.9.9',
    });
    siem.mark = { writer, boot: 'later', revision: siem.mark!.revision + 5, at: at.now };
    rig.commit(indicators(2, 3));

    await start('boot-2').cycle(signal);

    expect(rig.row('198.18.9.9')).toMatchObject({ state: STATE.held });
    expect(values()).toContain('198.18.9.9');
  });
});

describe('the writer mark', () => {
  it('is renewed every few minutes while nothing else is written', async () => {
    const { siem, at, deliverer } = delivering();
    await deliverer.cycle(signal);
    at.now += 4 * MINUTE;
    await deliverer.cycle(signal);
    expect(siem.mark?.at).toBe(NOW);

    at.now += 2 * MINUTE;
    await deliverer.cycle(signal);

    expect(siem.mark?.at).toBe(at.now);
  });

  it('of a twin has us come back within a minute, and not at once', async () => {
    const { siem, deliverer } = delivering();
    siem.mark = { writer: 'other', boot: 'x', revision: 1, at: NOW };

    await deliverer.cycle(signal);

    expect(deliverer.pausedUntil).toBe(NOW + MINUTE);
  });

  it('of a later start of this very state is not given back', async () => {
    const { siem, deliverer } = delivering();
    await deliverer.cycle(signal);
    siem.mark = { ...siem.mark!, boot: 'boot-2' };

    await deliverer.leave(signal);

    expect(siem.mark.at).toBe(NOW);
  });
});

describe('a place that is given back', () => {
  it('is taken by another state at once', async () => {
    const first = delivering();
    first.rig.commit(indicators(0, 1));
    await first.deliverer.cycle(signal);

    await first.deliverer.leave(signal);

    expect(first.siem.mark?.at).toBe(0);
    const mark = first.siem.mark!;
    const verdict = judgeWriter(mark, { writer: 'other', boot: 'b', revision: 0, marked: false }, NOW + 1_000);
    expect(verdict.kind).toBe('adopt');
  });

  it('is not given back where somebody else took it', async () => {
    const { siem, deliverer } = delivering();
    await deliverer.cycle(signal);
    const other = { writer: 'other', boot: 'x', revision: 1, at: NOW };
    siem.mark = other;

    await deliverer.leave(signal);

    expect(siem.mark).toEqual(other);
  });

  it('is taken from a fresh writer by who knows that it is gone', async () => {
    const { rig, siem, start, values } = delivering();
    rig.commit(indicators(0, 1));
    siem.mark = { writer: 'other', boot: 'a1b2 soc-2.example, process 77', revision: 1, at: NOW };
    const waits = start('boot-1');
    await waits.cycle(signal);
    expect(waits.history.failure?.message).toContain('on soc-2.example, process 77');
    expect(waits.history.failure?.message).toContain('--take-over');

    await start('boot-1', { takeOver: true }).cycle(signal);

    expect(values()).toHaveLength(1);
    expect(siem.mark?.writer).not.toBe('other');
  });
});
