// What commands that act have in common.
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { configOf } from './cli.ts';
import type { Context } from './command.ts';
import { LEFT, USAGE } from './exit.ts';

/** Runs an action; what the state or a peer refuses is a sentence and exit 1, not a stack. */
export async function doing(context: Context, work: (config: Config) => Promise<number>): Promise<number> {
  const config = configOf(context);
  if (config === undefined) return USAGE;
  try {
    return await work(config);
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind === 'bug') throw error;
    context.out.note(error.message);
    return LEFT;
  }
}

export function usage(context: Context, message: string): number {
  context.out.note(message);
  return USAGE;
}
