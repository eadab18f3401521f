"""UMAP agrees with umap-learn on scikit-learn's 1,797 scanned digits."""

from dataclasses import replace

import numba
import numpy as np
import pytest
import umap
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from tests.messages import says

from experiments.context import Context
from experiments.numerics.nearest import nearest
from experiments.reducer.umap import Umap, UmapProjection
from experiments.store.cache import Store

pytestmark = [pytest.mark.umap, pytest.mark.slow]

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)
TEST = np.arange(len(X)) % 5 == 0
STAGE = Umap(5, 10, "cosine", min_dist=0.0, n_epochs=60, seed=0)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> UmapProjection:
    return STAGE.fit(X[~TEST], Context.plain(Store(tmp_path_factory.mktemp("cache"))))


def nearest_columns(distances, count):
    return np.argsort(distances, axis=1, kind="stable")[:, :count].astype(np.int32)


def take_columns(distances, near, count):
    return np.take_along_axis(distances, near[:, :count].astype(np.int64), axis=1)


def test_fitted_rows_get_the_positions_of_umap_learn(fitted):
    rows = X[~TEST]
    model = umap.UMAP(
        n_components=5, n_neighbors=10, metric="cosine", min_dist=0.0, n_epochs=60, random_state=0, n_jobs=1,
        precomputed_knn=nearest(rows, rows, 10, "cosine"),
    ).fit(rows)  # fmt: skip
    np.testing.assert_array_equal(fitted.transform(X)[~TEST], model.embedding_)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_array_equal(fitted.transform(rows[order]), model.embedding_[order])


def test_new_rows_are_near_rows_of_their_class(fitted):
    reduced = fitted.transform(X)
    classifier = KNeighborsClassifier(5).fit(reduced[~TEST], LABELS[~TEST])
    assert classifier.score(reduced[TEST], LABELS[TEST]) > 0.93


def test_new_rows_are_near_the_positions_of_umap_learn(fitted, monkeypatch):
    """They differ by the random numbers, and by the effect of other rows of the batch in umap-learn.

    numpy replaces two functions that numba would compile for ten seconds.
    """
    monkeypatch.setattr(umap.umap_, "fast_knn_indices", nearest_columns)
    monkeypatch.setattr(umap.umap_, "submatrix", take_columns)
    rows = X[~TEST][:600]
    model = umap.UMAP(
        n_components=5, n_neighbors=10, metric="cosine", min_dist=0.0, n_epochs=300, random_state=0, n_jobs=1
    ).fit(rows)
    same = replace(fitted, rows=rows, positions=model.embedding_, a=float(model._a), b=float(model._b))
    differences = np.linalg.norm(same.transform(X[TEST]) - model.transform(X[TEST]), axis=1)
    assert np.median(differences) < 0.2 * model.embedding_.std(axis=0).mean()


def test_a_rounded_row_is_the_fitted_row(fitted):
    """The last digits of an embedding depend on the other rows of its batch."""
    rounded = X[~TEST][:100] * np.float32(1 + 1e-6)
    assert not np.array_equal(rounded, X[~TEST][:100])
    np.testing.assert_array_equal(fitted.transform(rounded), fitted.positions[:100])


def test_a_seed_repeats_bitwise_and_another_differs(fitted, ctx):
    np.testing.assert_array_equal(STAGE.fit(X[~TEST].copy(), ctx).positions, fitted.positions)
    assert not np.array_equal(replace(STAGE, seed=1).fit(X[~TEST], ctx).positions, fitted.positions)


def test_the_number_of_threads_is_restored(ctx):
    before = numba.get_num_threads()
    replace(STAGE, n_epochs=1).fit(X[:200], replace(ctx, threads=1)).transform(X[200:220])
    assert numba.get_num_threads() == before


def test_equal_rows_are_fitted_as_one(ctx):
    rows = np.concatenate([X[:300], X[:50], X[:50] * np.float32(-0.0)])
    projection = STAGE.fit(rows, ctx)
    assert len(projection.rows) == 301
    reduced = projection.transform(rows)
    np.testing.assert_array_equal(reduced[300:350], reduced[:50])
    assert len(np.unique(reduced[350:], axis=0)) == 1
    assert np.isfinite(reduced).all()


@pytest.mark.parametrize("n", [7, 12, 40])
def test_few_rows_are_reduced(ctx, n):
    reduced = (
        replace(STAGE, n_components=4, n_neighbors=5).fit(X[:n], ctx.with_input(str(n))).transform(X[: n + 3])
    )
    assert reduced.shape == (n + 3, 4)
    assert np.isfinite(reduced).all()


def test_too_few_rows_suggest_settings(ctx):
    for stage, n, key, use in (
        (STAGE, 8, "reducer.n_neighbors=10", "reducer.n_neighbors<=7"),
        (replace(STAGE, n_neighbors=3), 6, "reducer.n_components=5", "reducer.n_components<=4"),
        (
            STAGE,
            5,
            "reducer.n_neighbors=10 and reducer.n_components=5",
            "reducer.n_neighbors<=4 and reducer.n_components<=3, or reducer=identity",
        ),
    ):
        with pytest.raises(ValueError) as error:
            stage.width(n, 64)
        assert f"{n} different rows" in says(error, key=key, use=use)
    assert replace(STAGE, n_neighbors=2, n_components=1).width(3, 64) == 1
    with pytest.raises(ValueError) as error:
        STAGE.fit(np.repeat(X[:1], 50, axis=0), ctx)
    says(error, key="1 different rows", use="reducer=identity")


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [
        ("n_components", 0, "1 or more"), ("n_neighbors", 1, "2 or more"), ("metric", "hamming", "cosine"),
        ("min_dist", 2.0, "0 to 1"), ("n_epochs", -1, "0 or more"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(name, value, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **{name: value})
    says(error, key=f"reducer.{name}={value}", use=use)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_refused(fitted, ctx, value):
    rows = X.copy()
    rows[3, 5] = value
    with pytest.raises(ValueError) as error:
        STAGE.fit(rows, ctx)
    says(error, key="reducer=umap", use="nan or inf")
    with pytest.raises(ValueError) as error:
        fitted.transform(rows[:10])
    says(error, key="reducer=umap", use="nan or inf")
