import assert from 'node:assert/strict';
import { barsOf, PEAK_BAR } from '../../bench/bars.js';
import { barChart } from '../../bench/bar-chart.js';
import { LAYERS, layerName } from '../../bench/layers.js';
import type { BenchmarkResult } from '../../bench/run.js';
import { layerTable, missedBars } from '../../bench/tables.js';

const names = LAYERS.map(layerName);

const result = (ratio_fp32: number, ratio_u8: number, peak_percent: number): BenchmarkResult => ({
  machine: 'a machine',
  isa: 'avx2',
  hidden_from_peers: [],
  threads: 1,
  layers: [
    {
      name: PEAK_BAR.layer,
      ours_ms: 5,
      ort_fp32_ms: 5 * ratio_fp32,
      ort_u8_ms: 5 * ratio_u8,
      ratio_fp32,
      ratio_u8,
      peak_percent,
    },
  ],
  frame: null,
  scaling: [],
  growth: [],
});

describe('Bars of the benchmark', () => {
  it('exist for every layer on every instruction set', () => {
    for (const name of [...names, PEAK_BAR.layer]) {
      assert(names.includes(name), name);
      for (const isa of ['avx2', 'avx-vnni', 'avx512', 'amx'] as const)
        assert(barsOf(name, isa), `${name} on ${isa}`);
    }
  });

  it('are named where a run misses them, and ticked where it does not', () => {
    assert.deepEqual(missedBars(result(14, 7, 60)), []);
    assert.match(layerTable(result(14, 7, 60)), /14\.0× ✓ .* 7\.0× ✓/);
    assert.deepEqual(missedBars(result(13.9, 6.9, 59)), [
      `${PEAK_BAR.layer}, × FP32: 13.9 of 14`,
      `${PEAK_BAR.layer}, × u8: 6.9 of 7`,
      `${PEAK_BAR.layer}, % of peak: 59.0 of 60`,
    ]);
    assert.match(layerTable(result(13.9, 6.9, 59)), /13\.9× of 14 .* 6\.9× of 7/);
  });
});

describe('barChart', () => {
  it('draws a bar for each value, as long as it is large, and a tick at the mark', () => {
    const svg = barChart('times', ['a', 'b'], [{ label: '1 < 2', values: [10, null], mark: 5 }]);
    const [, length] = /<rect x="210" y="56" width="([\d.]+)"/.exec(svg) ?? [];
    assert.equal(Number(length), 450);
    assert.match(svg, /<line x1="435\.0"/);
    assert.match(svg, /1 &lt; 2/);
    assert.equal(svg.match(/10\.0×/g)?.length, 1);
  });
});
