// A rehearsal runs over a past feed with the clock set to then (`ENTENTE_CLOCK`). Against a real peer a set clock
// would expire or revive what is live today, so it is honoured only when every peer is on loopback.
import { isLoopbackHost } from './listen.ts';

type RehearsalClock =
  | { readonly kind: 'system' }
  | { readonly kind: 'rehearsal'; readonly start: number }
  | { readonly kind: 'refused'; readonly reason: string };

interface Peer {
  readonly name: string;
  readonly urls: readonly string[];
}

export function rehearsalClock(
  text: string | undefined,
  peers: { readonly exchanges: readonly Peer[]; readonly siems: readonly Peer[] },
): RehearsalClock {
  if (text === undefined || text === '') return { kind: 'system' };
  const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  const start = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(start)) {
    return { kind: 'refused', reason: 'ENTENTE_CLOCK is not a time; write it as 2026-01-31T12:00:00Z, or unset it' };
  }
  // A SIEM that is named by something else than a URL is somewhere in the cloud; an exchange without one reads files.
  const beyond = [
    ...peers.exchanges.filter((one) => !one.urls.every(isLoopback)),
    ...peers.siems.filter((one) => one.urls.length === 0 || !one.urls.every(isLoopback)),
  ];
  if (beyond.length > 0) {
    const names = beyond.map((one) => one.name).join(', ');
    return {
      kind: 'refused',
      reason: `ENTENTE_CLOCK sets the clock for rehearsals, but ${names} is not on loopback; unset it`,
    };
  }
  return { kind: 'rehearsal', start };
}

const isLoopback = (url: string): boolean => isLoopbackHost(URL.parse(url)?.hostname ?? '');
