"""Chains of reducers: results, caching, saving, and the keys in their errors."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from tests.messages import says

from experiments.context import Context
from experiments.reducer.chain import Chain, ChainProjection
from experiments.reducer.identity import Identity
from experiments.reducer.l2 import L2
from experiments.reducer.pca import Pca
from experiments.store.cache import Store
from experiments.store.values import digest

X = load_digits().data.astype(np.float32)
PCA = Pca(10, True, False, 0)


def chain(**steps):
    return Chain(tuple(steps.items()))


def test_each_step_is_fitted_on_the_output_of_the_previous_one(ctx):
    reduced = chain(l2=L2(), pca=PCA).fit(X[:900], ctx).transform(X)
    unit = L2().fit(X, ctx).transform(X)
    expected = PCA.fit(unit[:900], ctx.with_input("by hand")).transform(unit)
    np.testing.assert_array_equal(reduced, expected)
    assert np.linalg.norm(chain(pca=PCA, l2=L2()).fit(X, ctx).transform(X), axis=1) == pytest.approx(1)


def test_the_order_of_steps_is_in_the_key():
    first, other = chain(l2=L2(), pca=PCA), chain(pca=PCA, l2=L2())
    assert digest(first) != digest(other)
    assert digest(first) == digest(chain(l2=L2(), pca=PCA))
    assert digest(first) != digest(chain(l2=L2(), pca=Pca(9, True, False, 0)))


def test_a_change_of_the_last_step_refits_only_that_step(ctx):
    chain(pca=PCA, l2=L2()).fit(X, ctx)
    before = list(ctx.store.computed)
    chain(pca=PCA, again=Pca(4, True, False, 0)).fit(X, ctx)
    new = [key.partition("-")[0] for key in ctx.store.computed[len(before) :]]
    assert new == ["pca", "pca"]  # the last step, and its decomposition
    assert len(before) == 3


def test_a_step_is_shared_with_runs_of_this_step_alone(ctx):
    ctx.fitted(PCA, lambda: PCA.fit(X, ctx))
    before = len(ctx.store.computed)
    chain(pca=PCA, l2=L2()).fit(X, ctx)
    assert [key.partition("-")[0] for key in ctx.store.computed[before:]] == ["l2"]


def test_equal_steps_on_different_input_are_fitted_separately(ctx):
    projection = chain(one=Pca(10, False, True, 0), two=Pca(10, False, True, 0)).fit(X, ctx)
    reduced = projection.transform(X)
    np.testing.assert_allclose(reduced.mean(axis=0), 0, atol=1e-3)
    assert not np.allclose(projection.steps[0].transform(X), reduced, atol=1e-2)


def test_a_disabled_cache_gives_the_same_result(tmp_path, ctx):
    reducer = chain(l2=L2(), pca=PCA)
    uncached = Context.plain(Store(tmp_path / "none", enabled=False))
    np.testing.assert_array_equal(reducer.fit(X, uncached).transform(X), reducer.fit(X, ctx).transform(X))


class RunsCode:
    """An object whose pickle creates a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize(
    "class_name",
    ["joblib:numpy_pickle", "nowhere:L2Projection", "pathlib:Path", "experiments.cluster.gmm:GmmClustering"],
)
def test_loading_runs_no_code_other_than_projections(tmp_path, class_name):
    """A folder may come from an untrusted source: joblib.numpy_pickle.load would run its code."""
    mark = tmp_path / "ran"
    (tmp_path / "0").write_bytes(pickle.dumps(RunsCode(mark)))
    (tmp_path / "steps.json").write_text(json.dumps([class_name]), encoding="utf-8")
    with pytest.raises(ValueError) as error:
        ChainProjection.load(tmp_path)
    assert str(tmp_path) in says(error, use=f" {class_name},")
    assert not mark.exists()


def test_a_saved_chain_is_loaded(tmp_path, ctx):
    projection = chain(l2=L2(), pca=PCA).fit(X, ctx)
    projection.save(tmp_path)
    np.testing.assert_array_equal(ChainProjection.load(tmp_path).transform(X), projection.transform(X))


def test_width_is_that_of_the_last_step_and_errors_name_the_step():
    with pytest.raises(ValueError, match="last") as error:
        chain(first=Pca(20, True, False, 0), l2=L2(), last=Pca(30, True, False, 0)).width(100, 64)
    says(error, key="reducer.last.n_components=30", use="reducer.last.n_components<=20")
    assert chain(first=Pca(20, True, False, 0), same=Identity()).width(100, 64) == 20


def test_a_step_may_occur_twice(ctx):
    steps = (("l2", L2()), ("pca", PCA), ("l2", L2()))
    reduced = Chain(steps).fit(X, ctx).transform(X)
    assert np.linalg.norm(reduced, axis=1) == pytest.approx(1)
    assert digest(Chain(steps)) != digest(Chain(steps[:2]))
