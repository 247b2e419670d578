// What no single key can tell: names that must be unique or must exist, two SIEM entries at one place, plain HTTP
// beyond loopback, secrets and certificates that cannot be read, and the rehearsal clock.
import { accessSync, constants } from 'node:fs';
import { BUILT_IN_LISTS } from '../model/listed-value.ts';
import { listFiles } from '../runtime/list-folder.ts';
import { Secret } from '../runtime/secret.ts';
import { isLoopbackHost } from './listen.ts';
import type { Config, ExchangeConfig, Secrets, SiemConfig } from './config.ts';
import { policyFor } from './policy.ts';
import { rehearsalClock } from './rehearsal.ts';
import type { Environment, Path, Problem, Source } from './source.ts';
import { suggestion } from './suggestion.ts';

export function crossChecks(
  config: Config,
  source: Source,
  env: Environment,
  secrets: Secrets,
): { readonly problems: readonly Problem[] } | { readonly clockStart?: number } {
  const problems: Problem[] = [
    ...uniqueNames('exchanges', config.exchanges, source),
    ...uniqueNames('siems', config.siems, source),
    ...onePlaceEach(config.siems, config.instance, source),
    ...knownExchanges(config, source),
    ...reporting(config, source),
    ...plainHttp('exchanges', config.exchanges, source),
    ...plainHttp('siems', config.siems, source),
    ...knownLists(config, source),
    ...(secrets === 'needed' ? readableFiles(config, source) : []),
  ];
  const clock = rehearsalClock(env['ENTENTE_CLOCK'], config);
  if (clock.kind === 'refused') problems.push(source.at([], clock.reason));
  if (problems.length > 0) return { problems };
  return clock.kind === 'rehearsal' ? { clockStart: clock.start } : {};
}

/** Warnings: the daemon would run, and not do what somebody expects. */
export function oddities(config: Config, source: Source): Problem[] {
  const found: Problem[] = [];
  const { exchanges, siems, release } = config;
  if (!exchanges.some((one) => one.enabled))
    found.push(source.at(['exchanges'], 'no exchange is configured and enabled, so nothing is taken in'));
  if (!siems.some((one) => one.enabled))
    found.push(source.at(['siems'], 'no SIEM is configured and enabled, so nothing is written anywhere'));
  exchanges.forEach((exchange, i) => {
    const allowed = release.some((rule) => (rule.to === exchange.name || rule.to === '*') && rule.action !== 'deny');
    if (exchange.reports && !allowed)
      found.push(
        source.at(
          ['exchanges', i],
          `${exchange.name} takes our sightings, but no release rule lets any go there, so none is sent; add one under release`,
        ),
      );
  });
  siems.forEach((siem, i) => {
    if (siem.hosting === undefined && isInACloud(siem))
      found.push(
        source.at(
          ['siems', i],
          `${siem.name} looks like a service in a cloud and counts as on premises, so that it may hold any PAP; write hosting: cloud, or hosting: on_premises if it is ours`,
        ),
      );
    if (siem.hosting === 'cloud' && siem.highest_pap === undefined && holdsNoUnmarked(config, siem))
      found.push(
        source.at(
          ['siems', i],
          `${siem.name} is hosted in a cloud, where objects that state no PAP are kept out: they count as PAP:AMBER; write highest_pap: amber there if a contract allows it, or policy.without_pap: green for an exchange that means that`,
        ),
      );
  });
  return found;
}

/** Of none of its exchanges what states no PAP goes there. */
function holdsNoUnmarked(config: Config, siem: SiemConfig): boolean {
  const names = siem.exchanges ?? config.exchanges.map((one) => one.name);
  return names.every((name) => {
    const level = policyFor(config, name, siem.name).intake.withoutPap;
    return level === 'amber' || level === 'red';
  });
}

/** Products as a service, by the names that their operators give them. */
const CLOUD_HOST =
  /(?:^|\.)(?:elastic-cloud\.com|elastic\.cloud|es\.io|found\.io|splunkcloud\.com|qradar\.ibmcloud\.com|cloud\.ibm\.com|amazonaws\.com|azure\.com|windows\.net|googleapis\.com)$/;

function isInACloud({ urls, settings }: SiemConfig): boolean {
  if ((settings as { cloud_id?: unknown }).cloud_id !== undefined) return true;
  return urls.some((text) => CLOUD_HOST.test(URL.parse(text)?.hostname ?? ''));
}

function uniqueNames(kind: 'exchanges' | 'siems', peers: readonly { name: string }[], source: Source): Problem[] {
  const first = new Map<string, number>();
  return peers.flatMap(({ name }, i) => {
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, i);
      return [];
    }
    const { line } = source.at([kind, before, 'name'], '');
    return [source.at([kind, i, 'name'], `${name} is already the name of the entry at line ${line}; names are unique`)];
  });
}

/** Two daemons' worth of plans on one list would undo each other for ever. */
function onePlaceEach(siems: readonly SiemConfig[], instance: string, source: Source): Problem[] {
  const holders = new Map<string, string>();
  return siems.flatMap((siem, i) => {
    const places = siem.definition.places(siem.settings, instance).map((place) => `${siem.type} ${place}`);
    const taken = places.find((place) => holders.has(place));
    for (const place of places) if (!holders.has(place)) holders.set(place, siem.name);
    if (taken === undefined) return [];
    return [
      source.at(
        ['siems', i],
        `writes to the same place as ${holders.get(taken)} (${taken}); each SIEM entry needs a place of its own`,
      ),
    ];
  });
}

function knownExchanges(config: Config, source: Source): Problem[] {
  const names = config.exchanges.map((one) => one.name);
  return config.siems.flatMap((siem, i) =>
    (siem.exchanges ?? []).flatMap((name, j) => {
      if (names.includes(name)) return [];
      const near = suggestion(name, names);
      const hint = near === undefined ? '' : `did you mean ${near}? `;
      return [
        source.at(
          ['siems', i, 'exchanges', j],
          `no exchange has this name; ${hint}Configured: ${names.join(', ') || 'none'}`,
        ),
      ];
    }),
  );
}

/** A list that is not there would be asked in vain, and an action for it is a slip of the pen. */
function knownLists(config: Config, source: Source): Problem[] {
  const { lists, list_actions: actions } = config.policy.never_block;
  const path: Path = ['policy', 'never_block'];
  let names: string[] = [];
  try {
    if (lists !== undefined) names = listFiles(lists).map((one) => one.name);
  } catch (error) {
    return [source.at([...path, 'lists'], unreadable('this folder', lists, error))];
  }
  return Object.keys(actions).flatMap((name) => {
    if (BUILT_IN_LISTS.some((one) => one === name) || names.includes(name)) return [];
    const near = suggestion(name, [...BUILT_IN_LISTS, ...names]);
    const hint = near === undefined ? '' : `did you mean ${near}? `;
    const where = lists === undefined ? 'others need never_block.lists, a folder of warninglists' : `or of ${lists}`;
    return [
      source.at(
        [...path, 'list_actions', name],
        `no list has this name; ${hint}Built in: ${BUILT_IN_LISTS.join(', ')}; ${where}`,
      ),
    ];
  });
}

/** Reports need a name to go under, and rules that speak of partners who are there. */
function reporting(config: Config, source: Source): Problem[] {
  const problems: Problem[] = [];
  if (config.identity === undefined) {
    const first = config.exchanges.findIndex((one) => one.reports);
    if (first >= 0)
      problems.push(
        source.at(
          ['exchanges', first],
          'takes our sightings, so identity is required: { id: identity--<UUID>, name, class }',
        ),
      );
  }
  config.siems.forEach((siem, i) => {
    if (siem.hits.enabled === true && siem.definition.readsHits !== true)
      problems.push(source.at(['siems', i, 'hits'], `not yet: no hits are read from ${siem.type}; leave it out`));
  });
  const names = config.exchanges.map((one) => one.name);
  config.release.forEach((rule, i) => {
    const to = config.exchanges.find((one) => one.name === rule.to);
    if (rule.to !== '*' && to === undefined)
      problems.push(
        source.at(['release', i, 'to'], `no exchange has this name; Configured: ${names.join(', ')}, or *`),
      );
    if (to !== undefined && !to.reports && rule.action !== 'deny')
      problems.push(
        source.at(
          ['release', i, 'to'],
          `${rule.to} takes no sightings; set ${REPORT_KEY[to.type] ?? 'report_to'} there`,
        ),
      );
    for (const [j, from] of (rule.from ?? []).entries())
      if (!names.includes(from))
        problems.push(
          source.at(['release', i, 'from', j], `no exchange has this name; Configured: ${names.join(', ')}`),
        );
  });
  return problems;
}

function plainHttp(
  kind: 'exchanges' | 'siems',
  peers: readonly (ExchangeConfig | SiemConfig)[],
  source: Source,
): Problem[] {
  return peers.flatMap((peer, i) =>
    peer.urls.flatMap((text, j) => {
      const url = URL.parse(text);
      if (url?.protocol !== 'http:' || peer.peer.allow_http || isLoopbackHost(url.hostname)) return [];
      const many = Array.isArray((peer.settings as { url?: unknown }).url);
      const path: Path = many ? [kind, i, 'url', j] : [kind, i, 'url'];
      return [source.at(path, 'plain HTTP beyond loopback is refused; use https, or set allow_http: true')];
    }),
  );
}

const unreadable = (what: string, file: string | undefined, error: unknown): string =>
  `${what} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'}): ${file}`;

function readableFiles(config: Config, source: Source): Problem[] {
  const problems: Problem[] = [];
  const walk = (value: unknown, path: Path): void => {
    if (value instanceof Secret) {
      try {
        // A blank that was written is meant, where the schema takes one; in a file it is a mistake.
        if (value.reveal() === '' && value.file !== undefined) problems.push(source.at(path, 'the secret is empty'));
      } catch (error) {
        problems.push(source.at(path, unreadable('the file of this secret', value.file, error)));
      }
      return;
    }
    if (value === null || typeof value !== 'object') return;
    for (const [key, one] of Object.entries(value)) {
      const here = [...path, Array.isArray(value) ? Number(key) : key];
      if (path.at(-1) === 'tls' && key.endsWith('_file') && typeof one === 'string') {
        try {
          accessSync(one, constants.R_OK);
        } catch (error) {
          problems.push(source.at(here, unreadable('this file', one, error)));
        }
      } else {
        walk(one, here);
      }
    }
  };
  for (const [i, one] of config.exchanges.entries()) walk(one.settings, ['exchanges', i]);
  for (const [i, one] of config.siems.entries()) walk(one.settings, ['siems', i]);
  walk(config.listen.token, ['listen', 'token']);
  return problems;
}

/** By which key an exchange of a type takes our sightings. */
const REPORT_KEY: Readonly<Record<string, string>> = { files: 'outbox', misp: 'report' };
