// Query parameters of TAXII 2.1 §3.4: every one at most once, malformed ones refused with 400, unknown ones ignored.
import { parseStamp } from './stamp.ts';

export interface Filter {
  readonly addedAfter?: number;
  readonly limit?: number;
  readonly next?: string;
  readonly ids?: readonly string[];
  readonly types?: readonly string[];
  readonly versions: readonly string[];
  readonly specVersions?: readonly string[];
  /** What must stay the same while `next` is followed: added_after and the match fields. */
  readonly print: string;
}

/** Which fields an endpoint takes beside added_after, limit and next. */
export type MatchField = 'id' | 'type' | 'version' | 'spec_version';

export function readFilter(
  query: URLSearchParams,
  fields: readonly MatchField[],
): Filter | { readonly problem: string } {
  const names = [...query.keys()];
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) return { problem: `${twice} is given more than once` };

  const after = query.get('added_after');
  const addedAfter = after === null ? undefined : parseStamp(after);
  if (after !== null && addedAfter === undefined) return { problem: `added_after ${after} is no timestamp in UTC` };
  const limitText = query.get('limit');
  if (limitText !== null && !/^[1-9]\d{0,14}$/.test(limitText))
    return { problem: `limit ${limitText} is no number above 0` };
  const next = query.get('next');
  if (next === '') return { problem: 'next is empty' };

  const matches: Partial<Record<MatchField, readonly string[]>> = {};
  for (const field of fields) {
    const text = query.get(`match[${field}]`);
    if (text === null) continue;
    const values = text.split(',');
    if (values.some((value) => value === '' || value.trim() !== value))
      return { problem: `match[${field}] has an empty value or a blank` };
    if (new Set(values).size < values.length) return { problem: `match[${field}] repeats a value` };
    matches[field] = values;
  }
  const versions = matches.version ?? ['last'];
  if (versions.includes('all') && versions.length > 1) return { problem: 'match[version] takes all only by itself' };
  const odd = versions.find((one) => !['all', 'first', 'last'].includes(one) && parseStamp(one) === undefined);
  if (odd !== undefined) return { problem: `match[version] ${odd} is neither first, last, all nor a timestamp` };
  return {
    ...(addedAfter === undefined ? {} : { addedAfter }),
    ...(limitText === null ? {} : { limit: Number(limitText) }),
    ...(next === null ? {} : { next }),
    ...(matches.id === undefined ? {} : { ids: matches.id }),
    ...(matches.type === undefined ? {} : { types: matches.type }),
    ...(matches.spec_version === undefined ? {} : { specVersions: matches.spec_version }),
    versions,
    print: JSON.stringify([after, matches.id, matches.type, versions, matches.spec_version]),
  };
}
