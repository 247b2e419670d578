// Sums the JSON reports of test runs into one line `N passed, N failed, N skipped`. A report that is missing or empty
// counts as a failure: a run that never started must not look green.
import { readFileSync } from 'node:fs';

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests;
    sum.skipped += report.numPendingTests + report.numTodoTests;
    // A file that fails to load has no tests of its own.
    for (const suite of report.testResults)
      if (suite.status === 'failed' && suite.assertionResults.every((one) => one.status !== 'failed')) sum.failed += 1;
    if (report.numTotalTests === 0) throw new Error('holds no tests');
  } catch (error) {
    process.stderr.write(`report ${file}: ${error.message}\n`);
    sum.failed += 1;
  }
}
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed > 0 ? 1 : 0;
