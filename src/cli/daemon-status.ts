// A running daemon knows more than its state file: a configuration it did not take over, a clock it does not
// believe, a warning of the last poll. So it is asked first, where it said that it listens; silence is no failure.
import type { Config } from '../core/config/load.ts';
import type { StatusReport } from '../core/model/status.ts';
import { rememberedIn } from '../core/store/database.ts';

const PATIENCE_MS = 2_000;

export async function statusOfDaemon(config: Config): Promise<StatusReport | undefined> {
  const { host, port, token } = config.listen;
  const listens = rememberedIn(config.state, 'listens') ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const url = new URL('/status', listens);
    if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
    if (url.hostname === '[::]') url.hostname = '[::1]';
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
