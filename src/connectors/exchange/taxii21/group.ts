// A group of objects that share one added time and do not fit into a page, on a server without `next`: the manifest
// tells their ids, and they are fetched by id.
import { ConnectorError } from '../../../core/model/failure.ts';
import { readManifest } from './manifest.ts';
import { type Read, readObjects } from './objects.ts';
import { collectionUrl } from './roots.ts';
import type { RunContext } from './run-context.ts';
import { microsOf } from './time.ts';

const IDS_PER_REQUEST = 20;
const MAX_MANIFEST_PAGES = 1_000;

export async function* readGroup(
  at: bigint,
  what: string,
  context: RunContext,
): AsyncGenerator<readonly Read[] | 'incomplete', void, undefined> {
  let ids: readonly string[];
  try {
    ids = await idsAddedAt(at, what, context);
  } catch (error) {
    // Without a usable manifest the group stays incomplete; an outage or a lost right ends the run as ever.
    const unusable = error instanceof ConnectorError && (error.kind === 'permanent' || error.status === 404);
    if (!unusable) throw error;
    yield 'incomplete';
    return;
  }
  for (let from = 0; from < ids.length; from += IDS_PER_REQUEST) {
    yield* readByIds(ids.slice(from, from + IDS_PER_REQUEST), what, context);
  }
}

async function idsAddedAt(at: bigint, what: string, context: RunContext): Promise<readonly string[]> {
  const { client, root, collection, who, pageSize, signal } = context;
  const url = collectionUrl(root, collection.id, 'manifest/');
  const reading = {
    client,
    url,
    what: `the manifest of ${what}`,
    who,
    limit: pageSize,
    maxPages: MAX_MANIFEST_PAGES,
    signal,
  };
  const ids = new Set<string>();
  for await (const page of readManifest(reading, at - 1n)) {
    for (const entry of page.entries) {
      const added = microsOf(entry.date_added);
      if (added === at) ids.add(entry.id);
      else if (added !== undefined && added > at) return [...ids];
    }
  }
  return [...ids];
}

async function* readByIds(
  ids: readonly string[],
  what: string,
  context: RunContext,
): AsyncGenerator<readonly Read[] | 'incomplete', void, undefined> {
  const { client, root, collection, who, pageSize, signal } = context;
  const query = { 'match[id]': ids.join(','), limit: pageSize };
  const url = collectionUrl(root, collection.id, 'objects/');
  const answer = await client.objects(url, what, signal, query);
  const half = Math.ceil(ids.length / 2);
  if (answer.content.more === true && ids.length > 1) {
    yield* readByIds(ids.slice(0, half), what, context);
    yield* readByIds(ids.slice(half), what, context);
    return;
  }
  yield (await readObjects(answer.content.objects, `${who}: ${what}`, signal)).read;
  if (answer.content.more === true) yield 'incomplete';
}
