// What `suppress lift` and `harmless lift` share: a value that either took off comes back only once nothing of both holds it.
import type { Config } from '../core/config/load.ts';
import type { StoreReader } from '../core/store/read/status.ts';
import type { Context } from './command.ts';
import { usage } from './doing.ts';
import { DONE } from './exit.ts';
import { when } from './output.ts';
import { act, clockOf, withReader } from './state.ts';

type Verb = 'suppress' | 'harmless';

interface Holding {
  readonly of: Verb;
  readonly id: number;
  readonly type: string;
  readonly value: string;
  /** Null: until it is lifted. */
  readonly until: string | null;
  readonly by: string;
  readonly reason: string;
}

export async function lift(context: Context, config: Config, of: Verb, typed: string | undefined): Promise<number> {
  const id = /^\d{1,15}$/.test(typed ?? '') ? Number(typed) : undefined;
  if (id === undefined) return usage(context, `${of} lift needs an ID; see ${of} list`);
  const now = clockOf(config).now();
  const before = withReader(config, (reader) => holding(reader, now));
  const answer = await act(context, config, { kind: 'lift', id, of });
  const lifted = before.find((one) => one.of === of && one.id === id);
  const still = before.filter((one) => one !== lifted && one.type === lifted?.type && one.value === lifted.value);
  const { out } = context;
  if (context.json) out.json({ ...(answer as object), still });
  else if (still.length === 0) out.line(`Lifted ${id}; the next cycle writes the value again where it is wanted.`);
  else {
    const by = still.every((one) => one.of === 'suppress') ? 'another suppression holds' : 'more holds it';
    out.line(`Lifted ${id}; ${lifted?.value ?? 'the value'} stays off, because ${by}:`);
    for (const one of still)
      out.line(
        `  ${one.id} ${one.until === null ? 'called harmless' : `until ${when(one.until)}`}, by ${one.by}: ${one.reason}  (entente ${one.of} lift ${one.id})`,
      );
  }
  return DONE;
}

const holding = (reader: StoreReader, now: number): Holding[] => [
  ...reader.suppressions(now).map((one) => ({ ...one, of: 'suppress' as const })),
  ...reader.harmless().map((one) => ({ ...one, until: null, of: 'harmless' as const })),
];
