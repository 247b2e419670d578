// The part of Kibana's query language that our rules are written in, as the queries that Kibana makes of it: terms joined by
// and, or, not and brackets; `field:*`, `field:value`, `field:(a or b)` and comparisons. Anything else is refused, so that no
// rule is shipped in words that nothing here has run.
type Query = Readonly<Record<string, unknown>>;

export function queryOf(kql: string): Query {
  const tokens = kql.match(/"[^"]*"|[()]|>=|<=|[<>:]|[^\s()<>:"]+/g) ?? [];
  let at = 0;
  const took = (word: string): boolean => {
    if (tokens[at]?.toLowerCase() !== word) return false;
    at += 1;
    return true;
  };
  const need = (word: string): void => {
    if (!took(word)) throw new Error(`${word} is missing at "${tokens.slice(at).join(' ')}" of ${kql}`);
  };
  const name = (): string => {
    const token = tokens[at++] ?? '';
    if (!/^[@\w][\w.@*]*$/.test(token)) throw new Error(`no field or word: "${token}" of ${kql}`);
    return token;
  };
  const any = (single: () => Query): Query => {
    const should = [all(single)];
    while (took('or')) should.push(all(single));
    return should.length === 1 ? should[0]! : { bool: { should, minimum_should_match: 1 } };
  };
  const all = (single: () => Query): Query => {
    const filter = [one(single)];
    while (took('and')) filter.push(one(single));
    return filter.length === 1 ? filter[0]! : { bool: { filter } };
  };
  const one = (single: () => Query): Query => {
    if (took('not')) return { bool: { must_not: one(single) } };
    if (!took('(')) return single();
    const inner = any(single);
    need(')');
    return inner;
  };
  const value = (field: string): Query => {
    const token = tokens[at] ?? '';
    if (token === '*') {
      at += 1;
      return { exists: { field } };
    }
    if (token.startsWith('"')) {
      at += 1;
      return { match_phrase: { [field]: token.slice(1, -1) } };
    }
    return { match: { [field]: name() } };
  };
  const RANGES: Readonly<Record<string, string>> = { '>=': 'gte', '<=': 'lte', '>': 'gt', '<': 'lt' };
  const term = (): Query => {
    const field = name();
    const range = RANGES[tokens[at] ?? ''];
    if (range !== undefined) {
      at += 1;
      const bound = (tokens[at++] ?? '').replaceAll('"', '');
      return { range: { [field]: { [range]: /^\d+$/.test(bound) ? Number(bound) : bound } } };
    }
    need(':');
    return one(() => value(field));
  };
  const made = any(term);
  if (at < tokens.length) throw new Error(`"${tokens.slice(at).join(' ')}" is left of ${kql}`);
  return made;
}
