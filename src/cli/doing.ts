// What commands that act have in common.
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { withoutHidden } from '../core/model/text.ts';
import { configOf, stateConfigOf } from './config-of.ts';
import type { Context, Flag, FlagValue } from './command.ts';
import { LEFT, USAGE } from './exit.ts';

export const BY: Record<string, Flag> = {
  by: { type: 'string', value: 'NAME', help: 'Who asks, for the record; default the user.' },
  reason: { type: 'string', value: 'TEXT', help: 'Why, for the record.' },
};

/**
 * Runs an action; what the state or a peer refuses is a sentence and exit 1, not a stack, and exit 2 where our own
 * configuration is to be put right, as at the start of the daemon. `needs`: whether it contacts peers, for which the whole
 * configuration must be good and its secrets at hand.
 */
export async function doing(
  context: Context,
  work: (config: Config) => Promise<number>,
  needs: 'state' | 'peers' = 'state',
): Promise<number> {
  const config = needs === 'peers' ? configOf(context) : stateConfigOf(context);
  if (config === undefined) return USAGE;
  try {
    return await work(config);
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind === 'bug') throw error;
    context.out.note(error.message);
    return error.kind === 'config' ? USAGE : LEFT;
  }
}

/** Empty where nothing is said that can be read. */
export function reasonOf({ flags }: Context): string {
  return typeof flags['reason'] === 'string' ? withoutHidden(flags['reason']).trim() : '';
}

/** What was worked out until then would be taken for the whole. */
export function interruptedBy(signal: AbortSignal): void {
  if (signal.aborted) throw new ConnectorError('permanent', 'interrupted: nothing was worked out to its end');
}

/** What to say of a name that none of `all` has; undefined where one has it, or none is given. */
export function unknownName(
  what: 'exchange' | 'SIEM',
  given: FlagValue,
  all: readonly { readonly name: string }[],
): string | undefined {
  if (typeof given !== 'string' || all.some(({ name }) => name === given)) return undefined;
  const named = what === 'SIEM' ? 'SIEM named' : what;
  return `no ${named} ${given}; configured: ${all.map(({ name }) => name).join(', ')}`;
}

export function usage(context: Context, message: string): number {
  context.out.note(message);
  return USAGE;
}
