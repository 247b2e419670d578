// A list in the format of MISP's warninglists (https://github.com/MISP/misp-warninglists): one JSON object with `type`,
// which says how entries match, and `list`. Read here from its text; what cannot be used is told, the rest works.
import { VALUE_KINDS, type ValueKind } from '../model/listed-value.ts';

/** How entries match. `host` is our own: the host of a value, and nothing below it. */
export type MatchType = 'string' | 'substring' | 'hostname' | 'cidr' | 'regex' | 'host';

export interface NamedList {
  /** As in `list_actions`, reasons and counts. */
  readonly name: string;
  readonly type: MatchType;
  readonly entries: readonly string[];
  /** Kinds of value it speaks of, where it says so. */
  readonly kinds?: ReadonlySet<ValueKind>;
}

export function readWarninglist(name: string, text: string): NamedList | { readonly refused: string } {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return { refused: `it is no JSON (${error instanceof Error ? error.message.slice(0, 120) : String(error)})` };
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return { refused: 'it is no JSON object' };
  const { type, list, matching_attributes: attributes } = read as Readonly<Record<string, unknown>>;
  if (!isMatchType(type)) return { refused: `its type is none of ${TYPES.join(', ')}` };
  if (!Array.isArray(list)) return { refused: 'it has no array "list"' };
  const kinds = new Set<ValueKind>();
  if (Array.isArray(attributes))
    for (const one of attributes)
      for (const part of String(one).split('|')) for (const kind of KINDS[part] ?? []) kinds.add(kind);
  if (Array.isArray(attributes) && attributes.length > 0 && kinds.size === 0)
    return { refused: 'it speaks of no kind of value that stands on watchlists' };
  // What is no text is left out where entries are told one by one.
  const entries = (list as readonly unknown[]).map((one) => (typeof one === 'string' ? one : ''));
  return { name, type, entries, ...(kinds.size === 0 || kinds.size === VALUE_KINDS.length ? {} : { kinds }) };
}

const TYPES = ['string', 'substring', 'hostname', 'cidr', 'regex'] as const;

const isMatchType = (type: unknown): type is (typeof TYPES)[number] => TYPES.some((one) => one === type);

/** MISP's attribute types, parts of composite ones included, by what we call their values. */
const KINDS: Readonly<Record<string, readonly ValueKind[]>> = {
  'ip-src': ['address'],
  'ip-dst': ['address'],
  ip: ['address'],
  domain: ['name'],
  hostname: ['name'],
  url: ['url'],
  uri: ['url'],
  link: ['url'],
  email: ['mail'],
  'email-src': ['mail'],
  'email-dst': ['mail'],
  'email-reply-to': ['mail'],
  md5: ['hash'],
  sha1: ['hash'],
  sha256: ['hash'],
  sha512: ['hash'],
};
