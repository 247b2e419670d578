// Results for people: on the screen and in README.md.

/** caught: a test failed. broken: none failed and yet the run did, so that nothing is told. */
export type Result = 'caught' | 'survived' | 'broken' | 'not tried';

export interface Outcome {
  readonly result: Result;
  /** The test that failed first. */
  readonly by?: string;
}

export interface Row extends Outcome {
  readonly area: string;
  readonly file: string;
  readonly rule: string;
}

export function table(rows: readonly Row[]): string {
  const lines = rows
    .filter((one) => one.result !== 'caught' && one.result !== 'not tried')
    .map(({ result, file, rule }) => `${result}: ${file}: ${rule}`);
  const counts = [...Map.groupBy(rows, (one) => one.area)].map(([area, some]) => `${area.padEnd(12)} ${summed(some)}`);
  return ['', ...lines, '', ...counts, `${'all'.padEnd(12)} ${summed(rows)}`].join('\n');
}

const caughtOf = (rows: readonly Row[]): number => rows.filter((one) => one.result === 'caught').length;
const triedOf = (rows: readonly Row[]): number => rows.filter((one) => one.result !== 'not tried').length;

function summed(rows: readonly Row[]): string {
  const tried = triedOf(rows);
  return `${caughtOf(rows)} of ${tried} caught${tried === rows.length ? '' : `, ${rows.length - tried} not tried`}`;
}

export interface Results {
  /** All that are remembered. */
  readonly rows: readonly Row[];
  readonly sample: { readonly rows: readonly Row[]; readonly seed: string } | undefined;
  /** Those that no test can notice. */
  readonly equal: readonly { readonly file: string; readonly rule: string; readonly survives?: string }[];
  readonly when: string;
  readonly applied: string;
}

/** Newest results of all: which rule is held by which test. */
export function written({ rows, sample, equal, when, applied }: Results): string {
  const survivors = rows.filter((one) => one.result === 'survived' || one.result === 'broken');
  const parts = [...Map.groupBy(rows, (one) => one.area)].map(([area, some]) =>
    [`## ${area}: ${summed(some)}`, '', '| rule | where | held by |', '| --- | --- | --- |', ...some.map(line)].join(
      '\n',
    ),
  );
  const drawn =
    sample === undefined
      ? []
      : [
          `A sample over all areas (\`--sample ${sample.rows.length} --seed ${sample.seed}\`): **${summed(sample.rows)}**.`,
        ];
  const listed = (some: readonly string[], none: string): string => (some.length === 0 ? none : some.join('\n'));
  return `# Mutants

Deliberate faults, each of which takes one rule out of the code, and the test that notices. Written by \`npm run mutants\`;
do not edit. The faults stand as data in the files beside this one.

${[`${when}. ${applied}.`, ...drawn, `All that were tried so far, each with the code and the tests of its day: **${summed(rows)}** (${Math.floor((100 * caughtOf(rows)) / Math.max(1, triedOf(rows)))} of 100).`].join('\n')}

## Survivors

${listed(
  survivors.map(({ file, rule }) => `- ${name(file)}: ${rule} No test notices yet.`),
  'None.',
)}

## Equal to the code, not counted

${listed(
  equal.map(({ file, rule, survives }) => `- ${name(file)}: ${rule} ${survives ?? ''}`),
  'None.',
)}

${parts.join('\n\n')}
`;
}

/** Back from the lines of a README: who has no memory of his own does not take what others tried for never tried. */
export function read<T extends Pick<Row, 'area' | 'rule'>>(text: string, rows: readonly T[]): Map<T, Outcome> {
  const told = new Map<string, Outcome>();
  for (const part of text.split('\n## ').slice(1)) {
    const area = part.split(':')[0] ?? '';
    for (const found of part.matchAll(/^\| (.+?) \| .+? \| (.+) \|$/gm)) {
      const [, rule = '', held = ''] = found;
      if (held === 'held by' || held === '---' || held === 'not tried') continue;
      const result = held === 'survived' || held === 'broken' ? held : 'caught';
      told.set(`${area}: ${rule}`, result === 'caught' ? { result, by: held } : { result });
    }
  }
  return new Map(
    rows.flatMap((one): [T, Outcome][] => {
      const outcome = told.get(`${one.area}: ${cell(one.rule)}`);
      return outcome === undefined ? [] : [[one, outcome]];
    }),
  );
}

function line({ file, rule, result, by }: Row): string {
  const held = result === 'caught' ? (by ?? '') : result;
  const [test = '', ...words] = held.split(': ');
  const shown = words.length === 0 ? held : `${name(test)}: ${words.join(': ')}`;
  return `| ${cell(rule)} | ${name(file)} | ${cell(shown)} |`;
}

// What marks text up has no place in a cell.
const cell = (text: string): string =>
  text
    .replaceAll(/[|[\]<>*_`]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 200);
const name = (file: string): string => file.replace(/^src\/(core\/)?/, '').replace(/(\.test)?\.ts$/, '');
