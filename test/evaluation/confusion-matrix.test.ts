import assert from 'node:assert/strict';
import { ConfusionMatrix } from '../../src/evaluation/confusion-matrix.js';

describe('ConfusionMatrix', () => {
  // Three classes, 2 = free; counts chosen so that every figure can be worked out by hand.
  const matrix = new ConfusionMatrix(3);
  matrix.add(0, 0, 6);
  matrix.add(0, 2, 2);
  matrix.add(1, 0, 4);
  matrix.add(2, 2, 10);
  matrix.add(2, 0, 3);

  it('gives diagonal over row plus column minus diagonal', () => {
    assert.equal(matrix.iou(0), 6 / (8 + 13 - 6));
    assert.equal(matrix.iou(1), 0);
    assert.equal(matrix.iou(2), 10 / (13 + 12 - 10));
  });

  it('leaves the free class out of the mean, but not its confusions', () => {
    assert.equal(matrix.meanIou(2), (6 / 15 + 0) / 2);
  });

  it('counts a confusion between two occupied classes as occupied', () => {
    assert.equal(matrix.occupiedIou(2), 10 / 15);
  });

  it('leaves a class that never occurs out of the mean', () => {
    const sparse = new ConfusionMatrix(4);
    sparse.add(0, 0, 1);
    sparse.add(3, 3, 1);
    assert.ok(Number.isNaN(sparse.iou(1)));
    assert.equal(sparse.meanIou(3), 1);
  });

  it('refuses classes it does not have', () => {
    assert.throws(() => matrix.add(3, 0), /from 0 to 2, found truth 3/);
  });
});
