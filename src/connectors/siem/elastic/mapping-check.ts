// Compares the mapping of an index with what our documents need. An index that somebody made by hand, or a write
// without our template, may hold a field as another type: then every document is refused, or no rule matches it.
import { indexMappings } from './template.ts';

interface FieldType {
  readonly path: string;
  readonly type: string;
}

/** Types that take and match the same values as far as our fields go. */
const ALIKE: readonly (readonly string[])[] = [
  ['keyword', 'wildcard', 'constant_keyword'],
  ['long', 'integer', 'short', 'unsigned_long'],
  ['date', 'date_nanos'],
];

export interface MappingProblem {
  readonly field: string;
  /** Undefined where the index does not know the field. */
  readonly has: string | undefined;
  readonly needs: string;
}

export function mappingProblems(properties: unknown): MappingProblem[] {
  const found = new Map(leaves(properties, '').map((one) => [one.path, one.type]));
  return leaves(indexMappings('')['properties'], '').flatMap(({ path, type }) => {
    const has = found.get(path);
    if (has !== undefined && alike(has, type)) return [];
    return [{ field: path, has: has ?? holderOf(path, found), needs: type }];
  });
}

export function problemText(problems: readonly MappingProblem[]): string {
  const told = problems
    .slice(0, 3)
    .map(({ field, has, needs }) =>
      has === undefined ? `${field} is not mapped and needs ${needs}` : `${field} is ${has} and needs ${needs}`,
    );
  const more = problems.length - told.length;
  return `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const alike = (a: string, b: string): boolean =>
  a === b || ALIKE.some((group) => group.includes(a) && group.includes(b));

/** A field that holds a value where ours is an object. */
function holderOf(path: string, found: ReadonlyMap<string, string>): string | undefined {
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const type = found.get(path.slice(0, dot));
    if (type !== undefined) return `below a field of type ${type}`;
  }
  return undefined;
}

function leaves(properties: unknown, prefix: string): FieldType[] {
  if (typeof properties !== 'object' || properties === null) return [];
  return Object.entries(properties).flatMap(([name, spec]: [string, unknown]) => {
    if (typeof spec !== 'object' || spec === null) return [];
    const path = `${prefix}${name}`;
    const { type, properties: below } = spec as { type?: unknown; properties?: unknown };
    const own = typeof type === 'string' && type !== 'object' ? [{ path, type }] : [];
    return [...own, ...leaves(below, `${path}.`)];
  });
}
