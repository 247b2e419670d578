// One call to Splunk: who we are, the cookies that keep us on one search head, and what a refusal means. Every call
// asks for JSON, since errors come as XML otherwise; every call that may be refused says what it was doing.
import { ConnectorError, retryable } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  pathBelow,
  withoutCredentials,
} from '../../../core/runtime/http.ts';
import type { SplunkConfig } from './config.ts';
import { CookieJar } from './cookies.ts';
import { type Credential, credentialOf } from './login.ts';
import { Login, parse, refusal } from './responses.ts';

export const FORM = 'application/x-www-form-urlencoded';

export type Call = Omit<HttpRequest, 'signal'> & {
  readonly doing: string;
  /** Rows that a write is about. Absent for everything else. */
  readonly items?: number;
};

export class SplunkSession {
  readonly #http: HttpClient;
  /** Where a gateway has Splunk, below its own address. */
  readonly #below: string;
  readonly #credential: Credential;
  readonly #deps: SiemDeps;
  readonly #cookies = new CookieJar();
  #loggingIn: Promise<string> | undefined;

  constructor(config: SplunkConfig, deps: SiemDeps) {
    this.#http = deps.http({ baseUrl: config.url });
    this.#below = pathBelow(config.url, 'services');
    this.#credential = credentialOf(config.auth);
    this.#deps = deps;
  }

  close(): void {
    this.#http.close();
  }

  tokenExpires(): number | undefined {
    return this.#credential.expires();
  }

  /** Names this SIEM and what was done there, for messages. */
  where(doing: string): string {
    return `${this.#deps.name}: ${doing}`;
  }

  async call(call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const { doing, items, ...request } = call;
    const attempt = (authorization: string): Promise<HttpResponse> => {
      if (signal.aborted) throw retryable(`${this.where(doing)} was stopped before it was sent`, { uncertain: false });
      const headers = { ...request.headers, authorization };
      return this.#send({ ...request, query: { ...request.query, output_mode: 'json' }, headers, signal });
    };
    const sent = this.#credential.header() ?? (await this.#login(signal));
    let response = await attempt(sent);
    // Nothing was carried out by a call that got 401, so it may be sent again under a renewed credential, once.
    let fresh = false;
    if (response.status === 401 && this.#credential.renewable(sent)) {
      const renewed = this.#credential.header() ?? (await this.#login(signal));
      fresh = this.#credential.login !== undefined;
      response = await attempt(renewed);
    }
    const failed = refusal(response, this.where(doing), this.#deps.clock.now(), items);
    if (failed === undefined) return response;
    if (response.status === 401 && fresh && failed.code !== 'http_401_page') throw unknownSession(failed);
    throw failed;
  }

  /** Calls that need one at the same time share it: each would end on a search head of its own. */
  async #login(signal: AbortSignal): Promise<string> {
    this.#loggingIn ??= this.#begin(signal).finally(() => {
      this.#loggingIn = undefined;
    });
    return this.#loggingIn;
  }

  async #begin(signal: AbortSignal): Promise<string> {
    const where = this.where('logging in');
    const form = this.#credential.login?.();
    if (form === undefined) throw new ConnectorError('bug', `${where}: this kind of credential has no login`);
    if (signal.aborted) throw retryable(`${where} was stopped before it was sent`, { uncertain: false });
    // The head that knew the last session may be gone: the balancer chooses anew.
    this.#cookies.clear();
    const headers = { 'content-type': FORM };
    const call: HttpRequest = { method: 'POST', path: '/services/auth/login', headers, body: form, signal };
    const response = await this.#send(call, new URLSearchParams(form.toString('utf8')).get('password') ?? '');
    const failed = refusal(response, where, this.#deps.clock.now());
    if (failed?.kind === 'permanent') {
      throw new ConnectorError('config', `${failed.message}; check username and password in auth`);
    }
    if (failed !== undefined) throw failed;
    const { sessionKey } = parse(Login, response, where);
    this.#credential.begin(sessionKey);
    return `Splunk ${sessionKey}`;
  }

  async #send(request: HttpRequest, password?: string): Promise<HttpResponse> {
    const cookie = this.#cookies.header();
    const headers = { ...request.headers, ...(cookie === undefined ? {} : { cookie }) };
    const response = await this.#http.request({ ...request, path: `${this.#below}${request.path}`, headers });
    this.#cookies.keep(response.headers['set-cookie']);
    return withoutCredentials(response, request.headers?.['authorization'], password);
  }
}

/** A session that began a moment ago is known to the server that began it. */
function unknownSession(failed: ConnectorError): ConnectorError {
  return new ConnectorError(
    'config',
    `${failed.message.replace(/; renew [^;]*$/, '')}; the session was begun a moment ago, so another search head answers: give one search head as url, let the balancer keep a client on one head (a cookie is sent back), or use a token`,
    { status: 401, code: 'session_unknown' },
  );
}
