// A running daemon knows more than its state file: a configuration it did not take over, a clock it does not
// believe, a warning of the last poll. So it is asked first, where it listens; silence is no failure.
import type { Config } from '../core/config/load.ts';
import type { StatusReport } from '../core/model/status.ts';

const PATIENCE_MS = 2_000;

export async function statusOfDaemon(config: Config): Promise<StatusReport | undefined> {
  const { host, port, token } = config.listen;
  if (port === 0) return undefined;
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  try {
    const answer = await fetch(`http://${reached.includes(':') ? `[${reached}]` : reached}:${port}/status`, {
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
