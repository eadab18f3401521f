"""What every reducer promises."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from experiments.context import Context
from experiments.reducer.chain import Chain
from experiments.reducer.identity import Identity
from experiments.reducer.l2 import L2
from experiments.reducer.pca import Pca
from experiments.reducer.standardize import Standardize
from experiments.reducer.umap import Umap
from experiments.store.cache import Store
from experiments.store.values import digest

X = load_digits().data.astype(np.float32)
SHORT = Umap(4, 10, "cosine", min_dist=0.0, n_epochs=20, seed=0)
REDUCERS = [
    Identity(),
    Pca(8, True, False, 0),
    Pca(8, False, True, 0),
    L2(),
    Standardize(),
    SHORT,
    Chain({"pca": Pca(8, True, False, 0), "l2": L2()}),
    Chain({"l2": L2(), "pca": Pca(8, True, False, 0)}),
    Chain({"standardize": Standardize(), "l2": L2()}),
    Chain({"pca": Pca(20, True, False, 0), "umap": SHORT}),
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


@pytest.mark.parametrize("reducer", [one for one in REDUCERS if not getattr(one, "LOOKS", True)])
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
        "import sys, experiments.reducer.pca, experiments.reducer.identity, experiments.reducer.l2; "
        "import experiments.reducer.umap, experiments.reducer.chain; "
        "heavy = ('sklearn', 'scipy', 'faiss', 'pandas', 'umap', 'numba'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"
