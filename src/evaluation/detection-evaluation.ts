import { boxErrors, centerDistance, type EvaluatedBox } from './box-errors.js';
import {
  DETECTION_CONFIG,
  DETECTION_NAMES,
  TRUE_POSITIVE_ERRORS,
  UNDEFINED_ERRORS,
  type DetectionName,
  type TruePositiveError,
} from './detection-config.js';
import { isInsideBox, type OrientedBox } from './oriented-box.js';
import { classFigures, mean, type ClassFigures, type ScoredMatch } from './precision-recall.js';

export interface PredictedBox extends EvaluatedBox {
  readonly detection_score: number;
}

export interface TrueBox extends EvaluatedBox {
  /** LiDAR and radar returns; a box without any does not count. */
  readonly num_pts: number;
}

/** Boxes of one sample, global frame. */
export interface DetectionSample {
  readonly egoTranslation: readonly [number, number, number];
  readonly predictions: readonly PredictedBox[];
  readonly truths: readonly TrueBox[];
  /** Bicycles and motorcycles in them do not count. */
  readonly bicycleRacks: readonly OrientedBox[];
}

export interface DetectionScores {
  readonly map: number;
  /** nuScenes detection score. */
  readonly nds: number;
  /** Mean over the matching distances. */
  readonly ap_per_class: Readonly<Record<DetectionName, number>>;
  /** By class and matching distance in metres. */
  readonly ap_per_distance: Readonly<Record<DetectionName, Readonly<Record<string, number>>>>;
  /** Mean over classes: metres, 1 − IoU, radians, m/s, 1 − accuracy. */
  readonly tp_errors: Readonly<Record<TruePositiveError, number>>;
  /** null where the error is not defined for the class. */
  readonly tp_errors_per_class: Readonly<
    Record<DetectionName, Readonly<Record<TruePositiveError, number | null>>>
  >;
  /** True boxes that count. */
  readonly truths_per_class: Readonly<Record<DetectionName, number>>;
}

const { classRange, distances, errorDistance, meanApWeight } = DETECTION_CONFIG;

/**
 * The metrics of the nuScenes detection task (`detection_cvpr_2019`), equal to nuscenes-devkit's. Samples are matched as they come: only
 * scores and errors are kept.
 */
export class DetectionEvaluation {
  readonly #matches = new Map(
    DETECTION_NAMES.map((name) => [name, distances.map((): ScoredMatch[] => [])] as const),
  );
  readonly #truths = new Map(DETECTION_NAMES.map((name) => [name, 0]));

  add({ egoTranslation, predictions, truths, bicycleRacks }: DetectionSample): void {
    const counts = (box: EvaluatedBox): boolean => {
      const [dx, dy] = [0, 1].map((axis) => box.translation[axis]! - egoTranslation[axis]!) as [
        number,
        number,
      ];
      if (!(Math.hypot(dx, dy) < classRange[box.detection_name])) return false;
      const isCycle = box.detection_name === 'bicycle' || box.detection_name === 'motorcycle';
      return !isCycle || !bicycleRacks.some((rack) => isInsideBox(rack, box.translation));
    };
    const present = truths.filter((box) => box.num_pts !== 0 && counts(box));
    const found = predictions.filter(counts);
    for (const name of DETECTION_NAMES) {
      const ofClass = present.filter((box) => box.detection_name === name);
      this.#truths.set(name, this.#truths.get(name)! + ofClass.length);
      const candidates = found.filter((box) => box.detection_name === name);
      distances.forEach((distance, i) => {
        this.#matches.get(name)![i]!.push(...match(candidates, ofClass, distance));
      });
    }
  }

  scores(): DetectionScores {
    const byClass = new Map(
      DETECTION_NAMES.map((name) => [
        name,
        this.#matches.get(name)!.map((matches) => classFigures(matches, this.#truths.get(name)!)),
      ]),
    );
    const perClass = <T>(value: (figures: readonly ClassFigures[], name: DetectionName) => T) =>
      Object.fromEntries(DETECTION_NAMES.map((name) => [name, value(byClass.get(name)!, name)])) as Record<
        DetectionName,
        T
      >;
    const ap_per_class = perClass((figures) => mean(figures.map(({ ap }) => ap)));
    const errorsPerClass = perClass((figures, name) => {
      const { errors } = figures[distances.indexOf(errorDistance)]!;
      return Object.fromEntries(
        TRUE_POSITIVE_ERRORS.map((error) => [
          error,
          UNDEFINED_ERRORS[name]?.includes(error) ? null : errors[error],
        ]),
      ) as Record<TruePositiveError, number | null>;
    });
    const tp_errors = Object.fromEntries(
      TRUE_POSITIVE_ERRORS.map((error) => {
        const defined = Object.values(errorsPerClass).map((errors) => errors[error]);
        return [error, mean(defined.filter((value) => value !== null))];
      }),
    ) as Record<TruePositiveError, number>;
    const map = mean(Object.values(ap_per_class));
    const goodness = TRUE_POSITIVE_ERRORS.map((error) => Math.max(0, 1 - tp_errors[error]));
    return {
      map,
      nds:
        (meanApWeight * map + goodness.reduce((sum, value) => sum + value, 0)) /
        (meanApWeight + goodness.length),
      ap_per_class,
      ap_per_distance: perClass((figures) =>
        Object.fromEntries(distances.map((distance, i) => [String(distance), figures[i]!.ap])),
      ),
      tp_errors,
      tp_errors_per_class: errorsPerClass,
      truths_per_class: perClass((_, name) => this.#truths.get(name)!),
    };
  }
}

/** In the order of falling score each takes the nearest true box that is still free; result in the order of `predictions`. */
function match(
  predictions: readonly PredictedBox[],
  truths: readonly TrueBox[],
  distance: number,
): readonly ScoredMatch[] {
  const free = new Set(truths);
  const results = new Array<ScoredMatch>(predictions.length);
  const order = predictions
    .map((_, i) => i)
    .sort((a, b) => predictions[b]!.detection_score - predictions[a]!.detection_score || b - a);
  for (const i of order) {
    const prediction = predictions[i]!;
    let nearest: TrueBox | undefined;
    let least = Infinity;
    for (const truth of free) {
      const away = centerDistance(truth, prediction);
      if (away < least) [least, nearest] = [away, truth];
    }
    const isMatch = nearest !== undefined && least < distance;
    if (isMatch) free.delete(nearest!);
    results[i] = {
      score: prediction.detection_score,
      errors: isMatch ? boxErrors(nearest!, prediction) : undefined,
    };
  }
  return results;
}
