// When certificates and tokens end, as far as that is known: a certificate is heard of when a call is made over TLS, a
// token may say it itself.
import type { Expiry } from '../core/model/status.ts';
import type { Role } from '../core/runtime/metrics.ts';
import { tokenEnd } from './token-end.ts';

export interface KnownExpiry extends Pick<Expiry, 'what' | 'whose'> {
  /** Epoch milliseconds. */
  readonly at: number;
}
type Peer = { readonly name: string; readonly settings: unknown };

export class Expiries {
  readonly #peers: { readonly exchange: readonly Peer[]; readonly siem: readonly Peer[] };
  readonly #certificates = new Map<string, number>();

  constructor({ exchanges, siems }: { readonly exchanges: readonly Peer[]; readonly siems: readonly Peer[] }) {
    this.#peers = { exchange: exchanges, siem: siems };
  }

  heard(role: Role, name: string, whose: 'peer' | 'own', validTo: number): void {
    this.#certificates.set(`${role} ${whose} ${name}`, validTo);
  }

  /** The first to end first. A token is looked at anew, since one may be renewed in its file. */
  of(role: 'exchange' | 'siem', name: string): KnownExpiry[] {
    const known: KnownExpiry[] = [];
    for (const whose of ['own', 'peer'] as const) {
      const at = this.#certificates.get(`${role} ${whose} ${name}`);
      if (at !== undefined) known.push({ what: 'certificate', whose, at });
    }
    const end = tokenEnd(this.#peers[role].find((one) => one.name === name)?.settings);
    if (end !== undefined) known.push({ what: 'token', whose: 'own', at: end });
    return known.sort((a, b) => a.at - b.at);
  }
}
