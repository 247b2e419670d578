// The MISP partner: the values of the TAXII server's indicators as attributes of events, as far as one attribute can name them.
import { feed } from '../../src/simulators/feed.ts';
import { startMisp } from '../../src/simulators/misp/index.ts';

const DAY_MS = 86_400_000;
const IN_EVENT = 1000;
const count = Number(process.argv[2]);
const start = Date.now() - DAY_MS;

const TYPES: Readonly<Record<string, string>> = {
  'ipv4-addr:value': 'ip-dst',
  'ipv6-addr:value': 'ip-dst',
  'domain-name:value': 'domain',
  'url:value': 'url',
  'email-addr:value': 'email-src',
  'file:hashes.MD5': 'md5',
  "file:hashes.'SHA-1'": 'sha1',
  "file:hashes.'SHA-256'": 'sha256',
};

const id = (part: number, n: number) => `7d1f3b5a-0c2e-4a6b-${part}f00-${String(n).padStart(12, '0')}`;
const secs = (ms: number) => String(Math.floor(ms / 1000));

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function* attributes() {
  let n = 0;
  for (const { type, pattern, created, name } of feed({ count: Math.ceil(count * 1.2), start, irregular: 0 })) {
    if (type !== 'indicator' || n >= count) continue;
    const [, path = '', value] = /^\[([\w-]+:[\w.'-]+) = '([^'\\]*)'\]$/.exec(text(pattern)) ?? [];
    const as = TYPES[path];
    if (as === undefined || value === undefined) continue;
    yield {
      uuid: id(8, ++n),
      type: as,
      value,
      to_ids: true,
      timestamp: secs(Date.parse(text(created))),
      comment: text(name),
    };
  }
}

function* events() {
  let number = 0;
  const tags = ['tlp:clear', 'tlp:green', 'tlp:amber'].map((name) => [{ name }]);
  const event = (some: readonly object[]) => ({
    uuid: id(9, ++number),
    info: `Campaign ${number}`,
    timestamp: secs(start),
    Tag: tags[number % tags.length],
    Attribute: some,
  });
  let some: object[] = [];
  for (const one of attributes())
    if (some.push(one) === IN_EVENT) {
      yield event(some);
      some = [];
    }
  if (some.length > 0) yield event(some);
}

// Published an hour ago, as most of what a first poll meets is older than the poll.
const data = [...events()];
let shift = 3_600_000;
const misp = await startMisp({ clock: () => Date.now() - shift, data });
shift = 0;
process.stdout.write(`${JSON.stringify({ url: misp.url, key: misp.key })}\n`);
process.once('SIGTERM', () => void misp.close());
