"""What every reducer promises."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from experiments.cache import Store
from experiments.reducer.identity import Identity
from experiments.reducer.pca import Pca
from experiments.types import Context, digest

X = load_digits().data.astype(np.float32)
REDUCERS = [Identity(), Pca(8, True, False, 0), Pca(8, False, True, 0)]
everyone = pytest.mark.parametrize("reducer", REDUCERS, ids=str)


@everyone
def test_gives_the_width_it_promised(reducer, ctx):
    reduced = reducer.fit(X, ctx).transform(X)
    assert reduced.shape == (len(X), reducer.width(*X.shape))
    assert reduced.dtype == np.float32


@everyone
def test_equal_stages_on_equal_input_give_equal_results(reducer, tmp_path):
    contexts = [Context.plain(Store(tmp_path / name)) for name in "ab"]
    first, second = (reducer.fit(X.copy(), ctx).transform(X) for ctx in contexts)
    np.testing.assert_array_equal(first, second)


@everyone
def test_survives_being_kept(reducer, ctx, tmp_path):
    projection = reducer.fit(X, ctx)
    projection.save(tmp_path)
    again = type(projection).load(tmp_path)
    np.testing.assert_array_equal(again.transform(X), projection.transform(X))


@everyone
def test_leaves_its_input_alone(reducer, ctx):
    rows = X.copy()
    rows.flags.writeable = False
    reducer.fit(rows, ctx).transform(rows)
    np.testing.assert_array_equal(rows, X)


def test_every_setting_is_in_the_key():
    assert len({digest(reducer) for reducer in REDUCERS}) == len(REDUCERS)


def test_kept_projections_import_no_framework():
    code = (
        "import sys, experiments.reducer.pca, experiments.reducer.identity; "
        "print([name for name in ('sklearn', 'scipy', 'faiss', 'pandas') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
