/** What count-blocks.c says of one stretch of instructions without a branch in it. */
export interface Block {
  /** In the file that was counted. */
  readonly offset: number;
  readonly count: number;
  /** Each instruction's bytes, as in memory. */
  readonly instructions: readonly string[];
}

const bytesIn = (instructions: readonly string[]): number =>
  instructions.reduce((sum, { length }) => sum + length / 2, 0);

const keyOf = ({ offset, instructions }: Block): string => `${offset}+${instructions.length}`;

/** Lines `offset count bytes…` of count-blocks.c. The same block translated again is counted on. */
export function parseBlocks(text: string): Block[] {
  const blocks = new Map<string, Block>();
  for (const line of text.split('\n')) {
    const [offset, count, ...instructions] = line.split(' ');
    if (offset === undefined || count === undefined) continue;
    const block = { offset: parseInt(offset, 16), count: Number(count), instructions };
    const key = keyOf(block);
    blocks.set(key, { ...block, count: block.count + (blocks.get(key)?.count ?? 0) });
  }
  return [...blocks.values()];
}

/** The emulator also ends blocks where its own buffers are full; `isBranch` says where the program does. Those that always ran one after another are one. */
export function joinBlocks(blocks: readonly Block[], isBranch: (instruction: string) => boolean): Block[] {
  const sorted = [...blocks].sort((a, b) => a.offset - b.offset);
  const byOffset = new Map(sorted.map((block) => [block.offset, block]));
  const joined = new Set<Block>();
  const result: Block[] = [];
  for (const first of sorted) {
    if (joined.has(first)) continue;
    const instructions = [...first.instructions];
    while (!isBranch(instructions.at(-1) ?? '')) {
      const next = byOffset.get(first.offset + bytesIn(instructions));
      if (next === undefined || next.count !== first.count || joined.has(next)) break;
      joined.add(next);
      instructions.push(...next.instructions);
    }
    result.push({ ...first, instructions });
  }
  return result;
}

const PAGE_BYTES = 4096;
const LONGEST_X86_BYTES = 15;

/** Of an x86 instruction that reaches into another page QEMU gives the bytes in the first: a block without its last one where that may be cut. */
export function withoutCutInstruction(block: Block): Block {
  const whole = block.instructions.slice(0, -1);
  const start = block.offset + bytesIn(whole);
  return PAGE_BYTES - (start % PAGE_BYTES) < LONGEST_X86_BYTES ? { ...block, instructions: whole } : block;
}

export const instructionsIn = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, { count, instructions }) => sum + count * instructions.length, 0);
