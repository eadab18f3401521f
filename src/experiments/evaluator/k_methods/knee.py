"""The knee (elbow) of a falling curve."""

import numpy as np


def knee(x: np.ndarray, y: np.ndarray) -> int | None:
    """Return the index of the knee of a falling convex curve; None if it has none.

    Both axes are scaled to 0..1, and the knee is where the curve is farthest below the chord between its
    ends. It counts if that distance exceeds the mean step of x, which is Kneedle's threshold at sensitivity
    1 for a global maximum: a straight line has no knee. Kneedle's smoothing is omitted, as the curves here
    are means over all points.

    Parameters
    ----------
    x, y
        Float (m,), x ascending; three or more.

    Source
    ------
    Satopaa, Albrecht, Irwin, Raghavan, "Finding a Kneedle in a haystack", 2011.
    """
    if len(x) < 3 or not np.isfinite(y).all() or np.ptp(y) == 0:
        return None
    across = (x - x[0]) / (x[-1] - x[0])
    down = (y - y.min()) / np.ptp(y)
    below = 1 - across - down
    index = int(np.argmax(below))
    return index if below[index] > 1 / (len(x) - 1) else None
