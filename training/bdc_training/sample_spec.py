"""What the network wants of a sample: image size, cameras, grids, depth bins."""

import hashlib
import json
from dataclasses import asdict, dataclass

# Voxels no camera sees; cross_entropy skips them.
UNSEEN = 255
# Of the arrays of a prepared sample: another number, another cache folder.
LAYOUT = 2


@dataclass(frozen=True)
class SampleSpec:
    """Lengths in metres, image sizes in pixels of the network's input."""

    width: int
    height: int
    # Feature cells are `stride` pixels wide and high.
    stride: int
    camera_names: tuple[str, ...]
    grid_min: tuple[float, float, float]
    grid_max: tuple[float, float, float]
    # Voxels along x, y, z.
    grid_shape: tuple[int, int, int]
    # Bin centres along the optical axis, ascending.
    depths: tuple[float, ...]
    detection_classes: tuple[str, ...]
    # Of a network without occupancy head no labels are read, whose range its grid needn't be: all voxels are UNSEEN.
    has_labels: bool = True

    @property
    def feature_shape(self) -> tuple[int, int]:
        """Rows and columns of the feature map of one image."""
        return self.height // self.stride, self.width // self.stride

    def digest(self) -> str:
        """Names the cache folder: samples prepared for another spec are never read by mistake."""
        return hashlib.sha256(json.dumps({**asdict(self), "layout": LAYOUT}, sort_keys=True).encode()).hexdigest()[:16]
