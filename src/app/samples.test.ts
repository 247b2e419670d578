import { describe, expect, it } from 'vitest';
import type { SiemReport, StatusReport } from '../core/model/status.ts';
import { Sampler } from './samples.ts';

const HALF = Date.UTC(2026, 0, 5, 10);
const siem = (given: Partial<SiemReport>): SiemReport => ({
  name: 'siem',
  type: 'list',
  state: 'ok',
  since: '',
  reason: null,
  next_action: null,
  last_success: null,
  last_failure: null,
  next_attempt: null,
  wanted: 9,
  delivered: 8,
  pending: 0,
  parked: 0,
  held: 0,
  rejected: 0,
  oldest_pending_secs: 0,
  secs_left: null,
  drift: 0,
  kept_out: 0,
  hits: { state: 'ok', reason: null },
  ...given,
});
const status = (given: Partial<SiemReport>, sightings = { hits: 0, sent: 0 }): StatusReport => ({
  instance: 'soc-one',
  version: '1',
  state: given.state ?? 'ok',
  since: '',
  reasons: [],
  exchanges: [],
  siems: [siem(given)],
  never_block: [],
  sweeps: [],
  sightings: { held: 0, denied: 0, queued: 0, failed: 0, ...sightings },
});
const NOBODY = { newestObject: () => 0, objectsAfter: () => [], standsOf: () => [] };
const of = (sampler: Sampler, role: string) => sampler.take().filter((one) => one.role === role);

describe('the half hours of a peer', () => {
  it('hold the seconds it spent in each state, and begin anew on the half hour', () => {
    const sampler = new Sampler(NOBODY);
    sampler.look(status({}), HALF);
    sampler.look(status({}), HALF + 10_000);
    sampler.look(status({ pending: 3, oldest_pending_secs: 61 }), HALF + 20_000);
    sampler.look(status({ pending: 3, oldest_pending_secs: 5 }), HALF + 30_000);
    sampler.look(status({ state: 'failing' }), HALF + 40_000);
    sampler.look(status({ state: 'paused' }), HALF + 1_800_000);

    expect(of(sampler, 'siem')).toEqual([
      expect.objectContaining({ start: HALF, peer: 'siem', ok: 20, behind: 10, failing: 10, paused: 0, entries: 8 }),
      // What was not looked at for longer is not known.
      expect.objectContaining({ start: HALF + 1_800_000, ok: 0, failing: 0, paused: 30 }),
    ]);
    expect(sampler.take()).toEqual([]);
  });

  it('count hits and sightings from one look to the next, and nothing of what was there before', () => {
    const sampler = new Sampler(NOBODY);
    sampler.look(status({}, { hits: 500, sent: 40 }), HALF);
    sampler.look(status({}, { hits: 503, sent: 41 }), HALF + 10_000);

    expect(of(sampler, 'whole')).toEqual([expect.objectContaining({ hits: 3, told: 1 })]);
  });

  it('follow new objects until they are armed in each SIEM, and leave out what was there, or published, before', () => {
    const armed = new Map<number, boolean>();
    let came = false;
    const at = (ms: number) => new Date(HALF + ms).toISOString();
    const objects = [
      { id: 1, version: at(3_000) },
      { id: 2, version: at(3_000) },
      { id: 3, version: at(-60_000) },
    ];
    const sampler = new Sampler({
      newestObject: () => 1,
      objectsAfter: (id) => (came ? objects.filter((one) => one.id > id) : []),
      standsOf: (id) => [{ siem: 'siem', armed: armed.get(id) ?? false }],
    });
    sampler.look(status({}), HALF);
    came = true;
    sampler.look(status({}), HALF + 10_000);
    for (const { id } of objects) armed.set(id, true);
    sampler.look(status({}), HALF + 20_000);
    sampler.look(status({}), HALF + 30_000);

    expect(of(sampler, 'siem')).toEqual([expect.objectContaining({ armed: 1, armed_secs: 17, armed_most: 17 })]);
  });
});
