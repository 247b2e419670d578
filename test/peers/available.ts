// A real peer that cannot be started is a failure in CI and a skip with its reason elsewhere, so that a green run in
// CI always means that the real products were asked.
import { describe } from 'vitest';

export type Started<T> =
  | { readonly kind: 'running'; readonly peer: T }
  | { readonly kind: 'missing'; readonly reason: string };

/** Starts a peer. In CI the error goes on; elsewhere it becomes the reason of a skip. */
export async function tryStart<T>(name: string, start: () => Promise<T>): Promise<Started<T>> {
  try {
    return { kind: 'running', peer: await start() };
  } catch (error) {
    const reason = `${name} could not be started: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env['CI'] === 'true') throw new Error(reason, { cause: error });
    process.stderr.write(`skipped: ${reason}\n`);
    return { kind: 'missing', reason };
  }
}

/** `describe` with a running peer, or the same name skipped with the reason. */
export function describeWith<T>(name: string, started: Started<T>, body: (peer: T) => void): void {
  if (started.kind === 'running') describe(name, () => body(started.peer));
  else describe.skip(`${name} (${started.reason.split('\n')[0]})`, () => {});
}
