// Sums the JSON reports of test runs (the arguments that end in .json) into one line `N passed, N failed, N skipped`. A
// report that is missing or empty counts as a failure, because a run that never started must not look green; so does
// each failed step named beside them, unless its tests have counted it already. What a report `…-again.json` holds was run
// once more, because the process that ran it had died: it stands for what the first report says of the same file.
import { readFileSync } from 'node:fs';

const given = process.argv.slice(2);
const reports = given.filter((one) => one.endsWith('.json'));
const failedSteps = given.filter((one) => !one.endsWith('.json'));
const sum = { passed: 0, failed: 0, skipped: 0 };
if (reports.length === 0) throw new Error('no report is named');
const isAgain = (file) => file.endsWith('-again.json');
const runAgain = new Set();
// Those first, to know what they stand for.
for (const file of reports.toSorted((a, b) => Number(isAgain(b)) - Number(isAgain(a)))) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    if (report.numTotalTests === 0) throw new Error('holds no tests');
    for (const suite of report.testResults) {
      if (isAgain(file)) runAgain.add(suite.name);
      else if (runAgain.has(suite.name)) continue;
      count(suite);
      tellFailed(suite);
    }
  } catch (error) {
    process.stderr.write(`report ${file}: ${error.message}\n`);
    sum.failed += 1;
  }
}
const uncounted = failedSteps.filter((name) => !name.startsWith('tests'));
sum.failed += uncounted.length;
// A run can fail without a failed test, by an error outside of any.
if (failedSteps.length > 0 && sum.failed === 0) sum.failed = 1;
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed > 0 ? 1 : 0;

function count(suite) {
  const failed = suite.assertionResults.filter((one) => one.status === 'failed').length;
  const passed = suite.assertionResults.filter((one) => one.status === 'passed').length;
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += suite.assertionResults.length - passed - failed;
  // A file that fails to load has no tests of its own.
  if (suite.status === 'failed' && failed === 0) sum.failed += 1;
}

/** What failed and why, at the end of the whole check: its beginning may be cut off where people read it. */
function tellFailed(suite) {
  for (const one of suite.assertionResults)
    if (one.status === 'failed') tell(`${suite.name} > ${one.fullName}`, one.failureMessages.join('\n'));
  if (suite.status === 'failed' && suite.message) tell(suite.name, suite.message);
}

function tell(what, why) {
  const lines = why.split('\n').filter((line) => !line.includes('node_modules'));
  process.stdout.write(`failed: ${what}\n    ${lines.slice(0, 25).join('\n    ')}\n`);
}
