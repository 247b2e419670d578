// Which API version to speak. Pinning one means an outage after three or four update packages, so the newest that
// the console supports and that we know is chosen, and chosen anew when the console says it was removed.
import { configFailure } from '../../../core/contracts/failure.ts';
import type { Facts } from './mapping.ts';
import type { Versions } from './responses.ts';

/** IBM's pages of these versions were compared with what we send. */
const OLDEST = 12;
const NEWEST = 26;
/** Set entries by PATCH. */
const COLLECTIONS_SINCE = 16;
/** The pages of 21.0 name the type, those of 22.0 its errors and filters too. */
const CIDR_SINCE = 22;

export interface Chosen extends Facts {
  /** Something a person should know though work goes on. */
  readonly warning?: string;
}

export function chooseVersion(offered: Versions, pinned: string | undefined, name: string): Chosen {
  const there = offered.filter((one) => !one.removed).toSorted((a, b) => Number(b.version) - Number(a.version));
  const list = there.map((one) => one.version).join(', ');
  if (pinned !== undefined) {
    const found = there.find((one) => one.version === pinned);
    if (found === undefined)
      throw configFailure(
        `${name}: api_version ${pinned} is not offered by the console; it offers ${list}. Leave api_version out`,
      );
    return facts(
      found.version,
      found.deprecated ? `api_version ${pinned} is deprecated on this console; leave it out` : undefined,
    );
  }
  const known = there.filter((one) => Number(one.version) >= OLDEST && Number(one.version) < NEWEST + 1);
  const live = known.find((one) => !one.deprecated);
  if (live !== undefined) return facts(live.version);
  const deprecated = known[0];
  if (deprecated !== undefined)
    return facts(
      deprecated.version,
      `only deprecated API versions that this release knows are offered (${list}); update this daemon soon`,
    );
  // A console newer than this release: the oldest it offers is nearest to what we know.
  const unknown = there.filter((one) => Number(one.version) > NEWEST).at(-1);
  if (unknown !== undefined)
    return facts(unknown.version, `the console offers only API versions newer than this release knows (${list})`);
  throw configFailure(
    `${name}: the console offers no API version from ${OLDEST}.0 on (${list}); QRadar 7.3.3 is the oldest that is supported`,
  );
}

function facts(version: string, warning?: string): Chosen {
  const major = Number(version);
  return {
    version,
    api: major >= COLLECTIONS_SINCE ? 'collections' : 'classic',
    cidr: major >= CIDR_SINCE,
    ...(warning === undefined ? {} : { warning }),
  };
}
