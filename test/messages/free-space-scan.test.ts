import assert from 'node:assert/strict';
import { freeSpaceScan } from '../../src/messages/free-space-scan.js';
import type { OccupancyGrid } from '../../src/messages/ros-types.js';

const SIZE = 8;
const RESOLUTION = 0.5;
const header = { stamp: { sec: 1, nanosec: 2 }, frame_id: 'base_link' };

/** 8 × 8 cells of 0.5 m around the origin; `cell` says what is at column and row. */
const gridOf = (cell: (column: number, row: number) => number): OccupancyGrid => ({
  header,
  info: {
    map_load_time: header.stamp,
    resolution: RESOLUTION,
    width: SIZE,
    height: SIZE,
    origin: { position: { x: -2, y: -2, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } },
  },
  data: Int8Array.from({ length: SIZE * SIZE }, (_, i) => cell(i % SIZE, Math.floor(i / SIZE))),
});

describe('freeSpaceScan', () => {
  /** Beams at odd multiples of 22.5°: none runs along an axis. */
  const ranges = (grid: OccupancyGrid): readonly number[] => {
    const scan = freeSpaceScan(grid, 16);
    return Array.from(scan.ranges);
  };
  const beamAt = (degrees: number): number => ((degrees + 180) / 360) * 16;

  it('is infinite where all is free, up to the circle inside of the grid', () => {
    const scan = freeSpaceScan(
      gridOf(() => 0),
      16,
    );
    assert.equal(scan.range_max, 2);
    assert.ok(scan.ranges.every((range) => range === Infinity));
    assert.deepEqual(scan.header, header);
    assert.ok(Math.abs(scan.angle_max - (Math.PI - Math.PI / 8)) < 1e-12);
  });

  it('is the distance to where the ray enters the first occupied cell', () => {
    const wall = gridOf((column) => (column >= 6 ? 100 : 0));
    const range = ranges(wall)[beamAt(22.5)]!;
    assert.ok(Math.abs(range - 1 / Math.cos(Math.PI / 8)) < 1e-6, String(range));
    assert.equal(ranges(wall)[beamAt(157.5)], Infinity);
  });

  it('is unknown behind an unknown cell, but for those next to the robot', () => {
    const gap = gridOf((column) => (column === 5 ? -1 : column >= 6 ? 100 : 0));
    assert.ok(Number.isNaN(ranges(gap)[beamAt(22.5)]!));
    const blind = gridOf((column, row) =>
      Math.hypot(column - 3.5, row - 3.5) < 1.5 ? -1 : column >= 6 ? 100 : 0,
    );
    assert.ok(Math.abs(ranges(blind)[beamAt(22.5)]! - 1 / Math.cos(Math.PI / 8)) < 1e-6);
  });

  it('is unknown where nothing at all is observed', () => {
    assert.ok(ranges(gridOf(() => -1)).every((range) => Number.isNaN(range)));
  });

  it('is 0 inside of an obstacle, and unknown for a robot outside of the grid', () => {
    assert.ok(ranges(gridOf(() => 100)).every((range) => range === 0));
    const far = gridOf(() => 100);
    const shifted = {
      ...far,
      info: { ...far.info, origin: { ...far.info.origin, position: { x: 5, y: 5, z: 0 } } },
    };
    assert.ok(ranges(shifted).every((range) => Number.isNaN(range)));
  });
});
