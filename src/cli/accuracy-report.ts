import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { Command } from 'commander';

import { writeAtomically } from '../atomic-file.js';
import { BdcError } from '../errors.js';
import { accuracyMarkdown, type AccuracyResult } from './accuracy-markdown.js';
import type { EvaluationReport } from './evaluate-dataset.js';
import type { FrameReport } from './evaluate-frame.js';

/** `bdc-occ accuracy-report RESULT.json… --out FILE`: tables of what `evaluate --json` printed. */
export function accuracyReportCommand(): Command {
  return new Command('accuracy-report')
    .description('make a Markdown page of the JSON that evaluate printed, a section a file')
    .argument('<results...>', 'files with the output of evaluate --json')
    .requiredOption('-o, --out <file>', 'Markdown file to write')
    .action(async (paths: readonly string[], { out }: { readonly out: string }) => {
      const results = await Promise.all(paths.map(readResult));
      await writeAtomically(out, accuracyMarkdown(results));
      process.stdout.write(`${out}: ${results.length} results\n`);
    });
}

/** @throws BdcError `RESULT_INVALID` */
async function readResult(path: string): Promise<AccuracyResult> {
  const fault = (found: string, cause?: unknown): BdcError =>
    new BdcError('configuration', {
      code: 'RESULT_INVALID',
      message: `${path}: expected what bdc-occ evaluate --json prints, found ${found}`,
      cause,
    });
  let report: unknown;
  try {
    report = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw fault((cause as Error).message, cause);
  }
  if (typeof report !== 'object' || report === null) throw fault('another JSON value');
  const name = basename(path, '.json');
  if ('samples' in report && 'occ3d' in report) {
    return { kind: 'dataset', name, report: report as EvaluationReport };
  }
  if ('lidar_points' in report && 'network' in report) {
    return { kind: 'frame', name, report: report as FrameReport };
  }
  throw fault(`an object with ${Object.keys(report).join(', ') || 'nothing'}`);
}
