// Values that look like a partner's and can never be anybody's: addresses from ranges reserved for documentation,
// benchmarks and future use, names under .example, .test and .invalid.
import type { Draw, Seed } from './feed-draw.ts';

const WORDS = (
  'amber anvil badge basin cable cargo cedar chart cloud coral delta depot ember fable ferry flint forge garnet glade ' +
  'grove harbor hazel helix ivory jetty kiosk lagoon ledger linen lotus maple meadow mirror nickel oasis onyx orchid ' +
  'paper pebble pilot plaza prism quartz quill raven ridge saddle signal sierra slate spruce sumac tango tempo thistle ' +
  'timber tulip umbra vault velvet walnut willow yarrow zephyr'
).split(' ');
const TLDS = ['example', 'test', 'invalid', 'example'];
const TEST_NETS = ['192.0.2', '198.51.100', '203.0.113'];

export type Family = 'ipv4' | 'domain' | 'url' | 'hash' | 'other';

const FAMILIES: readonly (readonly [number, Family])[] = [
  [0.7, 'ipv4'],
  [0.15, 'domain'],
  [0.08, 'url'],
  [0.05, 'hash'],
  [0.02, 'other'],
];
const HASHES: readonly (readonly [number, readonly [string, number]])[] = [
  [0.3, ['file:hashes.MD5', 32]],
  [0.2, ["file:hashes.'SHA-1'", 40]],
  [0.5, ["file:hashes.'SHA-256'", 64]],
];

export const word = (draw: Draw): string => draw.pick(WORDS);

export class Values {
  readonly #seed: Seed;

  constructor(seed: Seed) {
    this.#seed = seed;
  }

  /** The pattern of the n-th value of the feed. */
  pattern(n: number, draw: Draw): { family: Family; pattern: string } {
    const family = draw.weighted(FAMILIES);
    return { family, pattern: this.#patternOf(family, n, draw) };
  }

  #patternOf(family: Family, n: number, draw: Draw): string {
    switch (family) {
      case 'ipv4':
        return `[${test('ipv4-addr:value', this.address(n))}]`;
      case 'domain':
        return `[${test('domain-name:value', this.domain(n, draw))}]`;
      case 'url':
        return `[${test('url:value', this.url(n, draw))}]`;
      case 'hash': {
        const [path, chars] = draw.weighted(HASHES);
        return `[${test(path, draw.hex(chars))}]`;
      }
      case 'other':
        return draw.pick(OTHERS)(this, n, draw);
      default:
        return family satisfies never;
    }
  }

  /** No two n below 2^27 share an address, but for the few from the three test networks. */
  address(n: number): string {
    if (n % 1000 === 1) {
      const k = Math.floor(n / 1000) % 768;
      return `${TEST_NETS[k % 3]}.${Math.floor(k / 3)}`;
    }
    if (n % 50 === 0 && n < 50 * 2 ** 16) return dotted(0xc6120000 + this.#seed.permute(n / 50, 16, 12)); // 198.18.0.0/15
    return dotted(0xf0000000 + this.#seed.permute(n, 28, 13)); // 240.0.0.0/4
  }

  network6(n: number): string {
    const p = this.#seed.permute(n % 2 ** 28, 28, 14);
    return `2001:db8:${(p >>> 16).toString(16)}:${(p & 0xffff).toString(16)}`;
  }

  domain(n: number, draw: Draw): string {
    const unique = this.#seed.permute(n, 28, 15).toString(36);
    const name = `${word(draw)}-${word(draw)}-${unique}.${draw.pick(TLDS)}`;
    const r = draw.share();
    if (r < 0.25) return `${draw.pick(['www', 'cdn', 'login', 'mail', 'api', 'update'])}.${name}`;
    if (r < 0.27) return `xn--bcher-kva.${name}`;
    return name;
  }

  url(n: number, draw: Draw): string {
    const host = draw.share() < 0.2 ? this.address(n) : this.domain(n, draw);
    const port = draw.share() < 0.15 ? `:${draw.pick([8080, 8443, 8000, 4443])}` : '';
    const file = draw.pick(['gate.php', 'index.html', 'a', 'invoice.zip', 'login', "it's.js", 'x%20y', '']);
    const query = draw.share() < 0.3 ? `?id=${draw.hex(8)}&u=${word(draw)}` : '';
    return `${draw.pick(['http', 'https', 'https'])}://${host}${port}/${word(draw)}/${file}${query}`;
  }
}

/** Strings in patterns have two escapes only (STIX 2.1 §9.3). */
export const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const test = (path: string, value: string): string => `${path} = ${quote(value)}`;
const dotted = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
/** Another value of the same indicator. */
const second = (n: number): number => n + 2 ** 27;

type Writer = (values: Values, n: number, draw: Draw) => string;

/** The rare forms: networks, other observables, guards, OR, AND, and those that no watchlist can hold. */
const OTHERS: readonly Writer[] = [
  (v, n) => `[${test('ipv4-addr:value', `${v.address(n).replace(/\d+$/, '0')}/24`)}]`,
  (v, n) => `[ipv4-addr:value ISSUBSET ${quote(`${v.address(n).replace(/\d+$/, '0')}/26`)}]`,
  (v, n, draw) => `[${test('ipv6-addr:value', `${v.network6(n)}::${draw.hex(3).replace(/^0+/, '1')}`)}]`,
  (v, n) => `[${test('ipv6-addr:value', `${v.network6(n)}::/64`)}]`,
  (v, n, draw) => `[${test('email-addr:value', `${word(draw)}@${v.domain(n, draw)}`)}]`,
  (v, n, draw) => `[${test('email-message:from_ref.value', `${word(draw)}.${word(draw)}@${v.domain(n, draw)}`)}]`,
  (v, n) => `[${guarded('dst', v.address(n))}]`,
  (v, n) => `[${guarded('src', v.address(n))}]`,
  (v, n, draw) => `[${guarded('dst', v.address(n))} AND network-traffic:dst_port = ${draw.pick([443, 8443, 4444])}]`,
  (v, n) => `[${test('ipv4-addr:value', v.address(n))} OR ${test('ipv4-addr:value', v.address(second(n)))}]`,
  (v, n, draw) => `[${test('domain-name:value', v.domain(n, draw))} OR ${test('ipv4-addr:value', v.address(n))}]`,
  (v, n, draw) => `[${test('url:value', v.url(n, draw))}] OR [${test('domain-name:value', v.domain(second(n), draw))}]`,
  (v, n) => `[ipv4-addr:value IN (${quote(v.address(n))}, ${quote(v.address(second(n)))})]`,
  (_, __, draw) => `[${test('file:hashes.MD5', draw.hex(32))} AND ${test("file:hashes.'SHA-256'", draw.hex(64))}]`,
  (_, __, draw) => `[${test('file:hashes.MD5', draw.hex(32))} OR ${test("file:hashes.'SHA-256'", draw.hex(64))}]`,
  (_, __, draw) => `[${test('file:name', `${word(draw)}.exe`)} AND file:size = ${1000 + draw.below(9_000_000)}]`,
  (_, __, draw) =>
    `[${test('windows-registry-key:key', `HKEY_CURRENT_USER\\Software\\${word(draw)}\\Run\\${draw.hex(8)}`)}]`,
  (_, __, draw) => `[${test('mutex:name', `Global\\${draw.hex(16)}`)}]`,
  (v, n, draw) =>
    `[${test('domain-name:value', v.domain(n, draw))} AND ${test('domain-name:resolves_to_refs[*].value', v.address(n))}]`,
  (v, n, draw) =>
    `[${test('domain-name:value', v.domain(n, draw))}] FOLLOWEDBY [${test('ipv4-addr:value', v.address(n))}] WITHIN 300 SECONDS`,
];

function guarded(side: 'src' | 'dst', address: string): string {
  return `${test(`network-traffic:${side}_ref.type`, 'ipv4-addr')} AND ${test(`network-traffic:${side}_ref.value`, address)}`;
}
