import { execFileSync, spawnSync } from 'node:child_process';
import { type Block, instructionsIn, joinBlocks } from './blocks.js';

/** Versions of LLVM whose tools are looked for: 16 brought a model of Neoverse N1, 19 the option below. */
const LLVM_VERSIONS = [22, 21, 20, 19];
const ITERATIONS = 50;
/** Blocks that make up so much of all instructions are simulated; the rest counts at their average. */
const SIMULATED = 0.999;
const BRANCH = /^(b|b\.\w+|bl|blr|br|ret|cbn?z|tbn?z|j\w+|call\w*|ret\w*)$/;

/** A core as LLVM knows it. */
export interface Core {
  /** `aarch64` or `x86_64`. */
  readonly triple: string;
  /** LLVM's name of the model. */
  readonly cpu: string;
  /** Extensions whose instructions may occur. */
  readonly attributes: string;
}

export interface BlockCycles {
  readonly block: Block;
  /** Of all its runs. */
  readonly cycles: number;
}

function findTool(name: string): string {
  for (const version of LLVM_VERSIONS) {
    try {
      execFileSync(`${name}-${version}`, ['--version'], { stdio: 'ignore' });
      return `${name}-${version}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${name} of LLVM ${LLVM_VERSIONS.at(-1)} or later is missing: sudo apt install llvm-19`);
}

/** Warnings are dropped: that calls and returns count as any branch is what is wanted. */
function runTool(name: string, args: readonly string[], input: string): string {
  const tool = findTool(name);
  const { status, stdout, stderr } = spawnSync(tool, args, { input, encoding: 'utf8', maxBuffer: 2 ** 30 });
  if (status === 0) return stdout;
  throw new Error(`${tool} failed: ${stderr.split('\n').find((line) => line.includes('error:')) ?? stderr}`);
}

/** Instructions by their bytes, as assembler text. */
function disassemble(core: Core, blocks: readonly Block[]): Map<string, string> {
  const bytes = [...new Set(blocks.flatMap(({ instructions }) => instructions))];
  const lines = bytes.map((word) => word.replace(/../g, (byte) => `0x${byte} `));
  const options = ['--disassemble', `-triple=${core.triple}`, `-mattr=${core.attributes}`];
  const text = runTool('llvm-mc', options, lines.join('\n'));
  const found = text
    .replace(/^\t(lock|rep|repne|notrack|data16|rex64)\n/gm, '\t$1 ')
    .split('\n')
    .filter((line) => /^\t[^.]/.test(line));
  if (found.length !== bytes.length) {
    throw new Error(
      `llvm-mc read ${found.length} of ${bytes.length} instructions: ${core.attributes} lacks an extension`,
    );
  }
  return new Map(bytes.map((word, i) => [word, (found[i] ?? '').trim()]));
}

interface McaReport {
  readonly CodeRegions: readonly {
    readonly Name: string;
    readonly SummaryView: { readonly TotalCycles: number; readonly Iterations: number };
  }[];
}

/** Blocks whose runs are most of all instructions, and the share they are. */
function mostOf(blocks: readonly Block[]): { readonly chosen: readonly Block[]; readonly share: number } {
  const total = instructionsIn(blocks);
  const sorted = [...blocks].sort(
    (a, b) => b.count * b.instructions.length - a.count * a.instructions.length,
  );
  const chosen: Block[] = [];
  let sum = 0;
  for (const block of sorted) {
    if (sum >= SIMULATED * total) break;
    chosen.push(block);
    sum += block.count * block.instructions.length;
  }
  return { chosen, share: sum / total };
}

/**
 * Cycles that llvm-mca gives for each block: its throughput when it runs over and over, loads that hit the L1 cache, branches foreseen; times
 * how often it ran. The few rare blocks that are not simulated are spread over the others.
 */
export function cyclesOf(counted: readonly Block[], core: Core): BlockCycles[] {
  if (counted.length === 0) return [];
  const text = disassemble(core, counted);
  const isBranch = (word: string): boolean => BRANCH.test((text.get(word) ?? '').split('\t')[0] ?? '');
  const { chosen, share } = mostOf(joinBlocks(counted, isBranch));
  const regions = chosen.map(({ instructions }, i) =>
    [
      `# LLVM-MCA-BEGIN ${i}`,
      ...instructions.map((word) => `\t${text.get(word)}`),
      `# LLVM-MCA-END ${i}`,
      '',
    ].join('\n'),
  );
  const options = [
    ...[`-mtriple=${core.triple}`, `-mcpu=${core.cpu}`, `-mattr=${core.attributes}`],
    ...[`-iterations=${ITERATIONS}`, '-instruction-info=false', '-resource-pressure=false', '-json'],
    // Atomic additions, of which there are a few a step, have no cost in some models.
    '-skip-unsupported-instructions=lack-sched',
  ];
  const report = JSON.parse(runTool('llvm-mca', options, regions.join(''))) as McaReport;
  return report.CodeRegions.filter(({ Name }) => Name !== '').map(({ Name, SummaryView }) => {
    const block = chosen[Number(Name)]!;
    return { block, cycles: ((SummaryView.TotalCycles / SummaryView.Iterations) * block.count) / share };
  });
}
