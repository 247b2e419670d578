// What ails the daemon itself has a word and a chapter, as the conditions of its parts have.
import { expect, it } from 'vitest';
import { Rig } from '../../test/builders/store.ts';
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { silentLog } from '../core/runtime/log.ts';
import { Away } from './away.ts';
import { statusReport } from './status.ts';

const config = {
  instance: 'soc-one',
  exchanges: [],
  siems: [],
  policy: { never_block: { list_actions: {} } },
  // The report needs no more of it for this.
} as unknown as Config;

function reportOf(doubt: string | undefined) {
  return new Rig().read((reader) =>
    statusReport(
      { config, reader, exchanges: new Map(), deliverers: new Map(), now: () => 0, time: { doubt } },
      '1.2.3',
    ),
  );
}

it('a clock that is not believed', () => {
  expect(reportOf(undefined).conditions).toEqual([]);

  const { conditions, reasons, state } = reportOf('the clock stands 9 days after the last run');

  expect(state).toBe('failing');
  expect(conditions).toEqual([
    {
      condition: 'clock-doubted',
      runbook: 'docs/runbook.md#clock-doubted',
      reason: 'nothing expires: the clock stands 9 days after the last run',
      next_action: 'correct the clock, or let an exchange confirm the time',
    },
  ]);
  expect(reasons[0]).toBe(`${conditions![0]!.reason}; ${conditions![0]!.next_action}`);
});

it('a server of the state that is away', () => {
  const away = new Away(silentLog);
  away.tell('db.example does not answer');

  expect(away.told(reportOf(undefined)).conditions).toMatchObject([
    { condition: 'state-away', runbook: 'docs/runbook.md#state-away' },
  ]);
});

it('a server of the state that only lets nobody read, which holds up no work', () => {
  const away = new Away(silentLog);
  const refused = new ConnectorError('config', 'db.example refused the password');

  expect(
    away.unless(() => {
      throw refused;
    }),
  ).toBeUndefined();

  expect(away.told(reportOf(undefined)).reasons.at(-1)).toBe(
    'db.example refused the password; what is shown is how it was last',
  );
  expect(() =>
    away.unless(() => {
      throw new Error('a fault of ours');
    }),
  ).toThrow('a fault of ours');
});
