// What the client throws, as one of our kinds. The client's own errors carry whole requests and answers, so they
// are never passed on as a cause; what a person needs of them is put into the sentence.
import { errors } from '@elastic/elasticsearch';
import { configFailure, ConnectorError, retryable } from '../../../core/contracts/failure.ts';
import { retryAfterMs, statusFailure } from '../../../core/runtime/http.ts';
import { causeOf, cut, ErrorBody, NOTHING } from './errors.ts';
import { type State, stateOf } from './states.ts';

/** `doing` completes "… failed": "writing to logs-ti_x". */
export function translate(error: unknown, siem: string, doing: string, now: number): ConnectorError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ConnectorError) return cause;
  }
  const where = `${siem}: ${doing} failed`;
  if (error instanceof errors.ResponseError) return refused(error, where, now);
  if (error instanceof errors.ProductNotSupportedError) {
    // The check comes after the request was carried out.
    return configFailure(
      `${where}: the answer does not come from Elasticsearch; check url, or set product: opensearch`,
      { uncertain: true },
    );
  }
  if (error instanceof errors.DeserializationError) {
    return retryable(`${where}: the answer is no valid JSON`, { uncertain: true });
  }
  if (error instanceof errors.RequestAbortedError)
    return retryable(`${where}: stopped before it was sent`, { uncertain: false });
  if (error instanceof errors.NoLivingConnectionsError)
    return retryable(`${where}: no node answers`, { uncertain: false });
  return new ConnectorError(
    'bug',
    `${where}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
  );
}

function refused(error: errors.ResponseError, where: string, now: number): ConnectorError {
  const status = error.meta.statusCode ?? 0;
  const body = ErrorBody.safeParse(error.body);
  const { type, reason, cause } = body.success ? causeOf(body.data.error) : NOTHING;
  const code = cause?.type ?? type;
  // A point in time that was not read in time, or went with its node: the next reading opens another.
  const expired = status === 404 && code === 'search_context_missing_exception';
  const state = stateOf(code, `${reason} ${cause?.reason ?? ''}`);
  const kind = expired ? 'retryable' : state === undefined ? (statusFailure(status) ?? 'bug') : 'config';
  const header = error.headers?.['retry-after'];
  const wait = retryAfterMs(typeof header === 'string' ? header : undefined, now);
  const words = [type, cut(reason)].filter((part) => part !== '').join(': ');
  const root = cause === undefined ? '' : `; cause: ${cause.type}: ${cut(cause.reason)}`;
  const said = words === '' ? '' : ` (${words}${root})`;
  return new ConnectorError(kind, `${where} with status ${status}${said}${remedy(state, expired, status)}`, {
    status,
    // A refusal up to 429 is given before anything is done.
    uncertain: status >= 500,
    ...(code === '' ? {} : { code: state?.code ?? code }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

function remedy(state: State | undefined, expired: boolean, status: number): string {
  if (state !== undefined) return `; ${state.remedy}`;
  if (expired) return '; it is read again';
  if (status === 401) return '; renew the credential in auth';
  if (status === 403) return '; give the credential the rights listed in the README of the Elastic connector';
  if (status === 404) return '; create the index or set provision: auto';
  if (status === 413) return '; the batch is split';
  return '';
}
