// API versions of one console. IBM supports the newest and about two before it; the next older one is deprecated
// and still answers; whatever is older was removed and answers 422.
import { QRadarError } from './errors.ts';

const ALL = [
  '1.0',
  '2.0',
  '3.0',
  '3.1',
  '4.0',
  '5.0',
  '5.1',
  '6.0',
  '7.0',
  '8.0',
  '9.0',
  '9.1',
  '10.0',
  '10.1',
  '11.0',
  '12.0',
  '13.0',
  '13.1',
  '14.0',
  '15.0',
  '16.0',
  '17.0',
  '18.0',
  '19.0',
  '20.0',
  '21.0',
  '22.0',
  '23.0',
  '24.0',
  '25.0',
  '26.0',
];

/** QRadar releases and the newest API each brought. */
const RELEASES: Readonly<Record<string, string>> = {
  '7.0': '7.2.8',
  '12.0': '7.3.3',
  '13.1': '7.4.0',
  '14.0': '7.4.1',
  '15.0': '7.4.2',
  '16.0': '7.4.3',
  '17.0': '7.5.0',
  '18.0': '7.5.0',
  '19.0': '7.5.0',
  '20.0': '7.5.0',
  '21.0': '7.5.0',
  '22.0': '7.5.0',
  '23.0': '7.5.0',
  '24.0': '7.5.0',
  '25.0': '7.5.0',
  '26.0': '7.5.0',
};

export interface ApiVersion {
  readonly id: number;
  readonly version: string;
  readonly deprecated: boolean;
  readonly removed: boolean;
}

export interface Versions {
  readonly newest: string;
  readonly release: string;
  readonly list: readonly ApiVersion[];
  /** The version that a request with this header is answered in. */
  pick(header: string | undefined): ApiVersion;
}

export function versionsOf(newest: string): Versions {
  const last = ALL.indexOf(newest);
  if (last < 0) throw new Error(`no API version ${newest}; known: ${ALL.join(' ')}`);
  const known = ALL.slice(0, last + 1);
  // 7.2.8 and UP12 are described by IBM; the other windows follow the general rule.
  const live = newest === '7.0' ? 2 : newest === '26.0' ? 4 : 3;
  const deprecated = newest === '7.0' ? 3 : 1;
  const list = known.map((version, i) => ({
    id: i + 1,
    version,
    deprecated: i <= last - live && i > last - live - deprecated,
    removed: i <= last - live - deprecated,
  }));
  const pick = (header: string | undefined): ApiVersion => {
    const asked = header?.trim() ?? '';
    const top = list[last];
    if (top === undefined) throw new Error('a console has at least one version');
    if (asked === '') return top;
    if (!/^\d+(\.\d+)?$/.test(asked)) throw new QRadarError(422, 6, `The version "${asked}" is not a valid version`);
    if (Number(asked) > Number(newest)) return top;
    const found = asked.includes('.')
      ? list.find((one) => one.version === asked)
      : list.findLast((one) => one.version.startsWith(`${asked}.`));
    if (found === undefined) throw new QRadarError(422, 6, `The version "${asked}" does not exist`);
    if (found.removed) throw new QRadarError(422, 7, `The version "${found.version}" of the API has been removed`);
    return found;
  };
  return { newest, release: RELEASES[newest] ?? '7.2.8', list, pick };
}
