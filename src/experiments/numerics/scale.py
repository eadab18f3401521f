"""Scale points to about 1 by a power of two, which changes exponents only and loses no digits.

float32 squares overflow beyond 1.8e19 and vanish below 1e-19, and libraries have absolute thresholds.
"""

import numpy as np

BATCH = 16_384  # rows scaled to length 1 at a time
ORDINARY = 30  # exponents up to this size need no scaling: float32 squares lose no digits


def exponents(points: np.ndarray, axis: int | None = None, ordinary: int = ORDINARY) -> np.ndarray:
    """Return the binary exponents of the largest absolute values, 0 for ordinary ones.

    Parameters
    ----------
    axis
        None: one for all points, shape (); 0: one per column, (1, p); 1: one per row, (n, 1).
    ordinary
        Largest absolute exponent that counts as 0.
    """
    if not points.size:
        return np.zeros((), np.int32)
    keep = axis is not None
    high, low = points.max(axis=axis, keepdims=keep), points.min(axis=axis, keepdims=keep)
    powers = np.frexp(np.maximum(np.abs(high), np.abs(low)))[1]
    return np.where(np.abs(powers) > ordinary, powers, 0).astype(np.int32)


def rescaled(points: np.ndarray, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return points scaled to about 1, and the exponents that undo it: `np.ldexp(points, exponents)`.

    Points of ordinary size are returned unchanged, without a copy. `axis` as in `exponents`.
    """
    powers = exponents(points, axis)
    return (np.ldexp(points, -powers) if powers.any() else points), powers


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Return float32 (n, d) rows divided by their Euclidean lengths; rows of zeros stay zero."""
    scaled = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), BATCH):
        batch = np.asarray(rows[start : start + BATCH], np.float64)  # squares of float32 overflow
        lengths = np.sqrt(np.einsum("nd,nd->n", batch, batch))[:, None]
        scaled[start : start + BATCH] = batch / np.where(lengths > 0, lengths, 1)
    return scaled
