"""A network for tiny_dataset that trains in seconds."""

from pathlib import Path

import yaml
from tiny_dataset import CAMERAS, HEIGHT, SPEC, WIDTH


def write_tiny_config(path: Path, **changes: object) -> None:
    """`changes` are whole sections."""
    config = {
        "name": "tiny",
        "input": {"width": WIDTH, "height": HEIGHT, "camera_names": list(CAMERAS)},
        "grid": {"min": list(SPEC.grid_min), "max": list(SPEC.grid_max), "shape": [100, 100, 8]},
        "image_encoder": {"stem": 8, "channels": [8, 16, 32], "depth": 1},
        "view_transformer": {"first_depth": 1.0, "depth_step": 2.0, "depth_bins": 20, "context_channels": 16},
        "bev_encoder": {"channels": [32, 64], "out_channels": 32},
        "training": {
            "learning_rate": 0.01,
            "warmup_steps": 5,
            "log_every": 3,
            "validate_every": 10,
            "checkpoint_every": 100,
        },
    }
    path.write_text(yaml.safe_dump(config | changes))
