"""The frame before, for networks with a memory."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .calibration import world_matrices


@dataclass(frozen=True)
class Previous:
    """Inputs of the network at the frame before that of B samples of N cameras, and how the vehicle moved since."""

    # float32 [B, N, 3, H, W], normalised.
    images: Tensor
    # float32 [B, N, h, w, 3] and [B, N, 3], ego frame of then.
    rays: Tensor
    origins: Tensor
    # bool [B, N]
    camera_mask: Tensor
    # float32 [B, N, 27] (bdc_training.calibration), augmented as the current frame's are.
    parameters: Tensor
    # float64 [B, 4, 4]: the ego frame now → the ego frame then, metres, of the world without augmentation.
    motion: Tensor
    # bool [B]: False for the first sample of a scene, whose other values here mean nothing.
    exists: Tensor
    previous: "Previous | None" = None

    @property
    def inputs(self) -> tuple["Tensor | Previous | None", ...]:
        """The network's arguments for the frame before."""
        return self.images, self.rays, self.origins, self.camera_mask, self.parameters, self.previous

    @property
    def planar_motion(self) -> Tensor:
        """float64 [B, 2, 3] for bdc_training.align_previous, in the augmented world."""
        world = world_matrices(self.parameters)
        return (world @ self.motion @ torch.linalg.inv(world))[:, :2][..., [0, 1, 3]]

    def to(self, device: torch.device) -> "Previous":
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Previous(**{name: None if value is None else value.to(device) for name, value in values.items()})
