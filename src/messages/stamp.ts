import type { Time } from './ros-types.js';

const NS_PER_S = 1_000_000_000n;
const MAX_SEC = 2n ** 31n - 1n;
const MIN_SEC = -(2n ** 31n);

/**
 * Nanoseconds as builtin_interfaces/Time: nanosec is always 0 … 999 999 999, so −1 ns is `{sec: -1, nanosec: 999999999}`.
 * @throws RangeError if the seconds do not fit into 32 bits (the year 2038 and after)
 */
export function timeFromNs(ns: bigint): Time {
  const nanosec = ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
  const sec = (ns - nanosec) / NS_PER_S;
  if (sec > MAX_SEC || sec < MIN_SEC) {
    throw new RangeError(`a ROS time holds ${MIN_SEC} … ${MAX_SEC} s, found ${sec} s`);
  }
  return { sec: Number(sec), nanosec: Number(nanosec) };
}

/** @throws RangeError unless sec is a 32-bit integer and nanosec an unsigned one; nanosec above 999 999 999 is carried over, as rclcpp does */
export function nsFromTime({ sec, nanosec }: Time): bigint {
  const fits =
    Number.isInteger(sec) &&
    Number.isInteger(nanosec) &&
    Math.abs(sec + 0.5) < 2 ** 31 &&
    nanosec >= 0 &&
    nanosec < 2 ** 32;
  if (!fits) throw new RangeError(`expected a ROS time, found ${sec} s, ${nanosec} ns`);
  return BigInt(sec) * NS_PER_S + BigInt(nanosec);
}
