import assert from 'node:assert/strict';
import { Random } from '../../src/simulation/random.js';

const draw = (random: Random): number[] => Array.from({ length: 8 }, () => random.bits());

describe('Random', () => {
  it('gives the same numbers for the same seed and stream', () => {
    assert.deepEqual(draw(new Random(7, 3)), draw(new Random(7, 3)));
  });

  it('gives other numbers for another seed, another stream, and the two swapped', () => {
    const sequences = [new Random(7, 3), new Random(8, 3), new Random(7, 4), new Random(3, 7)].map(draw);
    assert.equal(new Set(sequences.map(String)).size, sequences.length);
  });

  it('keeps whole numbers within their bounds and reaches both', () => {
    const random = new Random(1, 0);
    const drawn = Array.from({ length: 300 }, () => random.integer(2, 5));
    assert.equal(Math.min(...drawn), 2);
    assert.equal(Math.max(...drawn), 5);
  });

  it('forks sequences that differ by purpose', () => {
    assert.notDeepEqual(draw(new Random(1, 0).fork('rig')), draw(new Random(1, 0).fork('noise')));
  });
});
