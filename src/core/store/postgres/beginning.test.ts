// Which servers are worked with, and what a person is told of the others.
import { describe, expect, it } from 'vitest';
import { ConnectorError } from '../../model/failure.ts';
import { StateAway } from '../sql/away.ts';
import type { ServerPlace } from '../sql/place.ts';
import { type About, refuseUnfit, refuseUnwritable, type Role } from './beginning.ts';

const place = { name: 'postgres://soc.example/entente', user: 'entente', database: 'soc', schema: 's' } as ServerPlace;
const sound: About = { version: 150_006, encoding: 'UTF8', standby: 0, schema: 's', temp: 1 };
const thrownBy = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('a server', () => {
  it.each<readonly [string, Partial<About>, RegExp | undefined]>([
    ['that is sound is taken', {}, undefined],
    ['of the oldest version is taken', { version: 140_000 }, undefined],
    ['that is too old is refused', { version: 130_014 }, /PostgreSQL 13, at least 14/],
    ['whose database cannot hold every text is refused', { encoding: 'LATIN1' }, /soc is in LATIN1/],
  ])('%s', (_what, about, words) => {
    const error = thrownBy(() => refuseUnfit({ ...sound, ...about }, place));

    if (words === undefined) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ kind: 'config', message: expect.stringMatching(words) });
  });

  it.each<readonly [string, Role, Partial<About>, boolean, 'away' | 'config' | undefined]>([
    ['a standby, which takes no writes', 'work', { standby: 1 }, false, 'away'],
    ['a standby, for who only leaves requests', 'beside', { standby: 1 }, false, 'away'],
    ['a standby, for who reads', 'read', { standby: 1, temp: 0 }, false, undefined],
    ['no right to temporary tables', 'work', { temp: 0 }, false, 'config'],
    ['no right to temporary tables, for who only leaves requests', 'beside', { temp: 0 }, false, undefined],
    ['no schema yet', 'work', { schema: null }, false, undefined],
    ['no schema any more', 'work', { schema: null }, true, 'away'],
  ])('with %s (%s)', (_what, role, about, worked, kind) => {
    const error = thrownBy(() => refuseUnwritable({ ...sound, ...about }, role, place, worked));

    const found = error instanceof StateAway ? 'away' : error instanceof ConnectorError ? error.kind : error;
    expect(found).toBe(kind);
  });
});
