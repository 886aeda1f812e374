"""Boxes out of the detection head's maps, as the engine decodes them, and nuScenes' submission format for them.

nuscenes-devkit scores such a file: mAP and NDS of a network in PyTorch, beside `bdc-occ evaluate`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .file_replacement import replace_file
from .nuscenes_tables import SampleRecord
from .rigid import quaternion, transform

# Boxes below it are left out: AP is over the whole curve of recall, so this isn't the model's own threshold.
SCORE_THRESHOLD = 0.01
# nuScenes takes no more of a sample.
MAX_BOXES = 500
# m/s from which on an object is said to move.
MOVING = 0.2
META = {"use_camera": True, "use_lidar": False, "use_radar": False, "use_map": False, "use_external": False}

Point = tuple[float, float]


@dataclass(frozen=True)
class DetectedBox:
    """In the ego frame: metres, radians, m/s."""

    label: int
    score: float
    center: tuple[float, float, float]
    # Length, width, height.
    size: tuple[float, float, float]
    yaw: float
    velocity: tuple[float, float]


class BoxDecoder:
    """`manifest` is a model file's: its sections `grid` and `detection`."""

    def __init__(self, manifest: Mapping[str, Any], score_threshold: float):
        self._low, self._high = manifest["grid"]["min"], manifest["grid"]["max"]
        detection = manifest["detection"]
        self._nms_scales = [known["nms_scale"] for known in detection["classes"]]
        self._nms_threshold = detection["nms_threshold"]
        self._max_candidates = detection["max_candidates"]
        self._least_logit = math.log(score_threshold / (1 - score_threshold))

    def decode(self, maps: Mapping[str, Tensor]) -> list[DetectedBox]:
        """Maps of one sample by role, [c, ny, nx] each; boxes by falling score."""
        return self._suppressed([self._box(maps, *peak) for peak in self._peaks(maps["heatmap"])])

    def _peaks(self, heatmap: Tensor) -> list[tuple[int, int, int]]:
        """(class, row, column) of local maxima, 3 × 3, of their class; the best first."""
        highest = F.max_pool2d(heatmap[None], 3, stride=1, padding=1)[0]
        found = ((heatmap == highest) & (heatmap >= self._least_logit)).nonzero()
        order = torch.sort(heatmap[tuple(found.T)], descending=True, stable=True).indices[: self._max_candidates]
        return [tuple(peak) for peak in found[order].tolist()]

    def _box(self, maps: Mapping[str, Tensor], label: int, row: int, column: int) -> DetectedBox:
        def at(role: str) -> list[float]:
            return maps[role][:, row, column].double().tolist()

        _, ny, nx = maps["heatmap"].shape
        cell_x, cell_y = (self._high[0] - self._low[0]) / nx, (self._high[1] - self._low[1]) / ny
        (dx, dy), (z,), (sine, cosine), (vx, vy) = at("reg"), at("height"), at("rot"), at("vel")
        length, width, height = (math.exp(value) for value in at("dim"))
        return DetectedBox(
            label=label,
            score=1 / (1 + math.exp(-float(maps["heatmap"][label, row, column]))),
            center=(self._low[0] + (column + dx) * cell_x, self._low[1] + (row + dy) * cell_y, z),
            size=(length, width, height),
            yaw=math.atan2(sine, cosine),
            velocity=(vx, vy),
        )

    def _suppressed(self, boxes: Sequence[DetectedBox]) -> list[DetectedBox]:
        """Without those that overlap a better one, of whatever class, in the ground plane (BEVDet's scale-NMS)."""
        kept: list[tuple[DetectedBox, list[Point]]] = []
        for box in boxes:
            scale = self._nms_scales[box.label]
            corners = rectangle(box.center[:2], box.size[0] * scale, box.size[1] * scale, box.yaw)
            if all(rectangle_iou(corners, better) <= self._nms_threshold for _, better in kept):
                kept.append((box, corners))
        return [box for box, _ in kept]


def rectangle(center: Sequence[float], length: float, width: float, yaw: float) -> list[Point]:
    """Corners, counter-clockwise."""
    ax, ay = math.cos(yaw) * length / 2, math.sin(yaw) * length / 2
    bx, by = -math.sin(yaw) * width / 2, math.cos(yaw) * width / 2
    x, y = center
    front, back, left = (x + ax, y + ay), (x - ax, y - ay), (bx, by)
    return [
        (front[0] + left[0], front[1] + left[1]),
        (back[0] + left[0], back[1] + left[1]),
        (back[0] - left[0], back[1] - left[1]),
        (front[0] - left[0], front[1] - left[1]),
    ]


def rectangle_iou(a: Sequence[Point], b: Sequence[Point]) -> float:
    """Of two rectangles by their corners; the shared area by Sutherland and Hodgman's clipping (1974)."""
    reach = (math.dist(a[0], a[2]) + math.dist(b[0], b[2])) / 2
    if math.dist(_middle(a), _middle(b)) >= reach:
        return 0.0
    shared = list(a)
    for i in range(4):
        shared = _left_of(shared, b[i], b[(i + 1) % 4])
    overlap = _area(shared)
    union = _area(a) + _area(b) - overlap
    return overlap / union if union > 0 else 0.0


def _middle(corners: Sequence[Point]) -> Point:
    return (corners[0][0] + corners[2][0]) / 2, (corners[0][1] + corners[2][1]) / 2


def _left_of(polygon: Sequence[Point], start: Point, end: Point) -> list[Point]:
    sides = [(end[0] - start[0]) * (y - start[1]) - (end[1] - start[1]) * (x - start[0]) for x, y in polygon]
    kept: list[Point] = []
    for i, (point, side) in enumerate(zip(polygon, sides, strict=True)):
        following, other = polygon[(i + 1) % len(polygon)], sides[(i + 1) % len(polygon)]
        if side >= 0:
            kept.append(point)
        if (side >= 0) != (other >= 0):
            share = side / (side - other)
            kept.append(tuple(p + share * (q - p) for p, q in zip(point, following, strict=True)))
    return kept


def _area(polygon: Sequence[Point]) -> float:
    return sum(x * v - u * y for (x, y), (u, v) in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True)) / 2


class BoxSubmission:
    """Collects the boxes of a data set's samples in nuScenes' format.

    @raises ValueError for a model without detection.
    """

    def __init__(self, manifest: Mapping[str, Any], score_threshold: float = SCORE_THRESHOLD):
        if "detection" not in manifest:
            raise ValueError("this network has no detection head: it has no boxes to write")
        self._decoder = BoxDecoder(manifest, score_threshold)
        self._names = [known["name"] for known in manifest["detection"]["classes"]]
        self._results: dict[str, list[dict[str, Any]]] = {}

    def add(self, record: SampleRecord, maps: Mapping[str, Tensor]) -> None:
        boxes = self._decoder.decode(maps)[:MAX_BOXES]
        self._results[record.token] = [self._row(record, box) for box in boxes]

    def write(self, path: Path) -> None:
        """@raises OSError if it can't be written; an earlier file is intact then."""
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps({"meta": META, "results": self._results}).encode())

    def _row(self, record: SampleRecord, box: DetectedBox) -> dict[str, Any]:
        """In the global frame."""
        turned = [math.cos(box.yaw / 2), 0, 0, math.sin(box.yaw / 2)]
        global_from_box = record.global_from_ego @ transform(turned, box.center)
        velocity = (record.global_from_ego[:3, :3] @ [*box.velocity, 0.0])[:2].tolist()
        length, width, height = box.size
        name = self._names[box.label]
        return {
            "sample_token": record.token,
            "translation": global_from_box[:3, 3].tolist(),
            "size": [width, length, height],
            "rotation": quaternion(global_from_box),
            "velocity": velocity,
            "detection_name": name,
            "detection_score": box.score,
            "attribute_name": attribute(name, math.hypot(*velocity)),
        }


def attribute(name: str, speed: float) -> str:
    """The network predicts none: guessed from class and speed, as the engine's submission does."""
    moves = speed > MOVING
    if name in ("barrier", "traffic_cone"):
        return ""
    if name == "pedestrian":
        return "pedestrian.moving" if moves else "pedestrian.standing"
    if name in ("bicycle", "motorcycle"):
        return "cycle.with_rider" if moves else "cycle.without_rider"
    if moves:
        return "vehicle.moving"
    return "vehicle.stopped" if name == "bus" else "vehicle.parked"
