import assert from 'node:assert/strict';
import { nativeImages } from '../../src/engine/native.js';
import type { RiggedFrame } from '../../src/perception/camera-intake.js';
import type { CameraImage } from '../../src/perception/types.js';
import { FrameMemory } from '../../src/ros/frame-memory.js';

const image = (bytes: number): CameraImage => ({
  kind: 'compressed',
  stamp: 1n,
  data: new Uint8Array(bytes),
});

const frameOf = (...images: readonly (CameraImage | undefined)[]): RiggedFrame => ({
  frame: { stamp: 1n, images },
  rig: { baseFrame: 'base_link', cameras: [] },
});

describe('FrameMemory', () => {
  it('frees the images of a frame with its last user, those of other frames with theirs', () => {
    const freed: CameraImage[] = [];
    const memory = new FrameMemory((one) => freed.push(one));
    const [front, left, other] = [image(1), image(1), image(1)];
    const [frame, next] = [frameOf(front, undefined, left), frameOf(other)];
    memory.hold(frame);
    memory.hold(frame);
    memory.hold(next);
    memory.drop(frame);
    assert.deepEqual(freed, []);
    memory.drop(frame);
    assert.deepEqual(freed, [front, left]);
    memory.drop(next);
    assert.deepEqual(freed, [front, left, other]);
  });

  it('gives the memory of images back at once', () => {
    const memory = new FrameMemory();
    const big = image(1_000_000);
    const frame = frameOf(big);
    memory.hold(frame);
    const before = process.memoryUsage().arrayBuffers;
    memory.drop(frame);
    assert.equal(big.data.byteLength, 0);
    assert.ok(process.memoryUsage().arrayBuffers <= before - 1_000_000);
  });

  it('leaves small ones alone, which share their memory with others', () => {
    const memory = new FrameMemory();
    const [pooled, neighbour] = [Buffer.from('small'), Buffer.from('neighbour')];
    const frame = frameOf({ kind: 'compressed', stamp: 1n, data: pooled });
    memory.hold(frame);
    memory.drop(frame);
    assert.equal(neighbour.toString(), 'neighbour');
    assert.equal(pooled.toString(), 'small');
  });
});

describe('release of the native images', () => {
  it('takes an array once or twice, and nothing else', () => {
    const data = new Uint8Array(100);
    nativeImages().release(data);
    nativeImages().release(data);
    assert.equal(data.length, 0);
    assert.throws(() => nativeImages().release('data' as never), /^TypeError: data: expected/);
  });
});
