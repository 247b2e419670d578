// The never-block lists that come with the project and are made of single values: resolvers that everybody asks, and
// the hashes of nothing.
import { ListIndex } from './list-index.ts';
import type { NamedList } from './warninglist.ts';

/** Made when it is first asked for. */
export function builtInLists(): ListIndex {
  made ??= new ListIndex([...lists('public_resolvers', RESOLVERS), ...lists('empty_hashes', EMPTY)]);
  return made;
}

let made: ListIndex | undefined;

/** A name means its own host, not what is below it. */
const lists = (name: string, text: string): NamedList[] => [{ name, type: 'host', entries: text.trim().split(/\s+/) }];

// Operators publish these for everybody: Cloudflare, Google, Quad9, OpenDNS, Verisign, AdGuard, CleanBrowsing, Yandex,
// Level 3, DNS.Watch, Comodo, Vercara, Control D, Mullvad, DNS4EU, Alibaba, Tencent, 114DNS, Baidu. A longer list is MISP's
// public-dns-v4 and -v6, for the folder of lists.
const RESOLVERS = `
1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 2606:4700:4700::1111 2606:4700:4700::1001 2606:4700:4700::1112
2606:4700:4700::1002 2606:4700:4700::1113 2606:4700:4700::1003 2606:4700:4700::64 2606:4700:4700::6400
8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844 2001:4860:4860::64 2001:4860:4860::6464
9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 9.9.9.11 149.112.112.11 9.9.9.12 149.112.112.12
2620:fe::fe 2620:fe::9 2620:fe::10 2620:fe::fe:10 2620:fe::11 2620:fe::fe:11
208.67.222.222 208.67.220.220 208.67.222.220 208.67.220.222 208.67.222.123 208.67.220.123
2620:119:35::35 2620:119:53::53 2620:119:35::123 2620:119:53::123
64.6.64.6 64.6.65.6 94.140.14.14 94.140.15.15 94.140.14.15 94.140.15.16 94.140.14.140 94.140.14.141
2a10:50c0::ad1:ff 2a10:50c0::ad2:ff 2a10:50c0::bad1:ff 2a10:50c0::bad2:ff
185.228.168.9 185.228.169.9 185.228.168.10 185.228.169.11 185.228.168.168 185.228.169.168
77.88.8.8 77.88.8.1 77.88.8.2 77.88.8.3 77.88.8.7 77.88.8.88 2a02:6b8::feed:ff 2a02:6b8:0:1::feed:ff
4.2.2.1 4.2.2.2 4.2.2.3 4.2.2.4 4.2.2.5 4.2.2.6 84.200.69.80 84.200.70.40
8.26.56.26 8.20.247.20 156.154.70.1 156.154.71.1 76.76.2.0 76.76.10.0 194.242.2.2
86.54.11.1 86.54.11.201 86.54.11.12 86.54.11.212 86.54.11.13 86.54.11.213 86.54.11.11 86.54.11.211
86.54.11.100 86.54.11.200
223.5.5.5 223.6.6.6 2400:3200::1 2400:3200:baba::1 119.29.29.29 114.114.114.114 114.114.115.115 180.76.76.76
dns.google dns64.dns.google one.one.one.one cloudflare-dns.com mozilla.cloudflare-dns.com security.cloudflare-dns.com
family.cloudflare-dns.com dns.quad9.net dns9.quad9.net dns10.quad9.net dns11.quad9.net doh.opendns.com dns.opendns.com
dns.adguard-dns.com dns.nextdns.io dns.mullvad.net freedns.controld.com`;

const EMPTY = `
d41d8cd98f00b204e9800998ecf8427e
da39a3ee5e6b4b0d3255bfef95601890afd80709
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e`;
