"""Contents of vectors: selection of rows, and errors that suggest a backbone."""

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.vectors.content import Vectors
from experiments.numerics.hashes import hash_rows
from experiments.samples import Resize


def of(values):
    return Vectors(values, hash_rows(values))


def test_take_selects_rows():
    values = np.random.default_rng(0).random((5, 3), np.float32)
    np.testing.assert_array_equal(of(values).take(np.array([3])).vectors(), values[[3]])


def test_vectors_have_no_pixels(ctx):
    content = of(np.zeros((1, 1), np.float32))
    with pytest.raises(ValueError) as error:
        content.dimensions()
    says(error, key="vectors", use="width and height")
    with pytest.raises(ValueError) as error:
        content.pixels(Resize(8), ctx)
    says(error, key="vectors", use="backbone=identity")
