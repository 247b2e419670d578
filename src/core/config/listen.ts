// Where the daemon listens: one text `host:port`, read once and judged for being loopback.

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly loopback: boolean;
}

/** Names are not resolved: what `localhost` means is fixed, any other name counts as reachable from outside. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

export function parseAddress(text: string): Address | { readonly wrong: string } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    return { wrong: 'not an address to listen on; write host:port, as 127.0.0.1:8686 or [::1]:8686' };
  }
  return { host, port, loopback: isLoopbackHost(host) };
}
