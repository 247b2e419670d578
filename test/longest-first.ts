import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** With little text and much to do: a hundred worlds. */
const SHORT_AND_LONG = 'simulation.large.test.ts';

/** Vitest takes a file for long that has much text. Where the last of all is long, the other processes have nothing left. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => moduleId.endsWith(SHORT_AND_LONG);
    return [...sorted.filter(isLong), ...sorted.filter((one) => !isLong(one))];
  }
}
