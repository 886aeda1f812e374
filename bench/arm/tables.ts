import { availableParallelism, cpus } from 'node:os';
import type { Board } from './boards.js';
import type { BlockCycles } from './core-model.js';
import type { FunctionTable } from './functions.js';

export interface Estimate {
  readonly what: string;
  readonly board: Board;
  readonly isa: string;
  /** Multiply-accumulates; undefined: not asked for. */
  readonly macs: number | undefined;
  readonly instructions: number;
  readonly cycles: number;
  readonly blocks: readonly BlockCycles[];
  /** Read and written between steps. */
  readonly bytes: number;
}

/** Of the majority kernel: instructions for 128 multiply-accumulates, and multiply-accumulates a cycle by core. */
const BARS = {
  layer: '3×3 W1A1 256→256 @ 64²',
  instructions: 3.7,
  perCycle: { 'Cortex-A76': 200, 'Cortex-A72': 120 },
};
/** Of its memory's peak, what one core gets; an assumption. */
const MEMORY_SHARE = 1 / 3;
/** Functions below are left out of tables. */
const SMALLEST_SHARE = 0.02;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

const boardsOf = (estimates: readonly Estimate[]): readonly Board[] => [
  ...new Set(estimates.map(({ board }) => board)),
];
const milliseconds = (cycles: number, { gigahertz }: Board): number => cycles / gigahertz / 1e6;
const withBar = (value: string, isReached: boolean, bar: number | undefined): string =>
  bar === undefined ? value : `${value} ${isReached ? '✓' : `of ${bar}`}`;

/** A row a layer: instructions for 128 multiply-accumulates on the first board, then multiply-accumulates a cycle on each. */
export function layerTable(layers: readonly Estimate[]): string {
  const boards = boardsOf(layers);
  const head = [
    'layer',
    'kernels',
    'instructions / 128 MAC',
    ...boards.map(({ core }) => `${core}, MAC / cycle`),
  ];
  const rows = [...new Set(layers.map(({ what }) => what))].flatMap((what) => {
    const ofLayer = layers.filter((layer) => layer.what === what);
    return [...new Set(ofLayer.map(({ instructions }) => instructions))].map((instructions) => {
      const here = ofLayer.filter((layer) => layer.instructions === instructions);
      const [first] = here;
      const per128 = (128 * instructions) / (first?.macs ?? NaN);
      const bars = what === BARS.layer ? BARS : undefined;
      return [
        what,
        ofLayer.some((layer) => layer.instructions !== instructions) ? (first?.isa ?? '') : 'all',
        withBar(per128.toFixed(2), per128 <= BARS.instructions, bars?.instructions),
        ...boards.map((board) => {
          const estimate = here.find((layer) => layer.board === board);
          if (estimate === undefined) return '';
          const rate = (estimate.macs ?? NaN) / estimate.cycles;
          const bar = (bars?.perCycle as Readonly<Record<string, number>> | undefined)?.[board.core];
          return withBar(rate.toFixed(rate < 20 ? 1 : 0), bar !== undefined && rate >= bar, bar);
        }),
      ];
    });
  });
  return table(head, rows);
}

/** Shares of functions in the cycles. */
export function functionTable(estimates: readonly Estimate[], functions: FunctionTable): string {
  const names = new Set<string>();
  const shares = estimates.map(({ blocks, cycles }) => {
    const byName = new Map<string, number>();
    for (const { block, cycles: own } of blocks) {
      const name = functions.nameAt(block.offset);
      byName.set(name, (byName.get(name) ?? 0) + own / cycles);
    }
    for (const [name, share] of byName) if (share >= SMALLEST_SHARE) names.add(name);
    return byName;
  });
  const [first] = shares;
  const sorted = [...names].sort((a, b) => (first?.get(b) ?? 0) - (first?.get(a) ?? 0));
  return table(
    ['function', ...estimates.map(({ board }) => board.core)],
    sorted.map((name) => [
      `\`${name}\``,
      ...shares.map((byName) => `${(100 * (byName.get(name) ?? 0)).toFixed(0)} %`),
    ]),
  );
}

/** What one function does for a layer, alone: its instructions for 128 multiply-accumulates, and multiply-accumulates a cycle by core. */
export function aloneLine(name: string, estimates: readonly Estimate[], functions: FunctionTable): string {
  const parts = estimates.map(({ board, blocks, macs = NaN }) => {
    const own = blocks.filter(({ block }) => functions.nameAt(block.offset) === name);
    const instructions = own.reduce((sum, { block }) => sum + block.count * block.instructions.length, 0);
    const cycles = own.reduce((sum, entry) => sum + entry.cycles, 0);
    return { core: board.core, per128: (128 * instructions) / macs, rate: macs / cycles };
  });
  const rates = parts.map(({ core, rate }) => {
    const bar = (BARS.perCycle as Readonly<Record<string, number>>)[core];
    return `${rate.toFixed(0)}${bar === undefined ? '' : ` (bar: ${bar})`} on ${core}`;
  });
  return (
    `\`${name}\`, the full adders of the majority kernel, takes ${parts[0]?.per128.toFixed(2) ?? '?'} instructions for 128 multiply-accumulates ` +
    `(bar: ${BARS.instructions}); alone it does ${rates.join(', ')} a cycle.`
  );
}

/** A row a board: a frame on one thread, where everything is in the L1 cache and where nothing between steps is. */
export function frameTable(frames: readonly Estimate[]): string {
  return table(
    [
      'board',
      'core',
      'kernels',
      'million instructions',
      'million cycles',
      'ms',
      'ms for memory, at most',
      'frames / s',
    ],
    frames.map(({ board, isa, instructions, cycles, bytes }) => {
      const compute = milliseconds(cycles, board);
      const memory = bytes / (board.memory * MEMORY_SHARE) / 1e6;
      return [
        board.name,
        `${board.core}, ${board.gigahertz} GHz`,
        isa,
        (instructions / 1e6).toFixed(0),
        (cycles / 1e6).toFixed(0),
        compute.toFixed(0),
        memory.toFixed(0),
        `${(1000 / (compute + memory)).toFixed(1)} … ${(1000 / compute).toFixed(1)}`,
      ];
    }),
  );
}

/** How far the method is off where there is a clock. */
export function modelCheck(isa: string, cycles: number, measured: number): string {
  const clock = cycles / measured / 1e6;
  return (
    `On the machine of this run (${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores), with the kernels \`${isa}\`, the same method gives ` +
    `${(cycles / 1e6).toFixed(0)} million cycles for the frame, and a clock says ${measured.toFixed(1)} ms (the fastest of 20): ` +
    `the estimate would be right at ${clock.toFixed(2)} GHz.`
  );
}
