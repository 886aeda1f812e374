import assert from 'node:assert/strict';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { ReplayClock } from '../../src/bag/replay-clock.js';

const MS = 1_000_000n;

describe('ReplayClock', () => {
  let timers: SinonFakeTimers;
  beforeEach(() => (timers = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })));
  afterEach(() => timers.restore());

  const clock = (rate: number): ReplayClock => new ReplayClock({ start: 1000n * MS, rate });
  const { signal: never } = new AbortController();

  /** Milliseconds until it resolves, looked at every ms. */
  async function msUntil(promise: Promise<void>, limit = 1000): Promise<number | undefined> {
    let isDone = false;
    void promise.then(() => (isDone = true));
    for (let ms = 0; ms < limit; ms++) {
      await timers.tickAsync(0);
      if (isDone) return ms;
      await timers.tickAsync(1);
    }
    return undefined;
  }

  it('runs at its rate', () => {
    const [slow, fast] = [clock(0.5), clock(3)];
    timers.tick(100);
    assert.deepEqual([slow.time, fast.time], [1050n * MS, 1300n * MS]);
  });

  it('wakes sleepers at their time, late ones at once', async () => {
    const half = clock(0.5);
    assert.equal(await msUntil(half.sleepUntil(1020n * MS, never)), 40);
    assert.equal(await msUntil(half.sleepUntil(1010n * MS, never)), 0);
  });

  it('stands still while paused, and lets sleepers sleep on', async () => {
    const normal = clock(1);
    timers.tick(10);
    normal.pause();
    const sleeping = normal.sleepUntil(1020n * MS, never);
    assert.equal(await msUntil(sleeping, 500), undefined);
    assert.equal(normal.time, 1010n * MS);
    normal.resume();
    assert.equal(await msUntil(sleeping), 10);
  });

  it('goes on from where it is set', async () => {
    const normal = clock(1);
    timers.tick(500);
    normal.jump(1000n * MS);
    assert.equal(normal.time, 1000n * MS);
    const sleeping = normal.sleepUntil(1050n * MS, never);
    timers.tick(20);
    normal.jump(1000n * MS);
    assert.equal(await msUntil(sleeping), 50);
  });

  it('ends sleep when it is aborted, also while paused', async () => {
    const stop = new AbortController();
    const normal = clock(1);
    normal.pause();
    const sleeping = normal.sleepUntil(2000n * MS, stop.signal);
    stop.abort(new Error('stop'));
    await assert.rejects(sleeping, /stop/);
    await assert.rejects(normal.sleepUntil(0n, stop.signal), /stop/);
  });
});
