/**
 * `npm run bench:arm`: what layers and a frame of the shipped model take on ARM boards, without one: instructions counted under qemu, cycles by
 * llvm-mca. Writes docs/arm-estimates.md, whose text stands in bench/arm/page.md; `{{…}}` are filled in.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import {
  buildAddon,
  fetchNode,
  layOut,
  requireTools,
  root,
  SYSROOT,
  work,
} from '../../scripts/aarch64-node.js';
import { shippedModel } from '../../src/engine/shipped-model.js';
import { engineWithRig, randomImages } from '../frame-benchmark.js';
import { blockChain, layerMacs, layerName, type LayerShape } from '../layers.js';
import { encodeModelFile } from '../model-file.js';
import { instructionsIn, withoutCutInstruction } from './blocks.js';
import { BOARDS, type Board } from './boards.js';
import { type BlockCycles, type Core, cyclesOf } from './core-model.js';
import { buildPlugin, type Count, countFrame, type Guest } from './count.js';
import { FunctionTable } from './functions.js';
import { aloneLine, type Estimate, frameTable, functionTable, layerTable, modelCheck } from './tables.js';

const LAYERS: readonly LayerShape[] = [
  { kind: 'W1A1', kernel: 3, channels: 256, size: 64 },
  { kind: 'W1A1', kernel: 3, channels: 64, size: 64 },
  { kind: 'W1A1', kernel: 1, channels: 256, size: 32 },
  { kind: 'W1A8', kernel: 1, channels: 256, size: 32 },
  { kind: 'W1A32', kernel: 1, channels: 256, size: 32 },
  { kind: 'unit', kernel: 3, channels: 256, size: 32 },
  { kind: 'INT8', kernel: 3, channels: 64, size: 32 },
  { kind: 'INT8', kernel: 1, channels: 256, size: 16 },
  { kind: 'FP32', kernel: 3, channels: 64, size: 32 },
  { kind: 'FP32', kernel: 1, channels: 256, size: 16 },
  { kind: 'FP32', kernel: 1, channels: 256, size: 1 },
];
/** Of layers whose kernels are others for CPUs that have the dot product instructions. */
const KINDS_BY_CPU: ReadonlySet<LayerShape['kind']> = new Set(['W1A1', 'unit', 'INT8']);
/** The frame on this machine with the kernels that its emulator can run, for the method to be checked against a clock. */
const HERE: Core = { triple: 'x86_64', cpu: 'sapphirerapids', attributes: '+avx2,+fma,+f16c' };
const HERE_ISA = 'avx2';

const { check: compareWithClock } = new Command('bench:arm')
  .description('Estimates layers and a frame on ARM boards under qemu and writes docs/arm-estimates.md.')
  .option('--check', "compare the method with this machine's clock too (x86-64 only)", false)
  .parse()
  .opts<{ readonly check: boolean }>();

const keptIn = (what: string): string => join(work, 'counts', what.replaceAll(/[^\w.-]+/g, '_'));

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const sum = (cycles: readonly BlockCycles[]): number =>
  cycles.reduce((total, entry) => total + entry.cycles, 0);

async function main(): Promise<void> {
  requireTools();
  await mkdir(join(work, 'counts'), { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), 'bdc-arm-'));
  try {
    await estimate(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function estimate(folder: string): Promise<void> {
  say('compiling');
  const addon = buildAddon();
  const plugin = buildPlugin(folder);
  const tree = layOut(addon, 'bench/arm/guest.ts');
  const node = fetchNode();
  const functions = FunctionTable.of(addon);
  const guests = new Map<string, Guest>();
  for (const { emulated } of BOARDS) {
    const emulator = ['qemu-aarch64', '-cpu', emulated, '-L', SYSROOT];
    guests.set(emulated, { emulator, node, tree, mark: 129, environment: {} });
  }
  const countOn = (emulated: string, what: string, model: string): Count => {
    say(`${emulated}: ${what}`);
    return countFrame(guests.get(emulated)!, plugin, model, keptIn(`${emulated} ${what}`));
  };
  const estimateOn = (
    board: Board,
    emulated: string,
    what: string,
    model: string,
    macs?: number,
  ): Estimate => {
    const { isa, bytes, blocks } = countOn(emulated, what, model);
    const cycles = cyclesOf(blocks, board.model);
    return {
      what,
      board,
      isa,
      bytes,
      macs,
      instructions: instructionsIn(blocks),
      cycles: sum(cycles),
      blocks: cycles,
    };
  };

  const layers: Estimate[] = [];
  for (const layer of LAYERS) {
    const file = join(folder, 'layer.safetensors');
    await writeFile(file, encodeModelFile(blockChain(layer, 1)));
    for (const board of BOARDS) {
      const emulated = KINDS_BY_CPU.has(layer.kind) ? board.emulated : BOARDS[0]!.emulated;
      layers.push(estimateOn(board, emulated, layerName(layer), file, layerMacs(layer)));
    }
  }
  const frames = BOARDS.map((board) => estimateOn(board, board.emulated, 'frame', shippedModel()));
  const check = process.arch === 'x64' && compareWithClock ? await checkHere(plugin) : undefined;

  const fields: Readonly<Record<string, string>> = {
    date: new Date().toISOString().slice(0, 10),
    layers: layerTable(layers),
    sums: functionTable(layers.slice(0, BOARDS.length), functions),
    alone: aloneLine('SumChunk', layers.slice(0, BOARDS.length), functions),
    frames: frameTable(frames),
    frame_functions: functionTable(frames, functions),
    check:
      check ??
      'The method was not compared with a clock on this run (`npm run bench:arm -- --check` does, on x86-64).',
  };
  const template = await readFile(join(root, 'bench', 'arm', 'page.md'), 'utf8');
  const page = template.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => fields[name] ?? whole);
  const path = join(root, 'docs', 'arm-estimates.md');
  await writeFile(path, await format(page, { ...(await resolveConfig(path)), filepath: path }));
}

/** The method applied to this machine, beside the time that a frame takes. */
async function checkHere(plugin: string): Promise<string> {
  say(`qemu-x86_64: frame, ${HERE_ISA}`);
  const addon = join(root, 'build', 'native', 'Release', 'bdc_occ.node');
  const { blocks } = countFrame(
    {
      emulator: ['qemu-x86_64', '-cpu', 'max'],
      node: process.execPath,
      tree: layOut(addon, 'bench/arm/guest.ts', 'tree-here'),
      mark: 62,
      environment: { BDC_ISA: HERE_ISA },
    },
    plugin,
    shippedModel(),
    keptIn(`x86_64 ${HERE_ISA} frame`),
  );
  const engine = await engineWithRig(shippedModel(), { threads: 1, isa: HERE_ISA });
  const { cameras, width, height } = engine.manifest.input;
  const images = randomImages(cameras, width, height);
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const { operations } = await engine.run(images);
    times.push(operations.reduce((total, { milliseconds }) => total + milliseconds, 0));
  }
  engine.dispose();
  return modelCheck(HERE_ISA, sum(cyclesOf(blocks.map(withoutCutInstruction), HERE)), Math.min(...times));
}

await main();
