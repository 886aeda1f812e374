import assert from 'node:assert/strict';
import { matchBoxes } from '../../src/evaluation/box-matching.js';

const at = (label: number, x: number, y = 0): { label: number; position: [number, number, number] } => ({
  label,
  position: [x, y, 1],
});

describe('matchBoxes', () => {
  it('gives the nearest true box of the class to the prediction with the highest score', () => {
    const predictions = [
      { ...at(0, 10.9), score: 0.5 },
      { ...at(0, 10.1), score: 0.9 },
    ];
    assert.deepEqual(matchBoxes(predictions, [at(0, 10), at(0, 12)], 2), {
      matched: 2,
      truths: 2,
      predictions: 2,
    });
  });

  it('counts a second prediction of the same box as wrong', () => {
    const predictions = [
      { ...at(0, 10.2), score: 0.5 },
      { ...at(0, 10.1), score: 0.9 },
    ];
    assert.equal(matchBoxes(predictions, [at(0, 10)], 2).matched, 1);
  });

  it('matches neither another class nor a centre too far away on the ground', () => {
    assert.equal(matchBoxes([{ ...at(1, 10), score: 1 }], [at(0, 10)], 2).matched, 0);
    assert.equal(matchBoxes([{ ...at(0, 10, 2), score: 1 }], [at(0, 10)], 2).matched, 0);
  });
});
