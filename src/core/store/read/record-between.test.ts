import { describe, expect, it } from 'vitest';
import { anIndicator, indicators, ipv4, MINUTE, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';
import type { Compared } from './record-between.ts';
import { RecordReader } from './record.ts';

function reading<T>(rig: Rig, look: (reader: RecordReader) => T): T {
  const reader = new RecordReader(rig.spec);
  try {
    return look(reader);
  } finally {
    reader.close();
  }
}

function compared(rig: Rig, from: number, to: number, most?: { records: number; values: number }): Compared {
  return reading(rig, (reader) => {
    const work = reader.compared(from, to, most);
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
    }
  });
}

describe('two moments compared', () => {
  function ofThreeMinutes(): Rig {
    const rig = new Rig();
    rig.commit(indicators(0, 3));
    rig.deliver(NOW);
    rig.commit(
      [
        ...indicators(3, 5),
        anIndicator({
          objectId: 'indicator--0',
          version: versionAt(NOW),
          confidence: 90,
          observables: [ipv4('198.18.0.0')],
        }),
      ],
      NOW + MINUTE,
    );
    rig.deliver(NOW + MINUTE);
    rig.commit(indicators(1, 2, { version: versionAt(NOW + 1), revoked: true }), NOW + 2 * MINUTE);
    rig.deliver(NOW + 2 * MINUTE);
    return rig;
  }

  it('tell what is armed at the later one and was not at the earlier one, what went, and what is another', () => {
    const rig = ofThreeMinutes();

    expect(compared(rig, NOW, NOW + 2 * MINUTE)).toEqual({
      told: 'all',
      siems: [
        {
          siem: 'siem',
          counts: { arm: 2, change: 1, disarm: 1 },
          armed: ['ipv4-addr|198.18.0.3', 'ipv4-addr|198.18.0.4'],
          disarmed: ['ipv4-addr|198.18.0.1'],
          changed: ['ipv4-addr|198.18.0.0'],
        },
      ],
    });
    expect(compared(rig, NOW, NOW)).toEqual({ told: 'all', siems: [] });
    expect(reading(rig, (reader) => reader.between(NOW, NOW + MINUTE))).toMatchObject([{ disarmed: [] }]);
  });

  it('tell counts alone where more values changed than are asked for, and nothing where there are too many records', () => {
    const rig = ofThreeMinutes();

    expect(compared(rig, 0, NOW + 2 * MINUTE, { records: 10, values: 6 })).toEqual({
      told: 'counts',
      siems: [{ siem: 'siem', counts: { arm: 5, change: 1, disarm: 1 } }],
    });
    expect(compared(rig, 0, NOW + 2 * MINUTE, { records: 3, values: 6 })).toEqual({ told: 'nothing' });
  });
});
