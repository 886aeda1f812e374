"""What a network says of one sample."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    # Classes, uint8 [nx, ny, nz].
    labels: np.ndarray
    # The detection head's maps by role, [c, ny, nx] each; empty without one.
    maps: Mapping[str, Tensor]
