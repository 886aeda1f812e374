import builder, { type Builder } from 'junit-report-builder';
import { checkText, verdictOf, type Check } from './checks.js';

/**
 * JUnit XML with a test case for each check, as CI systems read it.
 * @param suite name of the suite, for example the bag's path
 * @param seconds how long the run took
 */
export function junitXml(suite: string, checks: readonly Check[], seconds: number): string {
  // its types describe another module format than its code has
  const report = (builder as unknown as Builder).newBuilder();
  const cases = report.testSuite().name(suite).time(seconds);
  for (const check of checks) {
    const testCase = cases.testCase().className(suite).name(check.name);
    const verdict = verdictOf(check);
    if (verdict === 'failed') testCase.failure(checkText(check), 'threshold');
    if (verdict === 'not measured') testCase.skipped();
  }
  return report.build();
}
