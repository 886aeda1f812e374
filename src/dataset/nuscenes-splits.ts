import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BdcError } from '../errors.js';

/** Numbers of the scenes of nuScenes' official validation split; the other scenes of v1.0-trainval are for training. */
const VAL: readonly number[] = [
  3, 12, 13, 14, 15, 16, 17, 18, 35, 36, 38, 39, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107,
  108, 109, 110, 221, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 329, 330, 331, 332, 344, 345, 346, 519, 520,
  521, 522, 523, 524, 552, 553, 554, 555, 556, 557, 558, 559, 560, 561, 562, 563, 564, 565, 625, 626, 627, 629, 630, 632,
  633, 634, 635, 636, 637, 638, 770, 771, 775, 777, 778, 780, 781, 782, 783, 784, 794, 795, 796, 797, 798, 799, 800, 802,
  904, 905, 906, 907, 908, 909, 910, 911, 912, 913, 914, 915, 916, 917, 919, 920, 921, 922, 923, 924, 925, 926, 927, 928,
  929, 930, 931, 962, 963, 966, 967, 968, 969, 971, 972, 1059, 1060, 1061, 1062, 1063, 1064, 1065, 1066, 1067, 1068, 1069,
  1070, 1071, 1072, 1073,
]; // prettier-ignore
const MINI_VAL: readonly number[] = [103, 916];

const numberOf = (scene: string): number => Number(scene.replace('scene-', ''));

const PREDEFINED: Readonly<Record<string, (scene: string) => boolean>> = {
  train: (scene) => !VAL.includes(numberOf(scene)),
  val: (scene) => VAL.includes(numberOf(scene)),
  mini_train: (scene) => !MINI_VAL.includes(numberOf(scene)),
  mini_val: (scene) => MINI_VAL.includes(numberOf(scene)),
  test: () => true,
};

/**
 * Which scenes belong to a split: one of `splits.json` beside the tables (nuscenes-devkit's custom splits: name → scene names), else
 * one of nuScenes' own.
 *
 * @param folder of the tables
 * @throws BdcError `DATASET_SPLIT`
 */
export async function scenesOfSplit(folder: string, split: string): Promise<(scene: string) => boolean> {
  const path = join(folder, 'splits.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const custom = text === undefined ? {} : parse(text, path);
  const scenes = custom[split];
  if (scenes !== undefined) {
    const names = new Set(scenes);
    return (scene) => names.has(scene);
  }
  const predefined = PREDEFINED[split];
  if (predefined !== undefined) return predefined;
  throw new BdcError('dataset', {
    code: 'DATASET_SPLIT',
    message:
      `no split "${split}": ${path} has ${Object.keys(custom).join(', ') || 'none'}, ` +
      `nuScenes' own are ${Object.keys(PREDEFINED).join(', ')}`,
  });
}

function parse(text: string, path: string): Readonly<Record<string, readonly string[]>> {
  try {
    const splits: unknown = JSON.parse(text);
    const isValid =
      typeof splits === 'object' &&
      splits !== null &&
      Object.values(splits).every(
        (names) => Array.isArray(names) && names.every((n) => typeof n === 'string'),
      );
    if (isValid) return splits as Readonly<Record<string, readonly string[]>>;
  } catch {
    // reported below, like any other content that is no split
  }
  throw new BdcError('dataset', {
    code: 'DATASET_SPLIT',
    message: `${path}: expected a JSON object of lists of scene names`,
  });
}
