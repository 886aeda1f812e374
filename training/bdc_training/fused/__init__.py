"""Operations of the BDC unit fused for training on a CPU; the plain versions in bdc_training.binary and units say what they compute."""

from .library import usable
from .operations import gate_add, norm_rprelu, sign_activation

__all__ = ["gate_add", "norm_rprelu", "sign_activation", "usable"]
