// What PostgreSQL spells otherwise than SQLite, rewritten by construction: the SQL of the units is the common subset but
// for these few forms. Texts in quotes are left as they are.

/** One statement of the units, as PostgreSQL takes it. */
export function toPostgres(sql: string): string {
  let values = 0;
  return outsideQuotes(named(sql), (text) =>
    scalars(
      text
        .replace(/\s+INDEXED BY \w+/g, '')
        .replace(/\s+NOT INDEXED\b/g, '')
        .replace(/\)\s*WITHOUT ROWID\b/g, ')')
        // SQLite keeps the order of a CROSS JOIN and lets it have a condition; here it is a join like any other.
        .replace(/\bCROSS JOIN (\w+ \w+ ON)\b/g, 'JOIN $1')
        .replace(/\bIS \?/g, 'IS NOT DISTINCT FROM ?')
        .replace(/\bAS INTEGER\b/g, 'AS BIGINT')
        // Long texts are unique by their digest (schema.ts).
        .replace(/\bON CONFLICT \(([^)]*)\bvalue\)/g, 'ON CONFLICT ($1md5(value))')
        .replace(/\?/g, () => `$${++values}`),
    ),
  );
}

/** A later step of SQLite's schema (sqlite/schema.ts), which keeps to tables, columns and indexes. */
export function migrationToPostgres(sql: string): string {
  if (/\bTRIGGER\b|\bjson_|\bPRAGMA\b|\bOLD\b/i.test(sql))
    throw new Error('this step of the schema needs words of its own for PostgreSQL (postgres/schema.ts)');
  return toPostgres(
    outsideQuotes(sql, (text) => text.replace(/\bINTEGER\b/g, 'BIGINT').replace(/\bTEXT\b/g, 'TEXT COLLATE "C"')),
  );
}

function outsideQuotes(sql: string, rewrite: (text: string) => string): string {
  // Comments may hold quotes of their own.
  return sql
    .replace(/--[^\n]*/g, '')
    .split(/('(?:[^']|'')*'|"[^"]*")/)
    .map((part, i) => (i % 2 === 0 ? rewrite(part) : part))
    .join('');
}

/** `min` and `max` of several values have names of their own; of one value they are aggregates here too. */
function scalars(text: string): string {
  return text.replace(/\b(min|max)\(/g, (found, name: string, at: number) =>
    hasComma(text, at + found.length) ? `${name === 'min' ? 'least' : 'greatest'}(` : found,
  );
}

/** Every select in FROM has a name here, whether anybody uses it or not. */
function named(sql: string): string {
  let made = sql;
  for (const { index, 0: found } of [...sql.matchAll(/\b(FROM|JOIN)\s*\((?=\s*SELECT\b)/g)].toReversed()) {
    const end = closing(made, index + found.length);
    if (!/^\s*(AS\b|(?!(WHERE|GROUP|ORDER|LIMIT|JOIN|LEFT|CROSS|ON|UNION)\b)\w)/.test(made.slice(end + 1)))
      made = `${made.slice(0, end + 1)} AS part_${index}${made.slice(end + 1)}`;
  }
  return made;
}

/** Where the bracket closes that was open at `from`. */
function closing(text: string, from: number): number {
  let depth = 1;
  let at = from;
  for (; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) break;
  }
  return at;
}

function hasComma(text: string, from: number): boolean {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const one = text[i];
    if (one === '(') depth++;
    else if (one === ')' && depth-- === 0) return false;
    else if (one === ',' && depth === 0) return true;
  }
  return false;
}

export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
