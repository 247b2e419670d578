// Real feeds and the warninglists beside them through the default policy: nothing of a refusing list is armed, what other
// lists name is armed and flagged. The lists are looked at here by other means than the store's own, and what they hit
// was counted beforehand (README of the data). No value is ever resolved or opened.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { storeSpec } from '../src/app/specs.ts';
import { exchanges, siems } from '../src/connectors/registry.ts';
import { parseConfig } from '../src/core/config/load.ts';
import { problemLine } from '../src/core/config/source.ts';
import { eventsIn, readEvent } from '../src/core/misp/event.ts';
import type { IncomingIndicator, IncomingObject } from '../src/core/model/entry.ts';
import { hostOf, type Observable } from '../src/core/model/observable.ts';
import { readObject } from '../src/core/stix/objects.ts';
import { aSiem, anIndicator, DAY, NOW, Rig, versionAt } from './builders/store.ts';
import { dataDir } from './data.ts';

const data = dataDir();
const WARNINGLISTS = join(data ?? '', 'warninglists');

/** The default policy, with the folder of lists. */
function specOf(policy: object) {
  const file = {
    instance: 'lists',
    exchanges: [{ name: 'partner', type: 'taxii21', url: 'http://127.0.0.1:9/' }],
    siems: [{ name: 'siem', type: 'elastic', url: 'http://127.0.0.1:9', hosting: 'on_premises' }],
    policy,
  };
  // JSON is YAML.
  const answer = parseConfig('/etc/entente.yaml', JSON.stringify(file), { exchanges, siems }, {});
  if ('problems' in answer) throw new Error(answer.problems.map(problemLine).join('\n'));
  const spec = storeSpec(answer.config);
  return { exchanges: spec.exchanges, siems: spec.siems.map(({ rules }) => ({ ...aSiem(), rules })) };
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function feeds(): IncomingObject[] {
  const found: IncomingObject[] = [];
  for (const folder of ['honeypot-feed', 'mvt-indicators', 'tweetfeed/stix'])
    for (const name of readdirSync(join(data!, folder)).filter((one) => /\.(json|stix2)$/.test(one)))
      for (const raw of (read(join(data!, folder, name)) as { objects?: unknown[] }).objects ?? []) {
        const one = readObject(raw);
        if ('object' in one) found.push(one.object);
      }
  for (const folder of ['tweetfeed/misp', 'eset-telebots'])
    for (const name of readdirSync(join(data!, folder)).filter((one) => /^[0-9a-f-]{36}\.json$|misp-/.test(one)))
      for (const raw of eventsIn(read(join(data!, folder, name))) ?? []) found.push(...readEvent(raw).objects);
  return found;
}

/** Good today, whenever it was published. */
function alive(one: IncomingObject): IncomingObject {
  if (one.kind !== 'indicator') return one;
  const { validUntil: _, ...rest } = one;
  return { ...rest, version: versionAt(NOW - DAY), validFrom: NOW - DAY } satisfies IncomingIndicator;
}

const listed = (name: string) => (read(join(WARNINGLISTS, 'lists', name, 'list.json')) as { list: string[] }).list;

/** What the feeds lack, in spellings that no list has. */
const PLANTED: readonly Observable[] = [
  { type: 'ipv4-addr', value: '8.8.8.8' },
  { type: 'ipv4-addr', value: '1.0.141.0/24' },
  { type: 'ipv6-addr', value: '::ffff:1.0.141.107' },
  { type: 'url', value: 'http://1.0.141.107:8080/x' },
  { type: 'ipv6-addr', value: '2001:148f:fffe::1' },
  { type: 'file:hashes.MD5', value: 'd41d8cd98f00b204e9800998ecf8427e' },
  { type: 'domain-name', value: 'abbott' },
  { type: 'ipv4-addr', value: '192.168.1.1' },
  { type: 'domain-name', value: 'co.uk' },
];

describe.skipIf(data === undefined)('real feeds under the default policy and the warninglists', () => {
  const rig = () => {
    const made = new Rig(specOf({ never_block: { lists: WARNINGLISTS } }));
    made.commit([
      ...feeds().map(alive),
      ...PLANTED.map((one, i) => anIndicator({ objectId: `indicator--${i}`, observables: [one] })),
    ]);
    return made;
  };
  const armedIn = (made: Rig) =>
    made.ask<{ type: number; value: string }>(
      'SELECT e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.wanted = 1',
    );

  it('arm nothing that stands on a refusing list, and all else', () => {
    const made = rig();
    const armed = armedIn(made);

    const forbidden = new Set(
      ['public-dns-v4', 'public-dns-v6', 'empty-hashes', 'tlds'].flatMap((name) =>
        listed(name).map((one) => one.toLowerCase()),
      ),
    );
    expect(armed.length).toBeGreaterThan(2600);
    expect(armed.map((one) => one.value).filter((one) => forbidden.has(one))).toEqual([]);
    expect(armed.map((one) => one.value).filter((one) => PLANTED.some(({ value }) => value === one))).toEqual([]);
    const special = armed.filter(({ value }) => ipaddr.isValid(value) && ipaddr.parse(value).range() !== 'unicast');
    expect(special).toEqual([]);
    for (const planted of PLANTED)
      expect(made.read((reader) => reader.why(planted, NOW))!.claims[0]!.decisions[0]).toMatchObject({
        decision: 'refuse',
        reason: expect.stringMatching(/\(never-block list [\w-]+\)/) as string,
      });
  });

  it('arm what other lists name, and why names the list', () => {
    const made = rig();
    const addresses = armedIn(made).filter(({ value }) => ipaddr.IPv4.isValid(value));
    const inGoogle = listed('google-gcp')
      .filter((one) => !one.includes(':'))
      .map((one) => ipaddr.parseCIDR(one));
    const expected = addresses.filter(({ value }) => {
      const address = ipaddr.parse(value);
      return inGoogle.some((range) => address.match(range));
    });

    const noted = made.read((reader) =>
      addresses.filter(({ value }) =>
        reader
          .why({ type: 'ipv4-addr', value }, NOW)!
          .claims[0]!.decisions[0]!.reason.includes('(never-block list google-gcp)'),
      ),
    );

    expect(noted).toEqual(expected);
    // As the README of the data counts them, over the addresses of all sets.
    expect(noted).toHaveLength(143);
    const { lists, met } = made.read((reader) => reader.neverBlock());
    expect(lists).toHaveLength(29);
    expect(met.get('google-gcp note')).toBeGreaterThanOrEqual(143);
    expect([...met.keys()].filter((one) => one.endsWith('note')).length).toBeGreaterThan(4);
  });

  it('arm nothing that any list names once all of them refuse', () => {
    const actions = Object.fromEntries(
      readdirSync(join(WARNINGLISTS, 'lists')).map((name) => [name, 'refuse'] as const),
    );
    const made = new Rig(specOf({ never_block: { lists: WARNINGLISTS, list_actions: actions } }));
    made.commit(feeds().map(alive));

    const shorteners = new Set(listed('url-shortener'));
    const hosts = armedIn(made).map(({ type, value }) => hostOf({ type: type === 3 ? 'url' : 'domain-name', value }));
    expect(hosts.filter((host) => shorteners.has(host ?? ''))).toEqual([]);
  });
});
