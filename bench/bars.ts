import type { Isa } from '../src/engine/types.js';

/** How many times faster than onnxruntime a row should be; undefined: not asked for. */
export interface Bars {
  readonly fp32?: number;
  readonly u8?: number;
}

type BarsByMachine = Readonly<Record<'avx512' | 'avx2', Bars>>;

const LAYER_BARS: Readonly<Record<string, BarsByMachine>> = {
  '3×3 W1A1 256→256 @ 100²': { avx512: { fp32: 20, u8: 5.5 }, avx2: { fp32: 14, u8: 7 } },
  '3×3 W1A1 64→64 @ 200²': { avx512: { fp32: 18, u8: 5 }, avx2: { fp32: 12, u8: 6 } },
  '3×3 W1A1 128→128 @ 200²': { avx512: { fp32: 18, u8: 5 }, avx2: { fp32: 12, u8: 6 } },
  '3×3 W1A1 512→512 @ 50²': { avx512: { fp32: 18, u8: 5 }, avx2: { fp32: 12, u8: 6 } },
  '1×1 W1A1 256→256 @ 100²': { avx512: { fp32: 12, u8: 3.5 }, avx2: { fp32: 8, u8: 4 } },
  '1×1 W1A8 256→256 @ 100²': { avx512: { fp32: 6, u8: 2 }, avx2: { fp32: 4.5, u8: 2.2 } },
  '1×1 W1A32 256→256 @ 100²': { avx512: { fp32: 2 }, avx2: { fp32: 2 } },
  'BDC unit 256→256 @ 100²': { avx512: { fp32: 13, u8: 4 }, avx2: { fp32: 10, u8: 5 } },
};

/** Of layers of real weights, against onnxruntime at the same precision. */
const REAL_BARS: Readonly<Record<string, Bars>> = { FP32: { fp32: 0.9 }, INT8: { u8: 0.9 } };

const FRAME_BARS: BarsByMachine = { avx512: { fp32: 8, u8: 3 }, avx2: { fp32: 8, u8: 4 } };
/** Of a whole frame, two threads over one. */
export const SPEEDUP_BAR = 1.8;
export const PEAK_BAR = { layer: '3×3 W1A1 256→256 @ 100²', percent: 60 };

const machineOf = (isa: Isa): keyof BarsByMachine => (isa === 'avx512' || isa === 'amx' ? 'avx512' : 'avx2');

export function barsOf(layer: string, isa: Isa): Bars | undefined {
  const [, kind = ''] = layer.split(' ');
  return REAL_BARS[kind] ?? LAYER_BARS[layer]?.[machineOf(isa)];
}

/** Of the shipped model on two threads. */
export const frameBarsOf = (isa: Isa): Bars => FRAME_BARS[machineOf(isa)];
