// The text of the configuration file: parsed first, then `${NAME}` is put into string values only, so that a
// variable can never change the structure. Keeps the positions, so that every problem has its line and column.
import { basename, dirname, resolve } from 'node:path';
import { isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `exchanges[0].auth.password`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong and what is allowed. Never holds a value that may be secret. */
  readonly message: string;
}

export type Path = readonly (string | number)[];
export type Environment = { readonly [name: string]: string | undefined };

export function problemLine(problem: Problem): string {
  const path = problem.path === '' ? '' : ` ${problem.path}:`;
  return `${problem.file}:${problem.line}:${problem.column}${path} ${problem.message}`;
}

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

export interface Source {
  /** The values with variables replaced, secret twins and paths resolved. */
  readonly value: unknown;
  /** Problem at the value of `path`; at its nearest parent when it is not there. */
  at(path: Path, message: string): Problem;
  /** Problem at the key that ends `path`. */
  atKey(path: Path, message: string): Problem;
  /** Values that name a variable which is not set, with their problem. */
  readonly unset: readonly { readonly path: Path; readonly problem: Problem }[];
}

/** Stands where a variable is not set and nobody needs its value. */
const UNSET = 'unset';

export function readSource(
  file: string,
  text: string,
  env: Environment,
  /** The file in messages. */
  name = basename(file),
): { readonly source: Source; readonly problems: readonly Problem[] } {
  const unset: { path: Path; problem: Problem }[] = [];
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const problem = (offset: number, path: Path, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file: name, line: Math.max(line, 1), column: Math.max(col, 1), path: pathText(path), message };
  };
  // An unknown tag is only a warning to the parser, but its value would mean something else than written.
  const problems = unquoted(text, document).map(({ offset, message }) => problem(offset, [], message));
  if (problems.length === 0) {
    for (const { pos, code, message } of [...document.errors, ...document.warnings])
      problems.push(problem(pos[0], [], PARSER_WORDS[code] ?? `not valid YAML: ${message}`));
  }
  if (problems.length === 0) problems.push(...aliasProblems(document, problem), ...lostNames(document, problem));
  const at = (path: Path, message: string) => problem(offsetOf(document, path), path, message);
  const atKey = (path: Path, message: string) =>
    problem(keyOffsetOf(document, path) ?? offsetOf(document, path), path, message);
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS();
    } catch {
      problems.push(problem(0, [], 'not valid YAML: aliases expand to too much'));
    }
  }
  const prepared =
    problems.length > 0 ? undefined : prepare(value, [], { env, folder: dirname(resolve(file)), problems, unset, at });
  return { source: { value: prepared, at, atKey, unset }, problems };
}

/** Characters with which a value cannot begin unless it is quoted; a schedule nearly always begins with one. */
function unquoted(text: string, document: Document): { offset: number; message: string }[] {
  const lines = new Set<number>();
  return document.errors.flatMap(({ pos: [offset] }) => {
    const start = text.lastIndexOf('\n', offset - 1) + 1;
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? undefined : end);
    const found =
      /(?<=(?:^|[\s{,])[\w.-]+:[ \t]+|^\s*-[ \t]+)(?:([*@`%&!|>])[^\s,}\]#][^,}\]#]*|\*(?=[ \t]+[\d*])[^,}\]#]*)/.exec(
        line,
      );
    const value = found?.[0].trim();
    if (found === null || value === undefined || lines.has(start)) return [];
    // Of an alias or an anchor only what cannot be one: `*/5`.
    if (/^[*&!|>]\w*$/.test(value)) return [];
    lines.add(start);
    const [, sign = '*'] = found;
    const shown = sign === '*' ? ` "${value}"` : '';
    return [
      {
        offset: start + found.index,
        message: `a value that begins with ${sign} is no plain text: quote it${shown}`,
      },
    ];
  });
}

/** Where the parser's own words are for who writes programs. */
const PARSER_WORDS: Readonly<Record<string, string>> = {
  RESOURCE_EXHAUSTION: 'nested too deep',
  MULTIPLE_DOCS: 'a second document begins here (---); a configuration is one',
};

/** A name that no setting has and that would get lost on the way. */
function lostNames(document: Document, problem: (offset: number, path: Path, message: string) => Problem): Problem[] {
  const found: Problem[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '__proto__')
        found.push(problem(key.range?.[0] ?? 0, [], '__proto__: unknown key; take it out'));
    },
  });
  return found;
}

function aliasProblems(
  document: Document,
  problem: (offset: number, path: Path, message: string) => Problem,
): Problem[] {
  const found: Problem[] = [];
  visit(document, {
    Alias(_, alias, ancestors) {
      const target: Node | undefined = alias.resolve(document);
      const { source } = alias;
      const offset = alias.range?.[0] ?? 0;
      if (target === undefined) found.push(problem(offset, [], `alias *${source} has no anchor &${source} before it`));
      else if (ancestors.some((one) => one === target))
        found.push(problem(offset, [], `alias *${source} stands within its own anchor, so it would have no end`));
    },
  });
  return found;
}

interface Preparation {
  readonly env: Environment;
  readonly folder: string;
  readonly problems: Problem[];
  readonly unset: { path: Path; problem: Problem }[];
  readonly at: Source['at'];
}

/** In these places files by meaning; everywhere else `<key>_file` is the twin of a secret `<key>`. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  tls: ['ca_file', 'cert_file', 'key_file'],
  audit: ['key_file'],
};

function prepare(value: unknown, path: Path, to: Preparation): unknown {
  if (typeof value === 'string') return interpolate(value, path, to);
  if (Array.isArray(value)) return value.map((one: unknown, i) => prepare(one, [...path, i], to));
  if (value === null || typeof value !== 'object') return value;
  const made: [string, unknown][] = [];
  const files = FILES[String(path.at(-1))] ?? [];
  for (const [key, one] of Object.entries(value)) {
    const ready = prepare(one, [...path, key], to);
    const twin = /^(.+)_file$/.exec(key)?.[1];
    if (twin === undefined) {
      // Paths by meaning: the state, the folder of never-block lists, those of an exchange. A URL is left as it stands.
      const isPath =
        (path.length === 0 && key === 'state') ||
        (path.at(-1) === 'never_block' && key === 'lists') ||
        (path.length === 2 && path[0] === 'exchanges' && (key === 'path' || key === 'outbox'));
      made.push([
        key,
        isPath && typeof ready === 'string' && !/^\w+:\/\//.test(ready) ? resolve(to.folder, ready) : ready,
      ]);
    } else if (typeof ready !== 'string') {
      to.problems.push(to.at([...path, key], 'expected the path of a file'));
    } else if (files.includes(key)) {
      made.push([key, resolve(to.folder, ready)]);
    } else if (twin in value) {
      to.problems.push(to.at([...path, key], `give ${twin} or ${key}, not both`));
    } else {
      made.push([twin, { file: resolve(to.folder, ready) }]);
    }
  }
  return Object.fromEntries(made);
}

function interpolate(text: string, path: Path, to: Preparation): string {
  return text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (found, name: string | undefined) => {
    if (found === '$${') return '${';
    if (name === undefined || !found.endsWith('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      to.problems.push(
        to.at(path, 'expected ${NAME} with letters, digits and underscores; write $${ for a literal ${'),
      );
      return '';
    }
    const value = to.env[name];
    if (value === undefined) {
      const message = `environment variable ${name} is not set; set it, or write $\${${name}} if you mean the text`;
      to.unset.push({ path, problem: to.at(path, message) });
      return UNSET;
    }
    return value;
  });
}

/** A path may name a key whose twin `<key>_file` is what the file has. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length);
    const last = part.at(-1);
    for (const candidate of [part, ...(typeof last === 'string' ? [[...part.slice(0, -1), `${last}_file`]] : [])]) {
      const node = document.getIn(candidate, true);
      if (isNode(node) && node.range != null) return node.range[0];
    }
  }
  return document.contents?.range?.[0] ?? 0;
}

function keyOffsetOf(document: Document, path: Path): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const target = isAlias(parent) ? parent.resolve(document) : parent;
  if (!isMap(target)) return undefined;
  for (const { key } of target.items) {
    if (isScalar(key) && String(key.value) === String(path.at(-1))) return key.range?.[0];
  }
  return undefined;
}
