// A running daemon knows more than its state file: a configuration it did not take over, a clock it does not
// believe, a warning of the last poll. So it is asked first, where it said that it listens; silence is no failure.
import { placeOf } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import type { StatusReport } from '../core/model/status.ts';
import { rememberedIn } from '../core/store/state/open.ts';

const PATIENCE_MS = 2_000;

export async function statusOfDaemon(config: Config): Promise<StatusReport | undefined> {
  const { token } = config.listen;
  try {
    const url = urlOf(config, '/status');
    const answer = await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'error',
    });
    // Our own answer, of this version or a near one; another instance at this place is told apart by its name.
    const report = (await answer.json()) as StatusReport;
    return answer.ok && report.instance === config.instance ? report : undefined;
  } catch {
    // Whatever is the matter there, the state file answers instead.
    return undefined;
  }
}

/** Whether anything at all comes from where it said that it listens. */
export async function daemonAnswers(config: Config): Promise<boolean> {
  try {
    const answer = await fetch(urlOf(config, '/livez'), {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'error',
    });
    await answer.body?.cancel();
    return true;
  } catch {
    return false; // what is not heard of is what was asked
  }
}

function urlOf(config: Config, path: string): URL {
  const { host, port } = config.listen;
  const listens =
    rememberedIn(placeOf(config), 'listens') ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const url = new URL(path, listens);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url;
}
