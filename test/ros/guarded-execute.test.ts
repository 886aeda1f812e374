import assert from 'node:assert/strict';
import { guardExecute } from '../../src/ros/guarded-execute.js';
import type { Node } from '../../src/ros/rclnodejs-types.js';

/** A node of rclnodejs as the executor sees it: handles `s…` are subscriptions, `bad` throws. */
class FakeNode {
  readonly _subscriptions = ['s1', 's2', 's3'].map((handle) => ({ handle }));
  readonly executed: unknown[] = [];
  nowMs = 0;

  execute(handles: readonly unknown[]): void {
    assert.ok(this instanceof FakeNode);
    for (const handle of handles) {
      if (handle === 'bad') throw new TypeError('bad handle');
      this.executed.push(handle);
      this.nowMs += 3;
    }
  }

  /** What a round of the executor gets done. */
  round(...handles: readonly unknown[]): readonly unknown[] {
    this.executed.length = 0;
    this.execute(handles);
    return [...this.executed];
  }
}

describe('guardExecute', () => {
  let node: FakeNode;
  let errors: unknown[];

  beforeEach(() => {
    node = new FakeNode();
    errors = [];
    guardExecute(node as unknown as Node, {
      onError: (error) => errors.push(error),
      nowMs: () => node.nowMs,
    });
  });

  it('hands on what a callback throws, and the others get their turn all the same', () => {
    assert.deepEqual(node.round('timer', 'bad', 'service'), ['timer', 'service']);
    assert.match(String(errors), /^TypeError: bad handle$/);
  });

  it('leaves messages for the next round once the time is spent, and takes those first then', () => {
    assert.deepEqual(node.round('s1', 's2', 's3'), ['s1', 's2']);
    assert.deepEqual(node.round('s1', 's2', 's3'), ['s3', 's1']);
    assert.deepEqual(node.round('s1', 's2'), ['s2', 's1']);
  });

  it('leaves nothing but messages: of a guard condition it would not be told again', () => {
    assert.deepEqual(node.round('s1', 's2', 's3', 'guard', 'service'), ['s1', 's2', 'guard', 'service']);
  });
});
