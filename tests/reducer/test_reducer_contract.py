"""What every reducer promises: each option of conf/reducer, and further settings of some."""

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

pytestmark = pytest.mark.xdist_group("umap")

X = load_digits().data.astype(np.float32)
PCA, UMAP = option("reducer", "pca"), option("reducer", "umap")
REDUCERS = [
    *every("reducer"),
    replace(PCA, standardize=False, whiten=True),
    Chain((("l2", L2()), ("pca", PCA))),
    Chain((("standardize", Standardize()), ("l2", L2()))),
    Chain((("pca", PCA), ("umap", UMAP))),
]
everyone = pytest.mark.parametrize("reducer", REDUCERS, ids=lambda one: type(one).__name__)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return a function: what a reducer fits to X, each once, and X so reduced."""

    def fit(reducer):
        key = digest(reducer)
        if key not in made:
            projection = reducer.fit(X, Context.plain(Store(tmp_path_factory.mktemp("cache"))))
            made[key] = projection, projection.transform(X)
        return made[key]

    made = {}
    return fit


@everyone
def test_gives_the_width_it_promised(reducer, fitted):
    _, reduced = fitted(reducer)
    assert reduced.shape == (len(X), reducer.width(*X.shape))
    assert reduced.dtype == np.float32


@everyone
def test_equal_stages_on_equal_input_give_equal_results(reducer, fitted, ctx):
    rows = X.copy()
    rows.flags.writeable = False
    np.testing.assert_array_equal(reducer.fit(rows, ctx).transform(rows), fitted(reducer)[1])
    np.testing.assert_array_equal(rows, X)  # and leave their input alone


@pytest.mark.parametrize("reducer", [one for one in REDUCERS if not getattr(one, "LEARNS", True)])
def test_one_that_looks_at_nothing_may_be_given_any_rows(reducer, ctx):
    assert (reducer.fit(X[:5], ctx).transform(X) == reducer.fit(X, ctx).transform(X)).all()


@everyone
def test_survives_being_kept(reducer, fitted, tmp_path):
    projection, reduced = fitted(reducer)
    projection.save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".npy", ".json"}  # nothing that could run
    again = type(projection).load(tmp_path)
    np.testing.assert_array_equal(again.transform(X), reduced)
    fresh = X[:20] + np.float32(0.01)
    np.testing.assert_array_equal(again.transform(fresh), projection.transform(fresh))


@everyone
def test_a_row_goes_to_one_place_whatever_comes_with_it(reducer, ctx):
    projection = reducer.fit(X[::2], ctx)
    together = projection.transform(X)
    alone = np.concatenate([projection.transform(X[row : row + 1]) for row in range(20)])
    np.testing.assert_allclose(together[:20], alone, atol=1e-4 * np.abs(together).max())


@everyone
def test_leaves_its_input_alone(reducer, fitted):
    rows = X[:50].copy()
    rows.flags.writeable = False
    fitted(reducer)[0].transform(rows)
    np.testing.assert_array_equal(rows, X[:50])


def test_every_setting_is_in_the_key():
    assert len({digest(reducer) for reducer in REDUCERS}) == len(REDUCERS)


def test_kept_projections_import_no_framework():
    code = (
        f"import sys, {', '.join({type(reducer).__module__ for reducer in REDUCERS})}; "
        "heavy = ('sklearn', 'scipy', 'faiss', 'pandas', 'umap', 'numba'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"
