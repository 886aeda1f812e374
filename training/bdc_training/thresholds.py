"""sign(k·x + b) as a comparison of x with one number, exactly as float32 arithmetic rounds it."""

import numpy as np
from torch import Tensor

_MAX = np.finfo(np.float32).max


def sign_thresholds(scale: Tensor, bias: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Per channel (threshold t float32, direction int8): fl(fl(k·x) + b) ≥ 0 ⇔ x ≥ t (+1) or x ≤ t (−1), for finite x.

    Rounding is monotonic, so such a float32 exists: it is found by bisection over the ordered float32 numbers.
    """
    k = scale.detach().cpu().numpy().astype(np.float32)
    b = bias.detach().cpu().numpy().astype(np.float32)
    if not (np.isfinite(k).all() and np.isfinite(b).all()):
        raise ValueError("sign needs finite scales and biases; found inf or NaN: the training diverged")
    threshold = np.array([_threshold(kc, bc) for kc, bc in zip(k, b, strict=True)], dtype=np.float32)
    return threshold, np.where(k < 0, -1, 1).astype(np.int8)


def _threshold(k: np.float32, b: np.float32) -> np.float32:
    def positive(ordinal: int) -> bool:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return bool(np.float32(k * _from_ordinal(ordinal)) + b >= 0)

    if k < 0:
        return np.float32(-_threshold(np.float32(-k), b))
    low, high = _ordinal(-_MAX), _ordinal(_MAX)
    if positive(low):
        return np.float32(-np.inf)
    if not positive(high):
        return np.float32(np.inf)
    while high - low > 1:
        middle = (low + high) // 2
        if positive(middle):
            high = middle
        else:
            low = middle
    return _from_ordinal(high)


def _ordinal(x: float) -> int:
    """Position of a float32 in their order; −0 and +0 share one."""
    bits = int(np.float32(x).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _from_ordinal(ordinal: int) -> np.float32:
    magnitude = np.int32(abs(ordinal)).view(np.float32)
    return np.float32(magnitude if ordinal >= 0 else -magnitude)
