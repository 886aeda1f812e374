"""Measures a trained network on a data set, beside the best that a constant can do on it."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .arguments import positive_int
from .batches import Batch, BatchMaker
from .checkpoint import load_weights
from .classes import OCCUPANCY_CLASSES
from .config import load_config
from .detection_boxes import BoxSubmission
from .engine_comparison import EngineAgreement, EngineComparison
from .exported_model import ExportedModel
from .heads import MAP_SIZES
from .metrics import MajorityPrior, OccupancyMetric
from .model_file import network_manifest
from .network import build_network
from .nuscenes_tables import NuScenesTables
from .occupancy_labels import block_size, down_sample, load_occ3d
from .occupancy_scores import OccupancyScores
from .prediction import Prediction
from .ray_iou import RayIou, RayOrigins
from .training_data import batch_maker


@dataclass(frozen=True)
class OccupancyFigures:
    """IoUs as shares (0…1); None for a class that neither occurs nor was predicted."""

    mean_iou: float
    occupied_iou: float
    class_iou: dict[str, float | None]

    @staticmethod
    def of(metric: OccupancyMetric) -> "OccupancyFigures":
        class_iou = {
            known.name: None if np.isnan(iou) else float(iou)
            for known, iou in zip(OCCUPANCY_CLASSES, metric.class_iou(), strict=False)
        }
        return OccupancyFigures(metric.mean_iou(), metric.occupied_iou(), class_iou)


@dataclass(frozen=True)
class Evaluation:
    samples: int
    # None for a network without occupancy head.
    network: OccupancyFigures | None
    # The same metric for the constant that says each voxel's most frequent class of these very samples.
    prior: OccupancyFigures | None
    # Mean |expected depth − mean depth of the returns| over the feature cells with LiDAR returns, in metres.
    depth_error: float


def evaluate(network: nn.Module, maker: BatchMaker, indices: Sequence[int], batch_size: int = 2) -> Evaluation:
    """Leaves the network in evaluation mode."""
    network.eval()
    spec = maker.dataset.spec
    metric, prior, prior_metric = OccupancyMetric(), MajorityPrior(spec.grid_shape), OccupancyMetric()
    depths = torch.tensor(spec.depths)[:, None, None]
    error_sum, error_count = 0.0, 0
    for start in range(0, len(indices), batch_size):
        batch = maker.plain(list(indices[start : start + batch_size]))
        with torch.no_grad():
            outputs = network(*batch.inputs)
        if "occupancy_logits" in outputs:
            size, nz, ny, nx = batch.labels.shape
            predicted = outputs["occupancy_logits"].reshape(size, nz, -1, ny, nx).argmax(2)
            # Both to Occ3D's [x][y][z].
            labels = batch.labels.permute(0, 3, 2, 1).numpy().astype(np.uint8)
            metric.add(labels, predicted.permute(0, 3, 2, 1).numpy())
            for sample in labels:
                prior.add(sample)
        known = batch.depth.sum(2) > 0
        expected = (outputs["depth_logits"].softmax(2) * depths).sum(2)
        error_sum += (expected - (batch.depth * depths).sum(2)).abs()[known].sum().item()
        error_count += int(known.sum())
    depth_error = error_sum / max(1, error_count)
    if not spec.has_labels:
        return Evaluation(len(indices), None, None, depth_error)
    constant = prior.prediction()
    for index in indices:
        prior_metric.add(maker.dataset.labels(index), constant)
    return Evaluation(len(indices), OccupancyFigures.of(metric), OccupancyFigures.of(prior_metric), depth_error)


def table(network: OccupancyFigures, prior: OccupancyFigures) -> str:
    """Markdown: a row a class, IoU in percent, network and prior side by side."""

    def percent(share: float | None) -> str:
        return "–" if share is None else f"{100 * share:.1f}"

    rows = [("mIoU", network.mean_iou, prior.mean_iou)]
    rows.append(("occupied", network.occupied_iou, prior.occupied_iou))
    rows += [(name, iou, prior.class_iou[name]) for name, iou in network.class_iou.items()]
    width = max(len(name) for name, _, _ in rows)
    lines = [f"| {'IoU in %':<{width}} | network | constant prior |", f"| {'-' * width} | ------: | -------------: |"]
    lines += [f"| {name:<{width}} | {percent(iou):>7} | {percent(prior):>14} |" for name, iou, prior in rows]
    return "\n".join(lines)


@dataclass(frozen=True)
class DatasetReport:
    # Laid out as the JSON of `bdc-occ evaluate`.
    scores: dict[str, object]
    engine: EngineAgreement | None


def score_dataset(
    predict: Callable[[Batch], list[Prediction]],
    maker: BatchMaker,
    root: Path,
    count: int,
    *,
    with_rays: bool = True,
    comparison: EngineComparison | None = None,
    submission: BoxSubmission | None = None,
    batch_size: int = 2,
) -> DatasetReport:
    """Both masks, above the ground, RayIoU; the engine's voxels beside, the boxes into `submission`."""
    spec = maker.dataset.spec
    records = NuScenesTables(root).samples()
    scores, rays, origins = OccupancyScores(spec), RayIou(), RayOrigins(records)
    factor = block_size(spec)
    for start in range(0, count, batch_size):
        indices = list(range(start, min(start + batch_size, count)))
        for index, prediction in zip(indices, predict(maker.plain(indices)), strict=True):
            record, predicted = records[index], prediction.labels
            semantics, visible = load_occ3d(record.labels_path)
            scores.add(semantics, visible, predicted)
            if with_rays:
                fine = predicted.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2)
                rays.add(semantics, visible, fine, origins.of(record))
            if submission is not None:
                submission.add(record, prediction.maps)
            if comparison is not None:
                comparison.add(record.token, down_sample(semantics, visible, factor), predicted)
    report = {**scores.report(), **({"ray_iou": rays.report()} if with_rays else {})}
    return DatasetReport(report, None if comparison is None else comparison.agreement())


def predictor(network: nn.Module) -> Callable[[Batch], list[Prediction]]:
    """Classes of a network's logits, on [x][y][z], and its detection maps."""

    def predict(batch: Batch) -> list[Prediction]:
        with torch.no_grad():
            outputs = network(*batch.inputs)
        size, nz, ny, nx = batch.labels.shape
        labels = outputs["occupancy_logits"].reshape(size, nz, -1, ny, nx).argmax(2).permute(0, 3, 2, 1)
        maps = {role: outputs[role] for role in MAP_SIZES if role in outputs}
        return [
            Prediction(sample.numpy().astype(np.uint8), {role: values[i] for role, values in maps.items()})
            for i, sample in enumerate(labels)
        ]

    return predict


def summary(report: DatasetReport) -> str:
    """Lines below the table."""

    def percent(share: object) -> str:
        return "–" if share is None else f"{100 * float(share):.1f} %"  # type: ignore[arg-type]

    lines = []
    for title, scores in (("camera-visible", report.scores), ("all voxels", report.scores["all_voxels"])):
        for name, figures in (("network", scores), ("prior", scores["prior"])):  # type: ignore[index]
            values = ", ".join(
                f"{what} {percent(figures[key])}"  # type: ignore[index]
                for what, key in (
                    ("mIoU", "miou"),
                    ("occupied IoU", "occupied_iou"),
                    ("above the ground", "occupied_iou_above_ground"),
                )
            )
            lines.append(f"{title}, {name}: {values}")
    rays = report.scores.get("ray_iou")
    for title, figures in (
        () if rays is None else (("all rays", rays), ("camera-visible ends", rays["camera_visible"]))  # type: ignore[index]
    ):
        values = ", ".join(f"{name} {percent(figures[name])}" for name in ("1m", "2m", "4m", "mean"))  # type: ignore[index]
        lines.append(f"RayIoU, {title}: {values}")
    if report.engine is not None:
        engine = report.engine
        lines.append(
            f"engine against PyTorch, {engine.samples} samples: {100 * engine.equal_voxels:.4f} % of voxels equal, "
            f"mIoU {engine.miou_difference:+.4f} points"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, help="model file, instead of --config and --checkpoint")
    parser.add_argument("--config", type=Path, help="the YAML file it was trained with")
    parser.add_argument("--checkpoint", type=Path, help="checkpoint.pt of bdc_training.train")
    parser.add_argument("--data", type=Path, required=True, help="data set (nuScenes + Occ3D layout)")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in the data set)")
    parser.add_argument("--samples", type=positive_int, help="measure on the first so many samples (default: all)")
    parser.add_argument("--no-ray-iou", dest="ray_iou", action="store_false", help="leave RayIoU out")
    parser.add_argument("--write-boxes", type=Path, help="write the boxes as nuScenes takes them (results_nusc.json)")
    parser.add_argument("--engine-occupancy", type=Path, help="folder of bdc-occ evaluate --write-occupancy, compared")
    parser.add_argument("--threads", type=positive_int, help="of PyTorch (default: one per core)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args(arguments)
    if (options.model is None) == (options.config is None or options.checkpoint is None):
        parser.error("name either --model, or --config and --checkpoint")
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    try:
        _measure(options)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    return 0


def _measure(options: argparse.Namespace) -> None:
    result: Evaluation | None = None
    if options.model is not None:
        model = ExportedModel(options.model)
        predict, manifest = model.predict, model.manifest
        maker = model.batch_maker(options.data, options.cache)
        count = min(options.samples or len(maker.dataset), len(maker.dataset))
    else:
        config = load_config(options.config)
        network = build_network(config)
        load_weights(network, options.checkpoint)
        maker = batch_maker(config, options.data, options.cache)
        count = min(options.samples or len(maker.dataset), len(maker.dataset))
        result = evaluate(network, maker, range(count))
        predict = predictor(network)
        manifest = network_manifest(config, license="", training_data="", metrics={})
    if not maker.dataset.spec.has_labels:
        line = f"{count} samples; mean depth error {result.depth_error:.2f} m; no voxels: there is no occupancy head"
        print(json.dumps({"samples": count, "depth_error": result.depth_error}) if options.json else line)
        return
    submission = None if options.write_boxes is None else BoxSubmission(manifest)
    report = score_dataset(
        predict,
        maker,
        options.data,
        count,
        with_rays=options.ray_iou,
        comparison=None if options.engine_occupancy is None else EngineComparison(options.engine_occupancy),
        submission=submission,
    )
    if submission is not None:
        submission.write(options.write_boxes)
    if options.json:
        trained = {} if result is None else asdict(result)
        engine = {} if report.engine is None else {"engine": asdict(report.engine)}
        print(json.dumps({"samples": count, **trained, "scores": report.scores, **engine}))
    else:
        if result is not None:
            print(table(result.network, result.prior))
            print(f"\n{result.samples} samples; mean depth error {result.depth_error:.2f} m")
        print(summary(report))


if __name__ == "__main__":
    sys.exit(main())
