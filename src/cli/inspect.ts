import { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { loadEngine } from '../engine/load-engine.js';
import { summarizeModel, type ModelSummary, type ModuleSummary } from '../engine/model-summary.js';
import { printJson } from './json-output.js';
import { jsonOption } from './options.js';

/** `bdc-occ inspect MODEL`: checks a model file and says what it consists of. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('check a model file and print its size, cost, input, grid and classes')
    .argument('<model>', 'model file (.safetensors)')
    .addOption(jsonOption())
    .action(async (path: string, { json }: { readonly json?: boolean }) => {
      const engine = await loadEngine(path, { threads: 1 });
      try {
        const summary = summarizeModel(engine, (await stat(path)).size);
        if (json) printJson({ ...summary });
        else process.stdout.write(`${formatSummary(summary)}\n`);
      } finally {
        engine.dispose();
      }
    });
}

const millions = (count: number): string => (count / 1e6).toFixed(3);
const giga = (count: number): string => (count / 1e9).toFixed(3);

const HEAD = ['', 'parameters M', 'of one bit M', 'MACs G: binary', 'W1A8', 'W1A32', 'int8', 'real'] as const;

const row = (name: string, { parameters, binary_parameters, macs }: ModuleSummary): readonly string[] => [
  name,
  millions(parameters),
  millions(binary_parameters),
  giga(macs.binary),
  giga(macs.binary_weight_int8_input),
  giga(macs.binary_weight_real_input),
  giga(macs.int8),
  giga(macs.real),
];

function formatSummary(summary: ModelSummary): string {
  const { name, bytes, input, grid, classes, modules } = summary;
  const rows = [
    HEAD,
    ...Object.entries(modules).map(([module, cost]) => row(module, cost)),
    row('whole network', summary),
  ];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const table = rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  return [
    `${name} (${(bytes / 1e6).toFixed(2)} MB)`,
    '',
    ...table,
    '',
    `input    up to ${input.cameras} cameras, ${input.width}×${input.height} RGB`,
    `grid     ${grid.shape.join('×')} voxels, [${grid.min.join(', ')}] to [${grid.max.join(', ')}] m`,
    `memory   ${formatHistory(summary)}`,
    `classes  occupancy: ${classes.occupancy.join(', ') || 'none'}`,
    `         detection: ${classes.detection.join(', ') || 'none'}`,
  ].join('\n');
}

function formatHistory({ history: { operations, bytes }, uses_calibration }: ModelSummary): string {
  if (operations.length === 0) return 'none: each frame by itself';
  const needs = uses_calibration ? 'the ego motion and images without distortion' : 'the ego motion';
  return `of the previous frame: ${operations.join(', ')} (${(bytes / 1e6).toFixed(2)} MB); needs ${needs}`;
}
