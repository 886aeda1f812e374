"""What nuscenes-devkit makes of a simulated data set's geometry: python devkit_geometry.py ROOT PICTURE, one JSON object."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import numpy as np
from nuscenes import NuScenes
from nuscenes.utils.data_classes import LidarPointCloud
from nuscenes.utils.geometry_utils import BoxVisibility, points_in_box, view_points
from pyquaternion import Quaternion

root, picture = sys.argv[1:]
nusc = NuScenes(version="v1.0-sim", dataroot=root, verbose=False)
counts = {"boxes": 0, "returns": 0, "returns_inside": 0, "pixels": 0, "pixels_inside": 0, "velocities": 0}
largest_velocity_error = 0.0
for sample in nusc.sample:
    path, boxes, _ = nusc.get_sample_data(sample["data"]["LIDAR_TOP"])
    points = LidarPointCloud.from_file(path).points[:3]
    for box in boxes:
        annotation = nusc.get("sample_annotation", box.token)
        inside = points_in_box(box, points, wlh_factor=1.1)
        counts["boxes"] += 1
        counts["returns"] += annotation["num_lidar_pts"]
        counts["returns_inside"] += min(int(inside.sum()), annotation["num_lidar_pts"])
        derived = nusc.box_velocity(box.token)[:2]
        if not np.isnan(derived).any():
            counts["velocities"] += 1
            error = float(np.linalg.norm(derived - annotation["velocity"]))
            largest_velocity_error = max(largest_velocity_error, error)
    # Returns of a box, brought into a camera by the devkit's chain of poses, lie where the box lies in its image.
    lidar_boxes = {box.token: box for box in boxes}
    for channel in (name for name in sample["data"] if name.startswith("CAM_")):
        token = sample["data"][channel]
        _, camera_boxes, intrinsics = nusc.get_sample_data(token, box_vis_level=BoxVisibility.ALL)
        data, lidar = nusc.get("sample_data", token), nusc.get("sample_data", sample["data"]["LIDAR_TOP"])
        cloud = LidarPointCloud(np.vstack([points, np.zeros(points.shape[1])]))
        for row, back in ((lidar, False), (data, True)):
            calibration = nusc.get("calibrated_sensor", row["calibrated_sensor_token"])
            pose = nusc.get("ego_pose", row["ego_pose_token"])
            for place in (pose, calibration) if back else (calibration, pose):
                matrix = Quaternion(place["rotation"]).rotation_matrix
                if back:
                    cloud.translate(-np.array(place["translation"]))
                    cloud.rotate(matrix.T)
                else:
                    cloud.rotate(matrix)
                    cloud.translate(np.array(place["translation"]))
        for box in camera_boxes:
            mask = points_in_box(lidar_boxes[box.token], points)
            if not mask.any():
                continue
            corners = view_points(box.corners(), intrinsics, normalize=True)[:2]
            pixels = view_points(cloud.points[:3, mask], intrinsics, normalize=True)[:2]
            low, high = corners.min(axis=1, keepdims=True) - 1, corners.max(axis=1, keepdims=True) + 1
            counts["pixels"] += pixels.shape[1]
            counts["pixels_inside"] += int(((pixels >= low) & (pixels <= high)).all(axis=0).sum())
nusc.render_sample_data(nusc.sample[0]["data"]["CAM_FRONT"], out_path=picture, verbose=False)
json.dump({**counts, "largest_velocity_error": largest_velocity_error}, sys.stdout)
