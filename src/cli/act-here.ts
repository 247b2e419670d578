// The work of a command that holds the state itself, because no daemon does.
import { App } from '../app.ts';
import { perform, type RequestArguments } from '../app/requests.ts';
import { untilStopped } from '../app/stopping.ts';
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import type { Json } from '../core/model/json.ts';
import { commandLog } from './command-log.ts';
import type { Context } from './command.ts';
import { Steps } from './steps.ts';

/** Who asks at a terminal does not wait long for the state's own server. */
const SERVER_PATIENCE_MS = 10_000;

/** The caller holds the lock of the state, as `holder`. */
export async function actHere(
  context: Context,
  config: Config,
  args: RequestArguments,
  by: string,
  holder: string,
): Promise<Json> {
  const log = commandLog(config);
  try {
    const steps = new Steps(context.out);
    const app = await App.open({
      config,
      log,
      version: context.parts.version,
      holder,
      serverPatienceMs: SERVER_PATIENCE_MS,
      onProgress: ({ siem, applied, parked }) => steps.written(siem, applied + parked, () => pendingAt(app, siem)),
    });
    try {
      return await ofStopped(app, context, (signal) =>
        answered(perform(app, args, by, signal, (step) => steps.at(step))),
      );
    } finally {
      steps.end();
      await app.close();
    }
  } finally {
    await log.close();
  }
}

/** What a SIEM refuses is left over, as where a daemon answers: our own configuration was good enough to begin. */
async function answered(work: Promise<Json>): Promise<Json> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'config') throw error;
    throw new ConnectorError('permanent', error.message, { cause: error });
  }
}

/** A command that was told to stop ends soon and says so, whatever its calls in hand and the store come to. */
async function ofStopped(app: App, { signal }: Context, work: (signal: AbortSignal) => Promise<Json>): Promise<Json> {
  let cause: unknown;
  try {
    const answer = await untilStopped(app, work(signal), signal);
    if (answer !== undefined) return answer;
  } catch (error) {
    if (!signal.aborted) throw error;
    cause = error;
  }
  throw new ConnectorError('permanent', 'interrupted: it is not done; the same command again does the rest', { cause });
}

const pendingAt = (app: App, siem: string): number => app.reader.siems().find((one) => one.name === siem)?.pending ?? 0;
