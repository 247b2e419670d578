// Ends a run with what its colour would hide: one line for each reason why tests were skipped, and each test that passed
// only at its second try, with what the first one said. A file named by RUN_NOTES gets the latter as well, so that the
// whole check can say them again at its end.
import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class RunNotes implements Reporter {
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

    for (const module of modules)
      for (const test of module.children.allTests()) {
        if (test.diagnostic()?.flaky !== true) continue;
        const first = test.result().errors?.[0];
        const said = (first?.stack ?? first?.message ?? 'nothing')
          .split('\n')
          .filter((line) => !line.includes('node_modules'))
          .slice(0, 12)
          .join('\n    ');
        const lines = `passed at its second try only: ${module.relativeModuleId} > ${test.fullName}\n    ${said}\n`;
        process.stdout.write(lines);
        if (process.env['RUN_NOTES'] !== undefined) appendFileSync(process.env['RUN_NOTES'], lines);
      }
  }
}
