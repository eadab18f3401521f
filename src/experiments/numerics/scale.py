"""Points of any size, computed at size 1: a power of two changes the exponents alone, and so no result.

float32 squares overflow beyond 1.8e19 and vanish below 1e-19, and libraries have absolute thresholds.
"""

import numpy as np

ORDINARY = 30  # powers of two around 1 within which squares of float32 keep their digits; left as they are


def exponents(points: np.ndarray, axis: int | None = None, ordinary: int = ORDINARY) -> np.ndarray:
    """Return the powers of two that the largest absolute values have, 0 for ordinary ones.

    Parameters
    ----------
    axis
        None: one for all points, shape (); 0: one per column, (1, p); 1: one per row, (n, 1).
    ordinary
        Exponents of at most this size count as 0.
    """
    if not points.size:
        return np.zeros((), np.int32)
    kept = axis is not None
    high, low = points.max(axis=axis, keepdims=kept), points.min(axis=axis, keepdims=kept)
    powers = np.frexp(np.maximum(np.abs(high), np.abs(low)))[1]
    return np.where(np.abs(powers) > ordinary, powers, 0).astype(np.int32)


def rescaled(points: np.ndarray, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the points at size 1 and the exponents that lead back: `np.ldexp(points, exponents)`.

    Ordinary points come back as they are, without a copy. `axis` as in `exponents`.
    """
    powers = exponents(points, axis)
    return (np.ldexp(points, -powers) if powers.any() else points), powers
