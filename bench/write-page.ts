/**
 * `npm run bench:page`: runs the benchmark on this machine for its best instruction sets, with one thread and with two, and writes
 * docs/benchmarks.md and its plot. The text of the page stands in bench/page.md; `{{…}}` are filled in.
 */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { env as onnxruntime } from 'onnxruntime-node';
import { format, resolveConfig } from 'prettier';
import { supportedIsas } from '../src/engine/native.js';
import { barChart } from './bar-chart.js';
import { barsOf } from './bars.js';
import { type BenchmarkResult, FULL_TURNS, machineName, QUICK_TURNS } from './run.js';
import {
  frameTable,
  growthTable,
  layerTable,
  missedBars,
  moduleTable,
  scalingTable,
  without,
} from './tables.js';

const options = new Command('bench:page')
  .description('Runs the benchmark and writes docs/benchmarks.md and docs/images/benchmarks.svg.')
  .option('--quick', 'fewer turns', false)
  .option('--note <text>', 'what else the machine did', 'Nothing else ran on the machine.')
  .parse()
  .opts<{ readonly quick: boolean; readonly note: string }>();

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The best set, and those below it that other machines of its kind have at most. */
function isasToMeasure(): BenchmarkResult['isa'][] {
  const isas = supportedIsas();
  const wanted = ['amx', 'avx512', 'avx-vnni', 'avx2', 'neon-dotprod', 'neon'] as const;
  return wanted.filter((isa) => isas.includes(isa));
}

function plot(results: readonly BenchmarkResult[]): string {
  const [first] = results;
  const rows = (first?.layers ?? []).map(({ name }) => ({
    label: name,
    values: results.map((result) => result.layers.find((layer) => layer.name === name)?.ratio_fp32 ?? null),
    mark: first && barsOf(name, first.isa)?.fp32,
  }));
  return barChart(
    'Times as fast as onnxruntime FP32, one thread (red: the bar of the first set)',
    results.map(({ isa }) => isa),
    rows,
  );
}

const { repetitions, depth } = options.quick ? QUICK_TURNS : FULL_TURNS;

/** `npm run bench -- --json` in a process of its own: onnxruntime is then kept from what `isa` lacks. */
function benchmark(isa: BenchmarkResult['isa'], threads: number): BenchmarkResult {
  const values = { isa, threads, repetitions, depth };
  const parameters = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { status, signal, stdout, error } = spawnSync(
    process.execPath,
    ['--import', 'tsx', at('bench/main.ts'), '--json', ...parameters],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0) {
    throw new Error(
      `the benchmark of ${isa} failed (${error?.message ?? signal ?? `exit status ${status}`})`,
    );
  }
  return JSON.parse(stdout) as BenchmarkResult;
}

const results = isasToMeasure().map((isa) => benchmark(isa, 1));
const [best] = results;
if (best === undefined) throw new Error('this CPU has none of the instruction sets that are measured');
// The bars of whole frames are of two threads.
const onTwo = results.map(({ isa }) => benchmark(isa, 2));

const title = ({ isa, hidden_from_peers: hidden }: BenchmarkResult): string =>
  hidden.length === 0 ? isa : `${isa} (onnxruntime${without(hidden)} too)`;
const sections = results.map((result) =>
  [
    `## ${title(result)}, one thread`,
    layerTable(result),
    ...(result.frame === null ? [] : [frameTable(result.frame, result)]),
  ].join('\n\n'),
);
const twoThreads = onTwo.map((result) =>
  [
    `## ${title(result)}, two threads each`,
    layerTable(result),
    ...(result.frame === null ? [] : [frameTable(result.frame, result), moduleTable(result.frame)]),
    scalingTable(result),
  ].join('\n\n'),
);
const list = (lines: readonly string[]): string =>
  lines.length === 0 ? '- none' : lines.map((line) => `- ${line}`).join('\n');
const missed = [...results, ...onTwo].map(
  (result) => `${result.isa}, ${result.threads} thread(s):\n\n${list(missedBars(result))}`,
);
const fields: Readonly<Record<string, string>> = {
  machine: machineName(),
  onnxruntime: onnxruntime.versions.node ?? '?',
  date: new Date().toISOString().slice(0, 10),
  turns: String(repetitions),
  note: options.note,
  results: [...sections, ...twoThreads].join('\n\n'),
  growth: growthTable(best),
  missed: missed.join('\n\n'),
};
const template = await readFile(at('bench/page.md'), 'utf8');
const page = template.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => fields[name] ?? whole);
const path = at('docs/benchmarks.md');
await writeFile(path, await format(page, { ...(await resolveConfig(path)), filepath: path }));
await writeFile(at('docs/images/benchmarks.svg'), plot(results));
