"""nuscenes-devkit's own evaluation of a submission: python devkit_metrics.py ROOT VERSION SPLIT RESULTS, one JSON object."""

import json
import sys
import tempfile

from nuscenes import NuScenes
from nuscenes.eval.common.config import config_factory
from nuscenes.eval.detection.evaluate import DetectionEval

root, version, split, results = sys.argv[1:]
nusc = NuScenes(version=version, dataroot=root, verbose=False)
with tempfile.TemporaryDirectory() as folder:
    evaluation = DetectionEval(
        nusc, config_factory("detection_cvpr_2019"), results, eval_set=split, output_dir=folder, verbose=False
    )
    metrics = evaluation.evaluate()[0].serialize()
# Boxes and images go through the devkit's own loaders too.
for sample in nusc.sample:
    for channel, token in sample["data"].items():
        path, boxes, intrinsics = nusc.get_sample_data(token)
        open(path, "rb").close()
        assert (intrinsics is None) == (channel == "LIDAR_TOP")
json.dump({**metrics, "samples": len(nusc.sample), "annotations": len(nusc.sample_annotation)}, sys.stdout)
