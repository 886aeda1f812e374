"""A data set of a few samples in nuScenes + Occ3D layout: two cameras, a street, a car and a pedestrian."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bdc_training.rigid import apply, invert, transform
from bdc_training.sample_spec import SampleSpec

CAMERAS = ("CAM_FRONT", "CAM_BACK")
WIDTH, HEIGHT = 64, 32
FOCAL = 40.0
# Rows z-forward optical axes to ego x-forward: quaternion (w, x, y, z) of yaw · optical-to-base.
LIDAR_MOUNT = ([1.0, 0.0, 0.0, 0.0], [0.9, 0.0, 1.8])
CATEGORIES = ("vehicle.car", "human.pedestrian.adult", "animal")

SPEC = SampleSpec(
    width=WIDTH,
    height=HEIGHT,
    stride=16,
    camera_names=CAMERAS,
    grid_min=(-40.0, -40.0, -1.0),
    grid_max=(40.0, 40.0, 5.4),
    grid_shape=(50, 50, 4),
    depths=tuple(float(d) for d in range(1, 41, 2)),
    detection_classes=("car", "pedestrian"),
)


def camera_mount(name: str) -> tuple[list[float], list[float]]:
    """Quaternion (w, x, y, z) and translation of the optical frame in the ego frame."""
    yaw = {"CAM_FRONT": 0.1, "CAM_BACK": math.pi - 0.2}[name]
    # Optical z → ego x, x → −y, y → −z, then turned by the yaw.
    base = np.array([0.5, -0.5, 0.5, -0.5])
    w, z = math.cos(yaw / 2), math.sin(yaw / 2)
    w0, x0, y0, z0 = base
    turned = [w * w0 - z * z0, w * x0 - z * y0, w * y0 + z * x0, w * z0 + z * w0]
    return turned, [1.5 if name == "CAM_FRONT" else -0.5, 0.2, 1.5]


def intrinsics() -> list[list[float]]:
    return [[FOCAL, 0.0, (WIDTH - 1) / 2], [0.0, FOCAL, (HEIGHT - 1) / 2], [0.0, 0.0, 1.0]]


def ego_pose(seconds: float) -> tuple[list[float], list[float]]:
    """The vehicle drives 5 m/s along its yaw of 0.5 rad, far from the global origin."""
    yaw = 0.5
    place = [600 + 5 * seconds * math.cos(yaw), 1600 + 5 * seconds * math.sin(yaw), 0.0]
    return [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)], place


def box_in_ego(name: str, sample: int) -> dict:
    if name == "vehicle.car":
        return {"center": [12.3 + sample, 3.1, 0.8], "lwh": [4.4, 1.8, 1.6], "yaw": 0.3}
    return {"center": [9.2, -4.4, 0.9], "lwh": [0.6, 0.7, 1.8], "yaw": -2.0}


def street_labels(sample: int) -> tuple[np.ndarray, np.ndarray]:
    """Semantics and camera visibility, [200][200][16]: road between sidewalks, the car, unseen far corners."""
    semantics = np.full((200, 200, 16), 17, dtype=np.uint8)
    semantics[:, :, 2] = 13
    semantics[:, 80:120, 2] = 11
    x, y, _ = box_in_ego("vehicle.car", sample)["center"]
    i, j = int((x + 40) / 0.4), int((y + 40) / 0.4)
    semantics[i - 5 : i + 5, j - 2 : j + 2, 3:7] = 4
    visible = np.ones_like(semantics)
    visible[:20, :20] = 0
    return semantics, visible


def write_tiny_dataset(root: Path, samples: int = 2) -> None:
    tables: dict[str, list[dict]] = {
        name: []
        for name in ("sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor", "scene", "sample_annotation")
    }
    tables["category"] = [{"token": name, "name": name} for name in CATEGORIES]
    tables["instance"] = [{"token": f"instance-{name}", "category_token": name} for name in CATEGORIES]
    tables["scene"].append({"token": "scene", "name": "scene-0001"})
    for channel in (*CAMERAS, "LIDAR_TOP"):
        rotation, translation = LIDAR_MOUNT if channel == "LIDAR_TOP" else camera_mount(channel)
        tables["sensor"].append({"token": channel, "channel": channel})
        tables["calibrated_sensor"].append(
            {
                "token": f"calibration-{channel}",
                "sensor_token": channel,
                "rotation": rotation,
                "translation": translation,
                "camera_intrinsic": [] if channel == "LIDAR_TOP" else intrinsics(),
            }
        )
    for sample in range(samples):
        _write_sample(root, tables, sample, samples)
    folder = root / "v1.0-tiny"
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows))


def edit_table(root: Path, name: str, change: Callable[[dict], dict]) -> None:
    path = root / "v1.0-tiny" / f"{name}.json"
    path.write_text(json.dumps([change(row) for row in json.loads(path.read_text())]))


def _write_sample(root: Path, tables: dict[str, list[dict]], sample: int, samples: int) -> None:
    token, seconds = f"sample-{sample}", 0.5 * sample
    rng = np.random.default_rng(sample)
    tables["sample"].append(
        {
            "token": token,
            "scene_token": "scene",
            "timestamp": int(seconds * 1e6),
            "prev": f"sample-{sample - 1}" if sample > 0 else "",
        }
    )
    # The cameras expose at other times than the LiDAR turns, as in nuScenes.
    for channel, delay in (("LIDAR_TOP", 0.0), ("CAM_FRONT", 0.02), ("CAM_BACK", -0.03)):
        rotation, translation = ego_pose(seconds + delay)
        pose = f"pose-{channel}-{sample}"
        tables["ego_pose"].append({"token": pose, "rotation": rotation, "translation": translation})
        filename = f"samples/{channel}/{sample}" + (".pcd.bin" if channel == "LIDAR_TOP" else ".png")
        tables["sample_data"].append(
            {
                "token": f"{channel}-{sample}",
                "sample_token": token,
                "ego_pose_token": pose,
                "calibrated_sensor_token": f"calibration-{channel}",
                "is_key_frame": True,
                "filename": filename,
            }
        )
        path = root / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        if channel == "LIDAR_TOP":
            _points(rng).tofile(path)
        else:
            Image.fromarray(rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)).save(path)
    global_from_ego = transform(*ego_pose(seconds))
    for name in CATEGORIES:
        box = box_in_ego(name, sample)
        length, width, height = box["lwh"]
        # The ego's yaw of 0.5 rad adds to the box's.
        yaw = box["yaw"] + 0.5
        tables["sample_annotation"].append(
            {
                "token": f"{name}-{sample}",
                "sample_token": token,
                "instance_token": f"instance-{name}",
                "translation": apply(global_from_ego, np.array([box["center"]]))[0].tolist(),
                "size": [width, length, height],
                "rotation": [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)],
                "prev": f"{name}-{sample - 1}" if sample > 0 else "",
                "next": f"{name}-{sample + 1}" if sample + 1 < samples else "",
                "num_lidar_pts": 5,
                "num_radar_pts": 0,
            }
        )
    semantics, visible = street_labels(sample)
    labels = root / "gts" / "scene-0001" / token
    labels.mkdir(parents=True)
    np.savez_compressed(labels / "labels.npz", semantics=semantics, mask_lidar=visible, mask_camera=visible)


def _points(rng: np.random.Generator) -> np.ndarray:
    """Returns from two walls, 15 m ahead of and behind the vehicle, in the LiDAR's frame."""
    ego = np.stack(
        [rng.choice([-15.0, 15.0], 400), rng.uniform(-12, 12, 400), rng.uniform(0, 4, 400)],
        axis=1,
    )
    points = apply(invert(transform(*LIDAR_MOUNT)), ego)
    return np.concatenate([points, np.zeros((400, 2))], axis=1).astype(np.float32)
