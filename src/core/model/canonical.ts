// One spelling per observable. Two partners speak of the same thing exactly when type and canonical value are
// equal, so these rules decide what is one entry; whoever changes one raises CANON_VERSION, and stored keys are
// derived again. A value outside the rules is refused with a constant reason and never repaired: a pattern is
// literal, so even a defanged value means what it says.
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { ipv4Number, ipv4Text, ipv6Groups, ipv6Hex, ipv6Text, isMapped, mask, splitCidr } from './ip.ts';
import type { ObservableType } from './observable.ts';
import { hasHidden } from './text.ts';

export const CANON_VERSION = 2;

/** The largest blocks that registries hand to one holder (an IPv4 /8, an IPv6 /19): anything wider names nobody. */
const WIDEST_IPV4_PREFIX = 8;
const WIDEST_IPV6_PREFIX = 19;
/** Proxies and products cut longer request lines. */
export const MAX_URL_BYTES = 8192;

export type Canonical = { readonly value: string } | { readonly refused: string };

export function canonical(type: ObservableType, text: string): Canonical {
  // Never repaired: who sees the text on a screen takes it for another value than the one that is compared.
  if (hasHidden(text)) return refused('hidden character');
  switch (type) {
    case 'ipv4-addr':
      return canonicalIPv4(text);
    case 'ipv6-addr':
      return canonicalIPv6(text);
    case 'domain-name':
      return canonicalDomain(text);
    case 'url':
      return canonicalUrl(text);
    case 'email-addr':
      return canonicalEmail(text);
    case 'file:hashes.MD5':
      return canonicalHash(text, 32);
    case "file:hashes.'SHA-1'":
      return canonicalHash(text, 40);
    case "file:hashes.'SHA-256'":
      return canonicalHash(text, 64);
    case "file:hashes.'SHA-512'":
      return canonicalHash(text, 128);
  }
}

const refused = (reason: string): Canonical => ({ refused: reason });

// isIPv4 refuses leading zeros and short forms such as 010.0.0.1 and 1.2.3, which other parsers read as octal
// or fill up, each in its own way.
function canonicalIPv4(text: string): Canonical {
  if (isIPv4(text)) return { value: text };
  const network = splitCidr(text);
  if (network === undefined || !isIPv4(network.address)) return refused(notAnAddress(text, 'IPv4'));
  const { prefix } = network;
  if (prefix > 32) return refused('invalid network prefix');
  if (prefix < WIDEST_IPV4_PREFIX) return refused('network too wide');
  if (prefix === 32) return { value: network.address };
  const bits = ipv4Number(network.address);
  return { value: `${ipv4Text(bits - (bits % 2 ** (32 - prefix)))}/${prefix}` };
}

function canonicalIPv6(text: string): Canonical {
  const network = splitCidr(text);
  const address = network?.address ?? text;
  // isIPv6 takes a zone (fe80::1%eth0), which has a meaning on one machine only.
  if (!isIPv6(address) || address.includes('%')) return refused(notAnAddress(text, 'IPv6'));
  const groups = ipv6Groups(address);
  const prefix = network?.prefix ?? 128;
  if (prefix > 128) return refused('invalid network prefix');
  mask(groups, prefix);
  if (prefix === 128) return { value: ipv6Text(groups) };
  if (prefix < WIDEST_IPV6_PREFIX || coversMuchOfIPv4(groups, prefix)) return refused('network too wide');
  return { value: `${ipv6Text(groups)}/${prefix}` };
}

function notAnAddress(text: string, wanted: 'IPv4' | 'IPv6'): string {
  return isDefanged(text) ? 'defanged value' : `not an ${wanted} address`;
}

/** ::ffff:0:0/96 is all of IPv4 in disguise: within and around it the IPv4 limit holds. */
function coversMuchOfIPv4(groups: readonly number[], prefix: number): boolean {
  if (prefix >= 96 + WIDEST_IPV4_PREFIX) return false;
  if (isMapped(groups)) return true;
  const around = [0, 0, 0, 0, 0, 0xffff, 0, 0];
  mask(around, prefix);
  return groups.every((group, i) => group === around[i]);
}

// Underscores stand in real host names, though no registrar sells them. The last label may not begin with a digit
// and read as a number: WHATWG rules would turn such a name (0x7f.1) into an address.
const DOMAIN =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?!\d+$|0x[0-9a-f]*$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_DOMAIN = 253;

function canonicalDomain(text: string): Canonical {
  if (text.length > 4 * MAX_DOMAIN) return refused('not a domain name');
  let name = text.toLowerCase();
  // domainToASCII decodes, maps and cuts; it only ever sees names that hold nothing but label characters.
  if (/[^a-z0-9._-]/.test(name) || name.includes('xn--')) {
    if (/[^a-z0-9._\-\u0080-\u{10ffff}]/u.test(name)) return refused(notADomain(name));
    name = domainToASCII(name);
  }
  if (name.endsWith('.')) name = name.slice(0, -1);
  if (name.length > MAX_DOMAIN || !DOMAIN.test(name)) return refused(notADomain(name));
  return { value: name };
}

function notADomain(name: string): string {
  if (isIPv4(name) || isIPv6(name)) return 'an address is not a domain name';
  if (isDefanged(name)) return 'defanged value';
  if (name.includes('://')) return 'a URL is not a domain name';
  if (name.includes('*')) return 'a wildcard is not a domain name';
  if (/:\d+$/.test(name)) return 'domain name with a port';
  return 'not a domain name';
}

// The authority becomes what logs hold; path and query are case-sensitive and servers differ on every other
// normalisation, so they stay as given.
function canonicalUrl(text: string): Canonical {
  if (text.length > MAX_URL_BYTES || (text.length > MAX_URL_BYTES / 3 && Buffer.byteLength(text) > MAX_URL_BYTES)) {
    return refused('URL too long');
  }
  if (!isCleanText(text)) return refused('URL with control or broken characters');
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)/i.exec(text);
  if (parts === null) return refused(isDefanged(text) ? 'defanged value' : 'URL without scheme and host');
  const [head, given = '', authority = ''] = parts;
  if (isDefanged(`${given}://${authority}`)) return refused('defanged value');
  const scheme = given.toLowerCase();
  const at = authority.lastIndexOf('@') + 1;
  const port = /(?::\d*)?$/.exec(authority.slice(at))?.[0] ?? '';
  const name = authority.slice(at, authority.length - port.length);
  if (name === '') return refused('URL without scheme and host');
  const host = canonicalHost(name);
  const number = port.length < 2 ? undefined : Number(port.slice(1));
  if (host === undefined || (number ?? 0) > 65_535) return refused('URL with an invalid host');
  const usual = DEFAULT_PORTS.get(scheme);
  const rest = text.slice(head.length);
  const path = usual !== undefined && !rest.startsWith('/') && !rest.startsWith('\\') ? '/' : '';
  const value = `${scheme}://${authority.slice(0, at)}${host}${number === undefined || number === usual ? '' : `:${number}`}${path}${rest}`;
  // Punycode is longer than what it stands for.
  return value.length > MAX_URL_BYTES ? refused('URL too long') : { value };
}

/** Schemes whose URLs have a path, at least `/`, and the port that is left out. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ftp', 21],
  ['ws', 80],
  ['wss', 443],
]);

const ODD_HOST = /^(?:[a-z0-9_-]+\.)*(?!\d+$|0x[0-9a-f]*$)[a-z0-9_-]+$/;

/** As logs hold it: an address, or a name in lower case and punycode. Undefined for what is neither. */
function canonicalHost(host: string): string | undefined {
  if (host.startsWith('[')) {
    const address = host.slice(1, -1);
    return host.endsWith(']') && isIPv6(address) && !address.includes('%')
      ? `[${ipv6Hex(ipv6Groups(address))}]`
      : undefined;
  }
  if (isIPv4(host)) return host;
  const name = canonicalDomain(host);
  if ('value' in name) return name.value;
  // Servers answer to names that no registrar would sell (a label that begins or ends with a dash).
  const odd = host.toLowerCase().replace(/\.$/, '');
  return odd.length <= MAX_DOMAIN && ODD_HOST.test(odd) ? odd : undefined;
}

/** No control characters, no lone surrogates, no replacement characters, no white space around. */
function isCleanText(text: string): boolean {
  return !/[\p{Cc}\ufffd]/u.test(text) && text.isWellFormed() && text.trim().length === text.length;
}

// RFC 5321 lets a mail host tell Bob from bob; hardly one does, and SIEMs compare without case. Lower case is what
// makes the same address of two partners one entry.
function canonicalEmail(text: string): Canonical {
  if (text.length > 512 || !isCleanText(text)) return refused('not an e-mail address');
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0)).toLowerCase();
  if (local === '' || local.length > 64 || /[\s@"<>()[\]\\,;:]/.test(local)) {
    return refused(isDefanged(text) ? 'defanged value' : 'not an e-mail address');
  }
  const domain = canonicalDomain(text.slice(at + 1));
  if ('refused' in domain) return refused(isDefanged(text) ? 'defanged value' : 'not an e-mail address');
  return { value: `${local}@${domain.value}` };
}

function canonicalHash(text: string, digits: number): Canonical {
  if (text.length !== digits) return refused('hash of the wrong length');
  return /^[0-9a-fA-F]+$/.test(text) ? { value: text.toLowerCase() } : refused('hash with other than hex digits');
}

function isDefanged(text: string): boolean {
  return /^(?:hxxps?|h\*\*ps?|meow|fxp):|[[({](?:\.|dot|:|:\/\/|@|at)[\])}]/i.test(text);
}
