// What `status` tells of the never-block lists: what each is set to, how much of it counts, and what it has met.
import type { Config } from '../core/config/load.ts';
import type { NeverBlockReport } from '../core/model/status.ts';
import { actionOf } from '../core/policy/never-block.ts';
import type { StoreReader } from '../core/store/read/status.ts';

export function neverBlockReport({ policy }: Config, reader: Pick<StoreReader, 'neverBlock'>): NeverBlockReport[] {
  const { lists, met } = reader.neverBlock();
  const actions = Object.fromEntries(
    Object.entries(policy.never_block.list_actions).filter((pair) => pair[1] !== undefined),
  ) as Record<string, 'refuse' | 'note'>;
  const names = new Set([
    ...[...met.keys()].map((key) => key.slice(0, key.lastIndexOf(' '))),
    ...lists.map((one) => one.name),
  ]);
  return [...names].sort().map((list) => {
    const read = lists.find((one) => one.name === list);
    return {
      list,
      action: actionOf(list, actions),
      entries: read?.entries ?? null,
      left_out: read?.leftOut ?? 0,
      refused: met.get(`${list} refuse`) ?? 0,
      noted: met.get(`${list} note`) ?? 0,
      problems: read?.problems ?? [],
    };
  });
}
