import assert from 'node:assert/strict';
import { nsFromTime, timeFromNs } from '../../src/messages/stamp.js';

describe('stamps', () => {
  it('go there and back, also before the epoch', () => {
    for (const ns of [
      0n,
      1n,
      999_999_999n,
      1_000_000_000n,
      1_532_402_927_612_460_000n,
      -1n,
      -1_000_000_000n,
      -1_500_000_000n,
    ]) {
      assert.equal(nsFromTime(timeFromNs(ns)), ns);
    }
    assert.deepEqual(timeFromNs(-1n), { sec: -1, nanosec: 999_999_999 });
  });

  it('carry nanoseconds above a second over', () => {
    assert.equal(nsFromTime({ sec: 1, nanosec: 4_000_000_000 }), 5_000_000_000n);
  });

  it('beyond 32 bits of seconds are refused', () => {
    assert.deepEqual(timeFromNs(2_147_483_647_999_999_999n), { sec: 2 ** 31 - 1, nanosec: 999_999_999 });
    assert.deepEqual(timeFromNs(-2_147_483_648_000_000_000n), { sec: -(2 ** 31), nanosec: 0 });
    assert.throws(() => timeFromNs(2_147_483_648_000_000_000n), RangeError);
    assert.throws(() => timeFromNs(-2_147_483_648_000_000_001n), RangeError);
    for (const time of [
      { sec: 2 ** 31, nanosec: 0 },
      { sec: -(2 ** 31) - 1, nanosec: 0 },
      { sec: 0.5, nanosec: 0 },
      { sec: 0, nanosec: -1 },
      { sec: 0, nanosec: 2 ** 32 },
      { sec: NaN, nanosec: 0 },
    ]) {
      assert.throws(() => nsFromTime(time), RangeError, JSON.stringify(time));
    }
  });
});
