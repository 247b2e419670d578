// The import table of docs/architecture.md as data, and the owners of libraries and effects. A failure prints the
// file, what it imports and what its room may import.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const PURE = ['stix', 'misp', 'policy', 'inventory'];
const CONNECTOR = ['contracts', 'model', 'runtime'];

/**
 * Rooms of the store, from the ground up. A unit of work loads rows, lets the ledger decide and saves the difference: it
 * knows the port to a database (sql), never a database, and who reads for people knows no unit. Of contracts the store
 * takes types alone: what a page, a change and an entry look like.
 */
const UNIT = ['contracts', 'ledger', 'model', ...PURE, 'store sql', 'store spec', 'store rows', 'store unit'];
const STORE: Readonly<Record<string, readonly string[]>> = {
  'store sql': ['model'],
  'store sqlite': ['model', 'store sql'],
  'store postgres': ['model', 'runtime', 'store sql'],
  'store state': ['model', 'store sql', 'store sqlite', 'store postgres'],
  'store spec': ['model', 'policy', 'audit', 'runtime', 'store sql'],
  'store rows': ['model', ...PURE, 'ledger', 'runtime', 'store sql', 'store spec'],
  'store record': ['model', 'ledger', 'audit', 'runtime', 'store sql', 'store spec', 'store rows'],
  'store unit': [...UNIT, 'runtime', 'store state', 'store record'],
  'store projection': UNIT,
  'store ingest': [...UNIT, 'store projection'],
  'store delivery': [...UNIT, 'store projection', 'store record'],
  'store sightings': UNIT,
  'store read': [
    'model',
    ...PURE,
    'ledger',
    'audit',
    'runtime',
    'store sql',
    'store state',
    'store spec',
    'store rows',
    'store record',
  ],
  // What may be asked: the units of each room, put together.
  'store port': [
    ...UNIT,
    'audit',
    'store state',
    'store record',
    'store projection',
    'store ingest',
    'store delivery',
    'store sightings',
  ],
  store: [
    'contracts',
    'model',
    'runtime',
    'store sql',
    'store state',
    'store spec',
    'store port',
    'store ingest',
    'store delivery',
  ],
};
/** Where a state is, what it is told and how it is spelled; who reads it for people. */
const STATE = ['store sql', 'store state', 'store spec', 'store rows', 'store read', 'store unit'];

/** Room → rooms it may import beside itself. Each room may import model. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  runtime: ['model'],
  ...Object.fromEntries(PURE.map((room) => [room, ['model', ...PURE]])),
  // What may happen to a row, and no way to a database.
  ledger: ['model', 'policy', 'inventory'],
  // How the record is hashed, signed and laid out, and no way to a file.
  audit: ['model'],
  contracts: ['model', 'runtime'],
  config: ['contracts', 'model', 'runtime'],
  ...STORE,
  ingest: ['model', ...PURE, 'contracts', 'runtime', 'store', 'store ingest', 'store rows'],
  delivery: ['model', ...PURE, 'contracts', 'runtime', 'store', 'store delivery'],
  sightings: ['model', ...PURE, 'contracts', 'runtime', 'store', 'store sightings'],
  'connector siem': CONNECTOR,
  'connector exchange': [...CONNECTOR, 'stix', 'misp'],
  'simulators shared': ['model', 'stix', 'misp', 'runtime'],
  simulator: ['model', 'stix', 'misp', 'runtime', 'simulators shared'],
  web: ['model', 'store read', 'runtime'],
  registry: ['connector siem', 'connector exchange', 'contracts'],
  worker: ['store', 'registry', 'contracts', 'runtime', 'model'],
  app: [
    'web',
    'registry',
    'worker',
    'config',
    'contracts',
    'model',
    ...PURE,
    'audit',
    'store',
    ...STATE,
    // What a commit and a comparison came to.
    'store ingest',
    'store delivery',
    'ingest',
    'delivery',
    'sightings',
    'runtime',
  ],
  cli: [
    'app',
    'registry',
    'config',
    ...STATE,
    'contracts',
    'model',
    ...PURE,
    'audit',
    'simulator',
    'simulators shared',
    'runtime',
  ],
  main: ['cli', 'runtime', 'config'],
};

const OWNERS: readonly { readonly library: RegExp; readonly owners: RegExp }[] = [
  { library: /^axios/, owners: /^src\/core\/runtime\/http/ },
  { library: /^winston/, owners: /^src\/core\/runtime\/log/ },
  { library: /^node-cron/, owners: /^src\/core\/runtime\/scheduler/ },
  { library: /^prom-client/, owners: /^src\/core\/runtime\/metrics/ },
  { library: /^p-queue/, owners: /^src\/core\/delivery\// },
  { library: /^@elastic\//, owners: /^src\/connectors\/siem\/elastic\// },
  { library: /^re2js/, owners: /^src\/core\/policy\/linear-pattern/ },
  { library: /^tldts/, owners: /^src\/core\/policy\/never-block/ },
  { library: /^node:sqlite/, owners: /^src\/core\/store\/sqlite\// },
  { library: /^pg$/, owners: /^src\/core\/store\/postgres\// },
  { library: /^yaml/, owners: /^src\/core\/config\// },
];

const EFFECTS: readonly { readonly effect: RegExp; readonly owners: RegExp }[] = [
  { effect: /process\.exit\(/, owners: /^src\/main\.ts$/ },
  { effect: /process\.env/, owners: /^src\/(core\/config\/|main\.ts$)/ },
  {
    effect:
      /\bDate\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|randomBytes\(|\bset(Timeout|Interval)\(|performance\.now\(/,
    // What runs in a browser has that browser's.
    owners: /^src\/(core\/runtime\/|simulators\/|web\/client\/)/,
  },
];

/** Each says its cause in a comment. Files are at most 300 lines otherwise, classes 200. */
const LONG: readonly string[] = ['src/core/store/sql/schema.ts', 'ObjectSet', 'Conversation'];

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !file.endsWith('.test.ts'));

/** Comments are cut out, since they may name what the code must not use. */
const sourceOf = (file: string) =>
  readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/[^\n]*/g, '$1');

/** With `valuesOnly`, without `import type`, which leaves nothing behind when types are stripped. */
function importsOf(file: string, valuesOnly = false): string[] {
  const found = sourceOf(file).matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g,
  );
  return [...found]
    .filter((one) => !valuesOnly || !/^\s*(import|export)\s+type\s/.test(one[0]))
    .map((one) => one[1] ?? one[2] ?? '');
}

function roomOf(file: string): string {
  const [, first = '', second = '', third = ''] = file.split('/');
  if (first === 'core') return second === 'store' && file.split('/').length > 4 ? `store ${third}` : second;
  if (first === 'connectors') return /^(registry|encoders)\.ts$/.test(second) ? 'registry' : `connector ${second}`;
  if (first === 'simulators') return third === '' ? 'simulators shared' : 'simulator';
  return first.replace(/\.ts$/, '');
}

const edgesOf = (valuesOnly: boolean) =>
  files.flatMap((file) =>
    importsOf(file, valuesOnly)
      .filter((to) => to.startsWith('.'))
      .map((to) => ({ file, to: normalize(join(dirname(file), to)).replaceAll('\\', '/') }))
      .filter(({ to }) => to.startsWith('src/')),
  );
const edges = edgesOf(false);

/** All files that are loaded with this one, before anything is asked for by `import()`. */
function loadedBy(entry: string): ReadonlySet<string> {
  const within = new Set([entry]);
  for (const file of within) {
    const later = [...sourceOf(file).matchAll(/import\(\s*'([^']+)'/g)].map((one) => one[1]);
    const now = importsOf(file, true).filter((to) => to.startsWith('.') && !later.includes(to));
    for (const to of now) within.add(normalize(join(dirname(file), to)).replaceAll('\\', '/'));
  }
  return within;
}

describe('the house', () => {
  it('is walked at all', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(edges.length).toBeGreaterThan(20);
  });

  it('has no file outside the rooms of the table', () => {
    expect(files.filter((file) => MAY_IMPORT[roomOf(file)] === undefined)).toEqual([]);
  });

  it('keeps the import table', () => {
    const broken = edges.flatMap(({ file, to }) => {
      const [from, target] = [roomOf(file), roomOf(to)];
      const allowed = MAY_IMPORT[from] ?? [];
      // Two connectors, or two simulators, are two rooms though they share a rule.
      const sameFolder =
        !/^(connector|simulator)/.test(from) || dirname(file).split('/')[3] === dirname(to).split('/')[3];
      const inSame =
        from === target &&
        (from.startsWith('connector')
          ? sameFolder
          : from === 'simulator'
            ? file.split('/')[2] === to.split('/')[2]
            : true);
      return inSame || allowed.includes(target)
        ? []
        : [`${file} imports ${to}; ${from} may import ${allowed.join(', ') || 'nothing'}`];
    });

    expect(broken).toEqual([]);
  });

  it('imports nothing that is not there', () => {
    expect(edges.filter(({ to }) => !existsSync(join(root, to)))).toEqual([]);
  });

  it('gives every library one owner', () => {
    const broken = files.flatMap((file) =>
      importsOf(file).flatMap((to) =>
        OWNERS.filter(({ library, owners }) => library.test(to) && !owners.test(file)).map(
          () => `${file} imports ${to}`,
        ),
      ),
    );

    expect(broken).toEqual([]);
  });

  it('gives every effect one owner', () => {
    const broken = files.flatMap((file) =>
      EFFECTS.flatMap(({ effect, owners }) => {
        const found = owners.test(file) ? null : effect.exec(sourceOf(file));
        return found === null ? [] : [`${file} uses ${found[0]}`];
      }),
    );

    expect(broken).toEqual([]);
  });

  it('starts a daemon without the simulators', () => {
    const within = loadedBy('src/cli/run.ts');

    expect(within.size).toBeGreaterThan(100);
    expect([...within].filter((file) => roomOf(file).startsWith('simulator'))).toEqual([]);
  });

  it.each(['src/main.ts', 'src/cli/status.ts', 'src/cli/why.ts', 'src/cli/held.ts', 'src/cli/suppress.ts'])(
    'begins with %s before the engine, its log and metrics, and the connectors are loaded',
    (entry) => {
      const within = [...loadedBy(entry)];
      const libraries = within.flatMap((file) => importsOf(file, true).filter((to) => !/^(\.|node:)/.test(to)));

      expect(within.length).toBeGreaterThan(40);
      expect(within.filter((file) => /^src\/app\.ts|\/connector\.ts$/.test(file))).toEqual([]);
      expect(libraries.filter((one) => /winston|prom-client/.test(one))).toEqual([]);
    },
  );

  it("loads no library on the store's thread but the list of public suffixes and the patterns of lists", () => {
    const within = loadedBy('src/worker.ts');
    const libraries = [...within].flatMap((file) => importsOf(file, true).filter((to) => !/^(\.|node:)/.test(to)));

    expect(within.size).toBeGreaterThan(20);
    expect(libraries).toEqual(['tldts-icann', 're2js']);
  });

  it('keeps the ledger small enough to be read in one sitting: twelve files on four floors', () => {
    const within = edges.filter(({ file, to }) => roomOf(file) === 'ledger' && roomOf(to) === 'ledger');
    const floorOf = (file: string): number =>
      1 + Math.max(0, ...within.flatMap((one) => (one.file === file ? [floorOf(one.to)] : [])));
    const ledger = files.filter((file) => roomOf(file) === 'ledger');

    expect(ledger.length).toBeLessThanOrEqual(12);
    expect(Math.max(...ledger.map(floorOf))).toBeLessThanOrEqual(4);
  });

  it('has no long file and no long class in store and ledger without a cause', () => {
    const within = files.filter((file) => /^src\/core\/(store|ledger)\//.test(file));
    const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n');
    const classes = within.flatMap((file) => {
      const lines = linesOf(file);
      return lines.flatMap((line, at) => {
        const name = /^(?:export )?(?:abstract )?class (\w+)/.exec(line)?.[1];
        return name === undefined ? [] : [{ name, length: lines.indexOf('}', at) + 1 - at }];
      });
    });

    expect(classes.length).toBeGreaterThan(20);
    expect(within.filter((file) => linesOf(file).length > 301 && !LONG.includes(file))).toEqual([]);
    expect(classes.filter(({ name, length }) => length > 200 && !LONG.includes(name))).toEqual([]);
  });

  it('has no cycle', () => {
    // Of types too: files that know each other by types alone are one piece to a reader all the same.
    const next = Map.groupBy(edges, ({ file }) => file);
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);

    expect(cycles).toEqual([]);
  });
});
