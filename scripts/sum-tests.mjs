/** Adds up what mocha, GoogleTest and pytest printed into the logs of a folder: `node scripts/sum-tests.mjs FOLDER`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const patterns = {
  passed: [
    /^\s*(\d+) passing\b/gm,
    /^\[ {2}PASSED {2}\] (\d+) tests?\./gm,
    /(?:^|\D)(\d+) passed\b.* in [\d.]+s/gm,
  ],
  failed: [
    /^\s*(\d+) failing\b/gm,
    /^\[ {2}FAILED {2}\] (\d+) tests?, listed below/gm,
    /(?:^|\D)(\d+) failed\b.* in [\d.]+s/gm,
  ],
  skipped: [
    /^\s*(\d+) pending\b/gm,
    /^\[ {2}SKIPPED \] (\d+) tests?, listed below/gm,
    /(?:^|\D)(\d+) skipped\b.* in [\d.]+s/gm,
  ],
};

const folder = process.argv[2];
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
  const text = readFileSync(join(folder, file), 'utf8');
  for (const [outcome, expressions] of Object.entries(patterns)) {
    for (const expression of expressions) {
      for (const match of text.matchAll(expression)) totals[outcome] += Number(match[1]);
    }
  }
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
