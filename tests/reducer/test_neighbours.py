"""Half-whitened components averaged over neighbours: digits, duplicates, few rows, new rows."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize
from tests.messages import says

from experiments.messages import StageError
from experiments.reducer.chain import Chain
from experiments.reducer.neighbours import Neighbours

X = load_digits().data.astype(np.float32)[:400]
NEW = load_digits().data.astype(np.float32)[400:440]
REDUCER = Neighbours(n_components=20, whiten=0.5, n_neighbors=10)


def expected(fitted: np.ndarray, rows: np.ndarray, reducer: Neighbours = REDUCER) -> np.ndarray:
    """Compute the definition in float64; rows that were fitted have no equal ones."""
    pca = PCA(reducer.n_components).fit(normalize(fitted.astype(np.float64)))
    scale = np.sqrt(pca.explained_variance_) ** reducer.whiten
    among, points = (
        normalize(pca.transform(normalize(z.astype(np.float64))) / scale) for z in (fitted, rows)
    )
    distances = np.linalg.norm(points[:, None] - among[None], axis=2)
    distances[distances < 1e-6] = np.inf
    near = np.argsort(distances, axis=1)[:, : reducer.n_neighbors - 1]
    return normalize((points + among[near].sum(axis=1)) / reducer.n_neighbors)


def difference(reduced: np.ndarray, reference: np.ndarray) -> float:
    """Return the largest difference of inner products, which the signs of axes do not change."""
    return float(np.abs(reduced @ reduced.T - reference @ reference.T).max())


@pytest.mark.parametrize("whiten", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n_neighbors", [1, 2, 10])
def test_agrees_with_its_definition(whiten: float, n_neighbors: int, ctx) -> None:
    reducer = Neighbours(20, whiten, n_neighbors)
    projection = reducer.fit(X, ctx)
    for rows in (X, NEW):
        assert difference(projection.transform(rows), expected(X, rows, reducer)) < 1e-4


def test_an_image_that_is_passed_as_new_is_where_it_was(ctx) -> None:
    projection = REDUCER.fit(X, ctx)
    rounded = X[:50] * np.float32(1 + 3e-7)  # as of another batch
    np.testing.assert_allclose(projection.transform(rounded), projection.transform(X)[:50], atol=1e-5)


def test_neighbours_are_fitted_rows_alone(ctx) -> None:
    projection = REDUCER.fit(X, ctx)
    together = projection.transform(np.concatenate([NEW, NEW + np.float32(0.1)]))
    np.testing.assert_allclose(together[:40], projection.transform(NEW), atol=1e-6)


def test_duplicates_change_nothing(ctx) -> None:
    plain = REDUCER.fit(X, ctx).transform(X)
    repeated = np.concatenate([X, np.repeat(X[:5], 30, axis=0)])
    projection = REDUCER.fit(repeated, ctx.with_input("repeated"))
    np.testing.assert_allclose(projection.transform(X), plain, atol=1e-5)
    assert len(projection.rows) == len(X)


def test_pairs_that_differ_by_rounding_do_not_average_with_each_other(ctx) -> None:
    pairs = np.concatenate([X, X * np.float32(1 + 3e-7)])
    reduced = REDUCER.fit(pairs, ctx).transform(X)
    alone = replace(REDUCER, n_neighbors=1).fit(pairs, ctx).transform(X)
    assert (np.linalg.norm(reduced - alone, axis=1) > 0.01).all()


def test_fewer_rows_than_components_use_all_and_say_so(ctx, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        reduced = Neighbours(128, 0.5, 5).fit(X[:30], ctx).transform(X)
    says(caplog.text, key="n_components=128", use="type a smaller number")
    assert reduced.shape == (len(X), 30)
    np.testing.assert_allclose(np.linalg.norm(reduced, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("rows", [X[:10], np.repeat(X[:10], 20, axis=0)], ids=["few", "few different"])
def test_too_few_rows_say_what_to_type(rows: np.ndarray, ctx) -> None:
    with pytest.raises(StageError) as error:
        REDUCER.fit(rows, ctx)
    says(error, key="reducer.n_neighbors=10", use="reducer.n_neighbors<=9, or reducer=identity")
    assert len(replace(REDUCER, n_neighbors=9).fit(rows, ctx).rows) == 10


def test_a_single_row_has_no_neighbours_and_parallel_rows_no_axes(ctx) -> None:
    with pytest.raises(StageError) as error:
        REDUCER.width(1, 64)
    assert "<=" not in says(error, key="reducer.n_neighbors=10", use="reducer=identity")
    with pytest.raises(ValueError) as error:
        REDUCER.fit(X[:1] * np.arange(1, 20, dtype=np.float32)[:, None], ctx)
    says(error, key="reducer=neighbours", use="reducer=pca")


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [("n_components", 0, "1 or more"), ("n_neighbors", 0, "1 or more"), ("whiten", 1.5, "0, 0.5 or 1")],
)
def test_impossible_settings_are_refused(name: str, value: float, use: str) -> None:
    with pytest.raises(StageError) as error:
        replace(REDUCER, **{name: value})
    says(error, key=f"reducer.{name}={value}", use=use)


def test_values_that_are_not_numbers_are_refused(ctx) -> None:
    rows = X.copy()
    rows[3, 5] = np.nan
    for call in (lambda: REDUCER.fit(rows, ctx), lambda: REDUCER.fit(X, ctx).transform(rows)):
        with pytest.raises(ValueError) as error:
            call()
        says(error, key="reducer=neighbours", use="a backbone whose training converged")


def test_it_is_a_step_of_a_chain(ctx) -> None:
    chain = Chain((("neighbours", REDUCER),))
    np.testing.assert_array_equal(chain.fit(X, ctx).transform(NEW), REDUCER.fit(X, ctx).transform(NEW))
    with pytest.raises(StageError) as error:
        chain.width(5, 64)
    says(error, key="reducer.neighbours.n_neighbors=10", use="reducer.neighbours.n_neighbors<=4")
