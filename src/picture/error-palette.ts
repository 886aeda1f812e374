import type { Palette } from './types.js';

/** What a prediction made of a voxel; the order is that of `ERROR_PALETTE`. */
const [RIGHT, OTHER_CLASS, MISSED, INVENTED, FREE] = [0, 1, 2, 3, 4];

export const ERROR_PALETTE: Palette = {
  classes: [
    { name: 'right', color: [86, 126, 104] },
    { name: 'other class', color: [236, 200, 72] },
    { name: 'missed', color: [226, 74, 74] },
    { name: 'invented', color: [92, 130, 240] },
    { name: 'free', color: [255, 255, 255] },
  ],
  free: FREE,
};

/** Labels of `ERROR_PALETTE`, in the order of both arrays of classes. */
export function errorLabels(prediction: Uint8Array, truth: Uint8Array, free: number): Uint8Array {
  return prediction.map((predicted, voxel) => {
    const label = truth[voxel]!;
    if (label === free) return predicted === free ? FREE : INVENTED;
    if (predicted === free) return MISSED;
    return predicted === label ? RIGHT : OTHER_CLASS;
  });
}
