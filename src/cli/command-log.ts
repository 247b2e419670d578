// The log of a command that works on the state or at peers itself.
import type { Config } from '../core/config/load.ts';
import { createLog, type RootLog } from '../core/runtime/log.ts';

/** A person at a terminal reads no JSON. */
export function commandLog(config: Config, least: 'warn' | 'error' = 'warn'): RootLog {
  const { level, format } = config.log;
  return createLog({
    level: level === 'debug' ? level : level === 'error' ? level : least,
    format: process.stderr.isTTY ? 'text' : format,
    stream: process.stderr,
  });
}
