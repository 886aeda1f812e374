import assert from 'node:assert/strict';
import { joinBlocks, parseBlocks, withoutCutInstruction } from '../../bench/arm/blocks.js';

describe('blocks of counted instructions', () => {
  it('counts a block that was translated twice once', () => {
    assert.deepEqual(parseBlocks('1a 2 1f2003d5 c0035fd6\n1a 3 1f2003d5 c0035fd6\n'), [
      { offset: 0x1a, count: 5, instructions: ['1f2003d5', 'c0035fd6'] },
    ]);
  });

  it('joins what always runs one after another', () => {
    const [joined, ...others] = joinBlocks(
      parseBlocks('0 2 1f2003d5\n4 2 c0035fd6'),
      (instruction) => instruction === 'c0035fd6',
    );
    assert.deepEqual(others, []);
    assert.deepEqual(joined?.instructions, ['1f2003d5', 'c0035fd6']);
  });

  for (const [what, offset, left] of [
    ['is left out where the page ends within it', 0xff6, 1],
    ['stays where it ends before', 0xe00, 2],
  ] as const) {
    it(`an x86 instruction ${what}`, () => {
      const block = { offset, count: 1, instructions: ['4883c508', '0f84'] };
      assert.equal(withoutCutInstruction(block).instructions.length, left);
    });
  }
});
