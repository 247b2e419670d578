// For npm run mutants: the test files one after the other as they were named, the likeliest to notice first.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const named = (process.env['MUTANT_TESTS'] ?? '').split(' ');
const placeOf = ({ moduleId }: TestSpecification): number => named.findIndex((name) => moduleId.endsWith(name));

class AsNamed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig({
  test: {
    include: named,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    bail: 1,
    maxWorkers: 1,
    pool: 'threads',
    sequence: { sequencer: AsNamed },
  },
});
