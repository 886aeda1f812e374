"""Operations of the BDC unit fused for training on a CPU; bdc_training.binary and units have the plain versions."""

from .library import usable
from .operations import gate_add, norm_rprelu, sign_activation

__all__ = ["gate_add", "norm_rprelu", "sign_activation", "usable"]
