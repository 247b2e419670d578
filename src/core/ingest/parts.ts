// What one commit holds is bounded by claims as well as by objects: an indicator's pattern may name thousands of
// values, and each becomes rows. A page of too many is committed in parts.
import type { Page } from '../contracts/exchange-connector.ts';
import type { IncomingObject } from '../model/entry.ts';
import type { Json } from '../model/json.ts';

/** Claims per commit, more or less: a single object is never divided, since its new version replaces all its claims at once. */
export const COMMIT_CLAIMS = 20_000;

export function claimsOf(page: Page): number {
  return page.objects.reduce((sum, one) => sum + claimsIn(one), 0);
}

const claimsIn = (object: IncomingObject): number => (object.kind === 'indicator' ? object.observables.length : 0);

/**
 * Only the last part moves the cursor: until it is committed, the page is read again, and what came with the other
 * parts is known already. `before`: the cursor of the page before.
 */
export function* partsOf(page: Page, before: Json): Generator<Page, void, undefined> {
  if (claimsOf(page) <= COMMIT_CLAIMS) {
    yield page;
    return;
  }
  const { refusals: _1, ignored: _2, warning: _3, mended: _4, snapshotEnds: _5, snapshotBegins, ...rest } = page;
  const begins = snapshotBegins === true ? { snapshotBegins } : {};
  let first = true;
  // What explains indicators comes with the first of them: a marking that is not known yet counts as TLP:RED.
  let objects = page.objects.filter((one) => one.kind !== 'indicator') as IncomingObject[];
  let claims = 0;
  for (const indicator of page.objects) {
    if (indicator.kind !== 'indicator') continue;
    if (claims >= COMMIT_CLAIMS) {
      yield { ...rest, ...(first ? begins : {}), objects, refusals: [], cursor: before };
      first = false;
      objects = [];
      claims = 0;
    }
    objects.push(indicator);
    claims += claimsIn(indicator);
  }
  // Refusals are counted when they are committed, so they wait for the part that is not read again.
  const { snapshotBegins: _begun, ...last } = page;
  yield { ...(first ? page : last), objects };
}
