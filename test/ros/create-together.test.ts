import assert from 'node:assert/strict';
import { createTogether } from '../../src/ros/create-together.js';
import type { Node } from '../../src/ros/rclnodejs-types.js';

/** As rclnodejs's class has it: a method that cannot be assigned to. */
class FakeNode {
  synced = 0;

  create(): this {
    (this as unknown as Node).syncHandles();
    return this;
  }
}
Object.defineProperty(FakeNode.prototype, 'syncHandles', {
  value(this: FakeNode) {
    this.synced++;
  },
});

describe('createTogether', () => {
  it('has the executor look once at all that is created', () => {
    const node = new FakeNode();
    assert.equal(
      createTogether(node as unknown as Node, () => node.create().create().create()),
      node,
    );
    assert.equal(node.synced, 1);
    node.create();
    assert.equal(node.synced, 2, 'later ones as before');
  });

  it('has it look also where creating fails', () => {
    const node = new FakeNode();
    const fail = (): never => {
      node.create();
      throw new Error('no such type');
    };
    assert.throws(() => createTogether(node as unknown as Node, fail), /no such type/);
    assert.equal(node.synced, 1);
  });
});
