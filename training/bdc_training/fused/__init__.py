"""Operations of the BDC unit fused for training on a CPU; bdc_training.binary and units have the plain versions."""

from .library import usable, usable_rows
from .operations import gate_add, norm_rprelu, sign_activation, splat

__all__ = ["gate_add", "norm_rprelu", "sign_activation", "splat", "usable", "usable_rows"]
