"""Operations of the BDC unit fused for training on a CPU; bdc_training.binary and units have the plain versions."""

from .compiled_library import usable, usable_rows, usable_sums
from .operations import (
    gate_add,
    norm_prelu,
    norm_rprelu,
    norms,
    occupancy_sums,
    sign_activation,
    splat,
    taught_sums,
    weight_sign,
)

__all__ = [
    "gate_add",
    "norm_prelu",
    "norm_rprelu",
    "norms",
    "occupancy_sums",
    "sign_activation",
    "splat",
    "taught_sums",
    "usable",
    "usable_rows",
    "usable_sums",
    "weight_sign",
]
