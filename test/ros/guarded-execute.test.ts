import assert from 'node:assert/strict';
import { guardExecute } from '../../src/ros/guarded-execute.js';
import type { Node } from '../../src/ros/rclnodejs-types.js';

describe('guardExecute', () => {
  it('hands on what the executor throws, and the next round goes on', () => {
    const rounds: unknown[] = [];
    const node = {
      execute(handles: readonly unknown[]): void {
        rounds.push(this);
        if (handles.length === 0) throw new TypeError('no handles');
      },
    } as unknown as Node;
    const errors: unknown[] = [];
    guardExecute(node, (error) => errors.push(error));
    node.execute([]);
    node.execute([1]);
    assert.deepEqual(rounds, [node, node]);
    assert.match(String(errors), /^TypeError: no handles$/);
  });
});
