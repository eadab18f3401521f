"""The contract of reducers: every option of conf/reducer, some with further settings."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from tests.options import every, option

from experiments.context import Context
from experiments.reducer.chain import Chain
from experiments.reducer.l2 import L2
from experiments.reducer.standardize import Standardize
from experiments.store.cache import Store
from experiments.store.values import digest

pytestmark = [pytest.mark.umap, pytest.mark.slow]

X = load_digits().data.astype(np.float32)
PCA, UMAP = option("reducer", "pca"), option("reducer", "umap")
REDUCERS = [
    *every("reducer"),
    replace(PCA, standardize=False, whiten=True),
    Chain((("l2", L2()), ("pca", PCA))),
    Chain((("standardize", Standardize()), ("l2", L2()))),
    Chain((("pca", PCA), ("umap", UMAP))),
]
every_reducer = pytest.mark.parametrize("reducer", REDUCERS, ids=lambda reducer: type(reducer).__name__)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return a function: reducer -> its projection fitted on X, and X reduced; each computed once."""

    def fit(reducer):
        key = digest(reducer)
        if key not in results:
            projection = reducer.fit(X, Context.plain(Store(tmp_path_factory.mktemp("cache"))))
            results[key] = projection, projection.transform(X)
        return results[key]

    results = {}
    return fit


@every_reducer
def test_width_is_the_width_of_the_output(reducer, fitted):
    _, reduced = fitted(reducer)
    assert reduced.shape == (len(X), reducer.width(*X.shape))
    assert reduced.dtype == np.float32


@every_reducer
def test_equal_stages_on_equal_input_give_equal_results(reducer, fitted, ctx):
    rows = X.copy()
    rows.flags.writeable = False
    np.testing.assert_array_equal(reducer.fit(rows, ctx).transform(rows), fitted(reducer)[1])
    np.testing.assert_array_equal(rows, X)  # the input is unchanged


@pytest.mark.parametrize("reducer", [reducer for reducer in REDUCERS if not getattr(reducer, "LEARNS", True)])
def test_a_reducer_that_learns_nothing_ignores_the_fitted_rows(reducer, ctx):
    assert (reducer.fit(X[:5], ctx).transform(X) == reducer.fit(X, ctx).transform(X)).all()


@every_reducer
def test_is_the_same_after_saving_and_loading(reducer, fitted, tmp_path):
    projection, reduced = fitted(reducer)
    projection.save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".npy", ".json"}  # no executable content
    again = type(projection).load(tmp_path)
    np.testing.assert_array_equal(again.transform(X), reduced)
    fresh = X[:20] + np.float32(0.01)
    np.testing.assert_array_equal(again.transform(fresh), projection.transform(fresh))


@every_reducer
def test_the_output_of_a_row_does_not_depend_on_other_rows(reducer, ctx):
    projection = reducer.fit(X[::2], ctx)
    together = projection.transform(X)
    alone = np.concatenate([projection.transform(X[row : row + 1]) for row in range(20)])
    np.testing.assert_allclose(together[:20], alone, atol=1e-4 * np.abs(together).max())


@every_reducer
def test_does_not_change_its_input(reducer, fitted):
    rows = X[:50].copy()
    rows.flags.writeable = False
    fitted(reducer)[0].transform(rows)
    np.testing.assert_array_equal(rows, X[:50])


def test_every_setting_is_in_the_key():
    assert len({digest(reducer) for reducer in REDUCERS}) == len(REDUCERS)


def test_saved_projections_import_no_framework():
    code = (
        f"import sys, {', '.join({type(reducer).__module__ for reducer in REDUCERS})}; "
        "heavy = ('sklearn', 'scipy', 'faiss', 'pandas', 'umap', 'numba'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"
