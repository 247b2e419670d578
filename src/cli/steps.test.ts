import { describe, expect, it } from 'vitest';
import { systemClock } from '../core/runtime/clock.ts';
import { createOutput } from './output.ts';
import { Steps } from './steps.ts';

function anOutput(isTTY: boolean, columns = 80) {
  const at = { now: 0, text: '' };
  const write = (more: string) => {
    at.text += more;
  };
  const stderr = { isTTY, columns, write };
  const clock = { ...systemClock, monotonic: () => at.now };
  return { at, out: createOutput({ write: () => {} }, stderr, {}, clock) };
}

const listed = (siem: string, done: number) => ({ siem, what: 'listed' as const, more: 0, done, of: () => 4000 });

describe('long work at SIEMs', () => {
  it('is told every few seconds, one SIEM after the other, where there is no terminal', () => {
    const { at, out } = anOutput(false);
    const steps = new Steps(out);
    for (; at.now <= 6000; at.now += 500) steps.at(listed('a', at.now / 2));
    for (; at.now <= 14_000; at.now += 500) steps.at(listed('b', (at.now - 6000) / 4));
    steps.end();

    expect(at.text).toBe(
      [
        'Listing a  2,500 of 4,000  500/s  3 s left',
        'Listing a  3,000 of 3,000  462/s',
        'Listing b  1,375 of 4,000  275/s  10 s left',
        'Listing b  2,000 of 2,000  250/s',
        '',
      ].join('\n'),
    );
  });

  it('is a bar on a terminal', () => {
    const { at, out } = anOutput(true);
    const steps = new Steps(out);
    for (; at.now <= 1000; at.now += 50) steps.written('a', 100, () => 500);
    steps.end();

    expect(at.text).toMatch(/\rWriting to a {2}\[#+-+\] {2}/);
    expect(at.text.match(/\n/g)).toHaveLength(1);
  });

  it('is one line of a narrow terminal too, or each would stay where it was painted over', () => {
    const { at, out } = anOutput(true, 40);
    const progress = out.progress('Read 1,000,000; writing');
    for (; at.now <= 1000; at.now += 200) progress.at(400_000 + at.now, () => 983_320);
    progress.end();

    // Cursor commands take no room.
    const lines = at.text.split(/[\r\n]/).map((line) => line.replaceAll('\u001b[K', ''));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
    expect(lines.at(-2)).toMatch(/^Read 1,000,000; writing {2}401,000/);
  });

  it('that is over at once is not spoken of', () => {
    const { at, out } = anOutput(false);
    const steps = new Steps(out);
    steps.at(listed('a', 10));
    steps.at(listed('b', 10));
    steps.end();

    expect(at.text).toBe('');
  });
});

describe('work of the daemon for a command', () => {
  it('is waited for in plain lines, or in one line that goes from the terminal when it is over', () => {
    for (const [tty, said] of [
      [false, /^The daemon is at it {2}5 s\nThe daemon is at it {2}10 s\n$/],
      [true, /^(\rThe daemon is at it {2}\d+ s<clear>)+\r<clear>$/],
    ] as const) {
      const { at, out } = anOutput(tty);
      const waiting = out.waiting(() => 'The daemon is at it');
      for (; at.now <= 12_000; at.now += 200) waiting.tick();
      waiting.end();

      expect(at.text.replaceAll('\u001b[K', '<clear>')).toMatch(said);
    }
  });
});
