// A real peer that cannot be started is a failure in CI and a skip with its reason elsewhere, so that a green run in
// CI always means that the real products were asked. The tests of other peers run in both cases.
import { describe, it } from 'vitest';

export type Started<T> =
  | { readonly kind: 'running'; readonly peer: T }
  | { readonly kind: 'missing'; readonly reason: string };

/** Starts a peer. Where CI=true one that will not start is a failed test of the file that asks for it. */
export async function tryStart<T>(name: string, start: () => Promise<T>): Promise<Started<T>> {
  try {
    return { kind: 'running', peer: await start() };
  } catch (error) {
    const reason = `${name} could not be started: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env['CI'] === 'true')
      it(`${name} starts`, () => {
        throw new Error(reason, { cause: error });
      });
    return { kind: 'missing', reason };
  }
}

/** `describe` with a running peer, or the same name with one test that is skipped for the reason. */
export function describeWith<T>(name: string, started: Started<T>, body: (peer: T) => void): void {
  if (started.kind === 'running') return void describe(name, () => body(started.peer));
  describe(name, () => {
    it('needs the real product', ({ skip }) => skip(started.reason.trim().split('\n').join(' | ').slice(0, 400)));
  });
}
