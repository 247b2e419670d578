// The process that runs tests for one fault (run.ts), told over its channel which, in which order. A new one for each:
// what a former fault left in the memory of a vitest that stays would tell about the next. What was read once lies
// beside, by its content, so that a new one costs little.
import { join } from 'node:path';
import { BaseSequencer, createVitest, type TestSpecification } from 'vitest/node';
import type { Outcome } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');

let named: readonly string[] = [];
const placeOf = ({ moduleId }: TestSpecification): number => named.findIndex((name) => moduleId.endsWith(name));

/** The likeliest to notice first, as they were named. */
class AsNamed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

const vitest = await createVitest({
  root: ROOT,
  config: false,
  watch: false,
  reporters: [{}],
  include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
  fsModuleCache: true,
  fsModuleCachePath: join(ROOT, '.modules'),
  // As the fast project has them; without its second try.
  isolate: false,
  restoreMocks: true,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  bail: 1,
  maxWorkers: 1,
  fileParallelism: false,
  sequence: { sequencer: AsNamed },
});

process.on('message', (tests: readonly string[]) => {
  void answer(tests).then((outcome) => process.send?.(outcome));
});
process.on('disconnect', () => process.exit());

async function answer(tests: readonly string[]): Promise<Outcome> {
  named = tests;
  const { testModules, unhandledErrors } = await vitest.runTestFiles(tests.map((one) => join(ROOT, one)));
  for (const one of testModules)
    for (const test of one.children.allTests('failed'))
      return { result: 'caught', by: `${one.moduleId.slice(ROOT.length + 1)}: ${test.fullName}` };
  const said = [...testModules.flatMap((one) => one.errors()), ...unhandledErrors].map(String);
  // What cannot be read as code breaks no rule.
  if (said.some((one) => /SyntaxError|parse/i.test(one))) return { result: 'broken', by: said[0] ?? '' };
  if (said.length > 0) return { result: 'caught', by: `${tests[0] ?? ''}: ${said[0] ?? ''}` };
  return { result: testModules.some((one) => one.state() === 'passed') ? 'survived' : 'broken' };
}
