"""The knee of curves whose knee is known."""

import numpy as np

from experiments.evaluator.k_methods.knee import knee


def test_the_knee_is_where_the_curve_bends():
    x = np.arange(1.0, 11)
    assert knee(x, np.array([100, 60, 30, 8, 7, 6, 5, 4, 3, 2.0])) == 3
    assert knee(x, 10 - x) is None
    assert knee(x, np.full(10, 3.0)) is None
    assert knee(x[:2], x[:2]) is None
