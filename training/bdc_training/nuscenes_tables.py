"""Reads the tables of a nuScenes v1.0 data set; everything comes out in the ego frame at the LiDAR's stamp."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from .lens import EquidistantLens, lens_of
from .rigid import invert, transform

# nuScenes' ten detection classes (the devkit's category_to_detection_name).
DETECTION_CLASS_OF_CATEGORY = {
    "movable_object.barrier": "barrier",
    "vehicle.bicycle": "bicycle",
    "vehicle.bus.bendy": "bus",
    "vehicle.bus.rigid": "bus",
    "vehicle.car": "car",
    "vehicle.construction": "construction_vehicle",
    "vehicle.motorcycle": "motorcycle",
    "human.pedestrian.adult": "pedestrian",
    "human.pedestrian.child": "pedestrian",
    "human.pedestrian.construction_worker": "pedestrian",
    "human.pedestrian.police_officer": "pedestrian",
    "movable_object.trafficcone": "traffic_cone",
    "vehicle.trailer": "trailer",
    "vehicle.truck": "truck",
}
# Longest time between two annotations that still gives a velocity (s), as the devkit's box_velocity.
MAX_VELOCITY_INTERVAL = 1.5


@dataclass(frozen=True)
class CameraRecord:
    path: Path
    # [3, 3], pixels; pixel (0, 0) is the centre of the top left pixel.
    intrinsics: np.ndarray
    # None: no distortion.
    lens: EquidistantLens | None
    # [4, 4]: optical frame at the image's stamp to ego frame at the LiDAR's stamp.
    ego_from_camera: np.ndarray


@dataclass(frozen=True)
class BoxRecord:
    """A box in the ego frame at the LiDAR's stamp: metres, radians, m/s (NaN where unknown)."""

    name: str
    center: tuple[float, float, float]
    # Length, width, height.
    size: tuple[float, float, float]
    yaw: float
    velocity: tuple[float, float]


@dataclass(frozen=True)
class SampleRecord:
    token: str
    scene: str
    # The token of the key frame before in the scene, "" for the first one.
    previous: str
    # Microseconds.
    timestamp: int
    # [4, 4], at the LiDAR's stamp.
    global_from_ego: np.ndarray
    cameras: dict[str, CameraRecord]
    lidar_path: Path
    ego_from_lidar: np.ndarray
    boxes: tuple[BoxRecord, ...]
    labels_path: Path


class Row(dict):
    """A row of a table; a field that it lacks is an error that names the table."""

    __slots__ = ("_path",)

    def __init__(self, path: Path, fields: dict):
        super().__init__(fields)
        self._path = path

    def __missing__(self, field: str) -> NoReturn:
        raise ValueError(f"{self._path}: row {self.get('token', '?')} has no field {field!r}; the table is damaged")


class Table(dict[str, Any]):
    """Rows, or what is derived from them, by token; a token that isn't there is an error that names the table."""

    def __init__(self, path: Path, rows: dict[str, Any]):
        super().__init__(rows)
        self._path = path

    def __missing__(self, token: str) -> NoReturn:
        raise ValueError(f"{self._path}: no row {token!r}, which another table points to; the data set is incomplete")


def read_table(path: Path) -> Table:
    """@raises ValueError if it isn't a JSON list of rows, OSError if it can't be read."""
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON; the file may be cut off ({error})") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path}: expected a list of rows")
    return Table(path, {row["token"]: row for row in (Row(path, row) for row in rows)})


class NuScenesTables:
    """The samples of one data set folder that holds exactly one version folder, `v1.0-*`.

    @raises ValueError for tables that are damaged, lack a field or point to rows that aren't there; OSError for missing
    ones. `samples` raises the same.
    """

    def __init__(self, root: Path):
        if not root.is_dir():
            raise ValueError(f"{root}: no such folder; expected a data set with the tables in v1.0-*")
        versions = sorted(p for p in root.glob("v1.0-*") if p.is_dir())
        if len(versions) != 1:
            found = ", ".join(p.name for p in versions) or "none"
            raise ValueError(f"{root}: expected one folder v1.0-* with the tables, found {found}")
        self._root = root
        self._folder = versions[0]
        self._poses = self._table("ego_pose")
        self._calibrations = self._table("calibrated_sensor")
        self._sensors = self._table("sensor")
        self._scenes = self._table("scene")
        self._samples = self._table("sample")
        self._annotations = self._table("sample_annotation")
        categories = self._table("category")
        self._category_of_instance = Table(
            self._folder / "instance.json",
            {token: categories[row["category_token"]]["name"] for token, row in self._table("instance").items()},
        )

    def samples(self) -> list[SampleRecord]:
        """Every key frame, in the table's order."""
        data: dict[str, dict[str, dict]] = {}
        for row in self._table("sample_data").values():
            if row["is_key_frame"]:
                calibration = self._calibrations[row["calibrated_sensor_token"]]
                channel = self._sensors[calibration["sensor_token"]]["channel"]
                data.setdefault(row["sample_token"], {})[channel] = row
        annotations: dict[str, list[dict]] = {}
        for row in self._annotations.values():
            annotations.setdefault(row["sample_token"], []).append(row)
        return [
            self._sample(row, data.get(token, {}), annotations.get(token, [])) for token, row in self._samples.items()
        ]

    def _sample(self, sample: dict, data: dict[str, dict], annotations: list[dict]) -> SampleRecord:
        token = sample["token"]
        if "LIDAR_TOP" not in data:
            raise ValueError(f"{self._folder}/sample_data.json: sample {token} has no key frame of LIDAR_TOP")
        lidar = data["LIDAR_TOP"]
        global_from_ego = self._pose(lidar)
        ego_from_global = invert(global_from_ego)
        scene = self._scenes[sample["scene_token"]]["name"]
        return SampleRecord(
            token=token,
            scene=scene,
            previous=sample["prev"],
            timestamp=sample["timestamp"],
            global_from_ego=global_from_ego,
            cameras={
                channel: CameraRecord(
                    path=self._root / row["filename"],
                    intrinsics=self._intrinsics(row),
                    lens=self._lens(row),
                    ego_from_camera=ego_from_global @ self._pose(row) @ self._mount(row),
                )
                for channel, row in data.items()
                if channel.startswith("CAM_")
            },
            lidar_path=self._root / lidar["filename"],
            ego_from_lidar=self._mount(lidar),
            boxes=tuple(box for row in annotations if (box := self._box(row, ego_from_global)) is not None),
            labels_path=self._root / "gts" / scene / token / "labels.npz",
        )

    def _box(self, row: dict, ego_from_global: np.ndarray) -> BoxRecord | None:
        """None for categories without a detection class and for objects without a single LiDAR or radar return."""
        name = DETECTION_CLASS_OF_CATEGORY.get(self._category_of_instance[row["instance_token"]])
        if name is None or row["num_lidar_pts"] + row["num_radar_pts"] == 0:
            return None
        ego_from_box = ego_from_global @ self._transform("sample_annotation", row)
        width, length, height = row["size"]
        if not all(0 < side < math.inf for side in row["size"]):
            raise ValueError(
                f"{self._folder}/sample_annotation.json: row {row['token']} needs sides above 0 m; found {row['size']}"
            )
        velocity = ego_from_global[:3, :3] @ np.array([*self._velocity(row), 0.0])
        return BoxRecord(
            name=name,
            center=tuple(ego_from_box[:3, 3].tolist()),
            size=(length, width, height),
            yaw=math.atan2(ego_from_box[1, 0], ego_from_box[0, 0]),
            velocity=(float(velocity[0]), float(velocity[1])),
        )

    def _velocity(self, row: dict) -> tuple[float, float]:
        """m/s in the global frame: the row's own `velocity` (single-frame scenes of the simulator), else from the
        object's previous and next annotation, NaN without either."""
        if "velocity" in row:
            return row["velocity"][0], row["velocity"][1]
        first = self._annotations[row["prev"]] if row["prev"] else row
        last = self._annotations[row["next"]] if row["next"] else row
        seconds = 1e-6 * (self._stamp(last) - self._stamp(first))
        limit = MAX_VELOCITY_INTERVAL * (2 if row["prev"] and row["next"] else 1)
        if not 0 < seconds <= limit:
            return math.nan, math.nan
        return tuple((last["translation"][i] - first["translation"][i]) / seconds for i in (0, 1))

    def _stamp(self, annotation: dict) -> int:
        return self._samples[annotation["sample_token"]]["timestamp"]

    def _calibration(self, row: dict) -> dict:
        return self._calibrations[row["calibrated_sensor_token"]]

    def _intrinsics(self, row: dict) -> np.ndarray:
        calibration = self._calibration(row)
        matrix = calibration["camera_intrinsic"]
        if np.shape(matrix) != (3, 3) or not np.isfinite(matrix).all():
            raise ValueError(
                f"{self._folder}/calibrated_sensor.json: row {calibration['token']} needs a finite camera_intrinsic of "
                f"3×3; found {matrix}"
            )
        return np.array(matrix, dtype=np.float64)

    def _lens(self, row: dict) -> EquidistantLens | None:
        """nuScenes' images have no distortion; the simulator's fisheyes tell theirs (docs/simulation.md)."""
        calibration = self._calibration(row)
        try:
            return lens_of(calibration.get("distortion_model", "none"), calibration.get("distortion", []))
        except ValueError as error:
            raise ValueError(f"{self._folder}/calibrated_sensor.json: row {calibration['token']}: {error}") from error

    def _mount(self, row: dict) -> np.ndarray:
        return self._transform("calibrated_sensor", self._calibration(row))

    def _pose(self, row: dict) -> np.ndarray:
        return self._transform("ego_pose", self._poses[row["ego_pose_token"]])

    def _transform(self, table: str, row: dict) -> np.ndarray:
        try:
            return transform(row["rotation"], row["translation"])
        except ValueError as error:
            raise ValueError(f"{self._folder}/{table}.json: row {row['token']}: {error}") from error

    def _table(self, name: str) -> "Table":
        return read_table(self._folder / f"{name}.json")
