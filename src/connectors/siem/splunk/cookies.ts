// Cookies by which a balancer keeps a client on one search head, which alone knows the session that it began.
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  clear(): void {
    this.#cookies.clear();
  }

  /** `header`: all Set-Cookie lines of an answer, joined by commas. */
  keep(header: string | undefined): void {
    if (header === undefined) return;
    // A comma inside a line (a date of Expires) is followed by a blank and no name.
    for (const line of header.split(/,\s*(?=[^\s;,=]+=)/)) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      if (at <= 0) continue;
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const over = value === '' || attributes.some((one) => /^max-age=(0|-\d+)$/i.test(one));
      // Splunk's own cookie holds the session, which goes by the Authorization header.
      if (over || /^(splunkd|splunkweb|session)_/i.test(name)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  header(): string | undefined {
    if (this.#cookies.size === 0) return undefined;
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
