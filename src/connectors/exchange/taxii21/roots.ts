// From the configured address to the API root, and from configured names to collections (TAXII 2.1 §4, §5.1).
import { ConnectorError, configFailure } from '../../../core/model/failure.ts';
import type { TaxiiClient } from './client.ts';
import { Collection, Collections, Resource } from './responses.ts';

export interface Root {
  readonly url: URL;
  readonly title: string;
  /** Octets of a POST that the server takes. */
  readonly maxContentLength?: number;
}

export interface Selection {
  readonly readable: readonly Collection[];
  /** Configured, but not to be read: one worded failure each, by the name that was configured. */
  readonly unreadable: readonly { readonly name: string; readonly error: ConnectorError }[];
  /** What a person should know of the list itself. */
  readonly notes: readonly string[];
  /** Names of all collections the server shows, for people. */
  readonly offered: readonly string[];
  readonly serverNow: number | undefined;
}

/** Every TAXII path ends in a slash (§1.6.5); a missing one would be answered with a redirect. */
export function slashed(address: string): URL {
  const url = new URL(address);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

export async function findRoot(client: TaxiiClient, address: string, who: string, signal: AbortSignal): Promise<Root> {
  const url = slashed(address);
  let resource: Resource;
  try {
    resource = (await client.get(url, `the API root or discovery ${url.pathname}`, Resource, signal)).content;
  } catch (error) {
    // Some servers have collections but no answer at the root itself.
    if (error instanceof ConnectorError && error.status === 404) return { url, title: url.pathname };
    throw error;
  }
  if (resource.versions != null) return checked(url, resource, who);
  const named = [resource.default, ...resource.api_roots].flatMap((one) => one?.trim() || []);
  const [chosen] = named;
  if (chosen === undefined) {
    throw configFailure(`${who}: ${url.href} is neither an API root nor a discovery that names one; check url`);
  }
  const root = URL.parse(chosen, url.href);
  if (root === null)
    throw configFailure(
      `${who}: the discovery names a malformed API root; ask the partner for the API root and set it as url`,
    );
  if (root.origin !== url.origin) {
    // Whoever answers in the partner's name must not be able to send people, and their credentials, somewhere else.
    throw configFailure(
      `${who}: the discovery names an API root elsewhere (${root.origin}), where nothing is sent; ask the partner, by a way you trust, for the address of your API root`,
    );
  }
  const there = slashed(root.href);
  const answer = await client.get(there, `the API root ${there.pathname}`, Resource, signal).catch((error: unknown) => {
    throw namingOthers(error, there, named, url);
  });
  return checked(there, answer.content, who);
}

const MOST_ROOTS = 10;

/** Where the root is not there, or not for us, another one of the discovery may be; never one elsewhere. */
function namingOthers(error: unknown, tried: URL, named: readonly string[], discovery: URL): unknown {
  if (!(error instanceof ConnectorError) || (error.status !== 403 && error.status !== 404)) return error;
  const others = new Set<string>();
  for (const one of named) {
    const url = URL.parse(one, discovery.href);
    if (url?.origin !== tried.origin) continue;
    const { pathname } = slashed(url.href);
    if (pathname !== tried.pathname && others.size < MOST_ROOTS) others.add(pathname);
  }
  if (others.size === 0) return error;
  return new ConnectorError(
    error.kind,
    `${error.message}; the discovery also names ${[...others].join(', ')}: if one of these is meant, set it as url`,
    { cause: error, status: error.status, uncertain: error.uncertain },
  );
}

function checked(url: URL, resource: Resource, who: string): Root {
  const versions = resource.versions ?? [];
  if (versions.length > 0 && !versions.some((one) => /2\.1/.test(one))) {
    throw configFailure(`${who}: the API root ${url.pathname} speaks ${versions.join(', ')}, not TAXII 2.1; check url`);
  }
  const most = resource.max_content_length ?? undefined;
  return {
    url,
    title: resource.title ?? url.pathname,
    ...(most === undefined ? {} : { maxContentLength: most }),
  };
}

export function collectionUrl(root: Root, id: string, below = ''): URL {
  // Ids are opaque: servers use others than UUIDs.
  return new URL(`collections/${encodeURIComponent(id)}/${below}`, root.url);
}

export async function selectCollections(
  client: TaxiiClient,
  root: Root,
  wanted: readonly string[] | undefined,
  who: string,
  signal: AbortSignal,
): Promise<Selection> {
  const answer = await client.get(new URL('collections/', root.url), 'the list of collections', Collections, signal);
  const offered = answer.content.collections.flatMap((one) => Collection.safeParse(one).data ?? []);
  const names = offered.map((one) => `${one.title ?? one.alias ?? one.id} (${one.id})`);
  const odd = answer.content.collections.length - offered.length;
  const notes = odd === 0 ? [] : [`${odd} entries of the list of collections have no id and are passed over`];
  const common = { offered: names, notes, serverNow: answer.serverNow };
  if (wanted === undefined) {
    const readable = offered.filter((one) => one.can_read !== false);
    if (readable.length === 0) {
      const passed = notes.map((one) => ` (${one})`).join('');
      throw configFailure(
        `${who}: the server shows this account no readable collection${passed}; check auth, or ask the partner`,
      );
    }
    return { readable, unreadable: [], ...common };
  }
  const readable = new Map<string, Collection>();
  const unreadable: { name: string; error: ConnectorError }[] = [];
  const refuse = (name: string, why: string): void => {
    unreadable.push({ name, error: configFailure(`${who}: ${why}`) });
  };
  for (const name of wanted) {
    const found = named(offered, name);
    if (found === 'ambiguous') {
      refuse(name, `several collections are titled "${name}"; name the one you mean by its id`);
      continue;
    }
    const collection = found ?? (await hidden(client, root, name, signal));
    if (collection === undefined) {
      const shown = names.length === 0 ? 'none' : names.slice(0, 20).join(', ');
      refuse(name, `there is no collection "${name}"; the server shows ${shown}`);
    } else if (collection.can_read === false) {
      refuse(name, `this account may not read the collection "${name}"; ask the partner for access`);
    } else readable.set(collection.id, collection);
  }
  return { readable: [...readable.values()], unreadable, ...common };
}

/** The collection that takes our reports. */
export async function reportCollection(
  client: TaxiiClient,
  root: Root,
  name: string,
  who: string,
  signal: AbortSignal,
): Promise<Collection> {
  const answer = await client.get(new URL('collections/', root.url), 'the list of collections', Collections, signal);
  const offered = answer.content.collections.flatMap((one) => Collection.safeParse(one).data ?? []);
  const found = named(offered, name) ?? (await hidden(client, root, name, signal));
  if (found === 'ambiguous')
    throw configFailure(`${who}: several collections are titled "${name}"; name the one for report_to by its id`);
  if (found === undefined)
    throw configFailure(`${who}: there is no collection "${name}" to report to; check report_to and report_auth`);
  if (found.can_write !== true)
    throw configFailure(
      `${who}: this account may not write to the collection "${name}"; ask the partner, or set report_auth`,
    );
  return found;
}

/** Id before alias before title, so that a title never takes the place of an id. */
function named(offered: readonly Collection[], name: string): Collection | 'ambiguous' | undefined {
  const exact = offered.find((one) => one.id === name) ?? offered.find((one) => one.alias === name);
  if (exact !== undefined) return exact;
  const titled = offered.filter((one) => one.title === name);
  return titled.length > 1 ? 'ambiguous' : titled[0];
}

/** A server may leave a collection out of its list and yet answer for it. */
async function hidden(
  client: TaxiiClient,
  root: Root,
  name: string,
  signal: AbortSignal,
): Promise<Collection | undefined> {
  try {
    return (await client.get(collectionUrl(root, name), `the collection "${name}"`, Collection, signal)).content;
  } catch (error) {
    if (
      error instanceof ConnectorError &&
      (error.kind === 'config' || error.kind === 'permanent') &&
      error.status !== 401
    )
      return undefined;
    throw error;
  }
}
