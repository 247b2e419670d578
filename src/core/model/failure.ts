// Every failure is one of four kinds, because each kind asks something else of the engine and of people
// (docs/architecture.md, "Failures"). Anything that is not classified counts as a bug.
import { withoutHidden } from './text.ts';

export type FailureKind = 'retryable' | 'permanent' | 'config' | 'bug';

/** A failure as a value. `message` says what failed, where, and what to do next, and never holds a secret. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /**
   * Constant words for the cause, with no value in them (`index_closed_exception`, `http_405_page`): by it the engine
   * tells one bad value from a SIEM that refuses everything. Where it is absent, messages are compared. A code that
   * begins with `value_` is about that value alone, however many are refused for it.
   */
  readonly code?: string;
  /** The peer asked to wait at least this long. */
  readonly retryAfterMs?: number;
}

export interface ConnectorErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  /** See Failure. */
  readonly code?: string;
  /** The peer's own limits as learned from the refusal; the engine splits batches by them from then on. */
  readonly split?: { readonly maxItems?: number; readonly maxBytes?: number };
  /** True when the far side may have carried the request out all the same (time-out, reset, abort, 5xx). */
  readonly uncertain?: boolean;
  /** HTTP status, where there was one. */
  readonly status?: number;
}

/** A failure that holds for a whole call to a peer. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly kind: FailureKind;
  readonly retryAfterMs: number | undefined;
  readonly split: ConnectorErrorOptions['split'];
  readonly uncertain: boolean;
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(kind: FailureKind, message: string, options: ConnectorErrorOptions = {}) {
    // Much of it is a peer's own text, and goes into log, status and page.
    super(withoutHidden(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.split = options.split;
    this.uncertain = options.uncertain ?? kind === 'retryable';
    this.status = options.status;
    this.code = options.code;
  }
}

export const retryable = (message: string, options?: ConnectorErrorOptions) =>
  new ConnectorError('retryable', message, options);
export const permanent = (message: string, options?: ConnectorErrorOptions) =>
  new ConnectorError('permanent', message, options);
export const configFailure = (message: string, options?: ConnectorErrorOptions) =>
  new ConnectorError('config', message, options);

/** Of a single row, as a connector worded it: a peer's own text may be in it, too. */
export const plainly = (failure: Failure): Failure => ({ ...failure, message: withoutHidden(failure.message) });

/** Any thrown thing as a failure value; what is not a ConnectorError is a bug. */
export function toFailure(error: unknown): Failure {
  if (error instanceof ConnectorError) {
    return {
      kind: error.kind,
      message: error.message,
      ...(error.code === undefined ? {} : { code: error.code }),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: 'bug', message: withoutHidden(text) };
}
