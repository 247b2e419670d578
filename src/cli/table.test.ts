import { describe, expect, it } from 'vitest';
import { tableLines } from './table.ts';

const HEAD = ['SIEM', 'STATE', 'SINCE', 'WHY'];
const REASON = 'hold 3 waits for a person, who has not answered for a day';
const ROWS = [['splunk-hq', '\u001b[31mfailing\u001b[0m', '2026-11-29 05:31:03Z', REASON]];
const TODAY = '2026-11-29';

describe('a table', () => {
  it('is as wide as it is where nobody reads it on a terminal', () => {
    expect(tableLines(HEAD, ROWS)).toEqual([
      'SIEM       STATE    SINCE                 WHY',
      `splunk-hq  \u001b[31mfailing\u001b[0m  2026-11-29 05:31:03Z  ${REASON}`,
    ]);
  });

  it('shortens times, those of another day less', () => {
    expect(tableLines(HEAD, ROWS, 90, TODAY)[1]).toContain(`05:31Z  ${REASON}`);
    expect(tableLines(HEAD, ROWS, 90, '2026-11-30')[1]).toContain(`11-29 05:31Z  hold`);
  });

  it('leaves out columns in which nothing stands', () => {
    const rows = [
      ['splunk-hq', 'paused', '', 'no hits are read'],
      ['qradar-hq', 'ok', '', ''],
    ];
    expect(tableLines(HEAD, rows, 36, TODAY)[0]).toBe('SIEM       STATE   WHY');
  });

  it('wraps its last column', () => {
    expect(tableLines(HEAD, ROWS, 60, TODAY)).toEqual([
      'SIEM       STATE    SINCE   WHY',
      'splunk-hq  \u001b[31mfailing\u001b[0m  05:31Z  hold 3 waits for a person, who',
      '                            has not answered for a day',
    ]);
  });

  it('becomes blocks with every word and value whole, and leaves out what is empty', () => {
    const long = `${'x'.repeat(64)}.example`;
    expect(tableLines(HEAD, [...ROWS, [long, 'ok', '', '']], 40, TODAY)).toEqual([
      'siem splunk-hq',
      '  state \u001b[31mfailing\u001b[0m',
      '  since 2026-11-29 05:31:03Z',
      '  why hold 3 waits for a person, who has',
      '  not answered for a day',
      '',
      `siem ${long}`,
      '  state ok',
    ]);
  });

  it('never loses a character, however narrow', () => {
    for (let width = 20; width < 120; width++) {
      const text = tableLines(HEAD, ROWS, width, TODAY).join(' ').replace(/\s+/g, ' ');
      for (const part of ['splunk-hq', 'failing', '05:31', ...REASON.split(' ')]) expect(text).toContain(part);
    }
  });
});
