"""Where a falling curve bends most: the elbow, found and not only drawn."""

import numpy as np


def knee(x: np.ndarray, y: np.ndarray) -> int | None:
    """Return the position of the knee of a falling convex curve; None where it has none.

    Both axes are brought to 0..1, and the knee is where the curve lies farthest below the chord between its
    ends. It counts if that is more than the mean step of x, which is Kneedle's threshold at sensitivity 1
    for a global maximum: a straight line has no knee. The curves here are means over all points, so
    Kneedle's smoothing is left out.

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
    deepest = int(np.argmax(below))
    return deepest if below[deepest] > 1 / (len(x) - 1) else None
