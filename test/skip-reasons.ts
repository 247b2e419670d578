// Ends a run with one line for each reason why tests were skipped, so that a green run hides nothing.
import type { Reporter, TestModule } from 'vitest/node';

export default class SkipReasons implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules)
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const reason = result.state === 'skipped' ? result.note : undefined;
        const line = `${module.relativeModuleId}: ${reason ?? `${test.fullName} (its reason is printed above)`}`;
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    for (const [line, count] of counts) process.stdout.write(`skipped ${count}: ${line}\n`);
  }
}
