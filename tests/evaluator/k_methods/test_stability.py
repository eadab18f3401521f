"""Agreement of clusterings."""

import numpy as np

from experiments.evaluator.k_methods.stability import agreement


def test_agreement_is_computed_on_common_rows():
    rows = np.arange(6)
    halves = np.array([0, 0, 0, 1, 1, 1])
    assert agreement([(rows, halves), (rows, 1 - halves)]) == 1
    assert agreement([(rows[:4], halves[:4]), (rows[2:], 7 - halves[2:])]) == 1
    assert agreement([(rows, halves), (rows, np.array([0, 1, 0, 1, 0, 1]))]) < 0.1
    assert np.isnan(agreement([(rows, halves)]))
