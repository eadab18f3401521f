"""Values of any size, and repeated rows, in every clusterer and reducer of conf/."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from scripts.make import compile as compilation

from experiments.config import compose
from experiments.config.stage import build_stage
from experiments.context import Context
from experiments.numerics.scale import exponents, rescaled

pytestmark = [
    pytest.mark.umap,
    pytest.mark.timeout(60, func_only=True),
    pytest.mark.usefixtures("compiled"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("error::RuntimeWarning"),
    pytest.mark.slow,
]

RNG = np.random.default_rng(5)
TRUTH = np.repeat(np.arange(3), 20)
X = (np.array([[0, 0, 9, 3], [12, 0, 1, 3], [0, 12, 5, 3]])[TRUTH] + RNG.normal(size=(60, 4))).astype("f4")
SIZES = [2.0**-60, 1e-18, 1e-9, 1e9, 1e18, 2.0**60]
SMALL = {
    "reducer": {"n_components": 2, "n_neighbors": 8, "n_epochs": 20},
    "cluster": {"k": 3, "n_redo": 2, "n_init": 1, "max_iter": 20, "allow_single_cluster": True},
}
UNITS = {"eps": 1, "cluster_selection_epsilon": 1, "reg": 2}  # settings in a power of the points' unit


@cache
def stage(group, name):
    """Build an option of conf/ with settings small enough for a test."""
    built = build_stage(group, compose.compose_config([f"{group}={name}"])[group])
    if name == "chain":
        return replace(built, steps=tuple((step, _small(group, stage)) for step, stage in built.steps))
    return _small(group, built)


def _small(group, built):
    names = {f.name for f in fields(built)}
    return replace(built, **{name: value for name, value in SMALL[group].items() if name in names})


def in_unit(clusterer, size):
    """Return the clusterer for points that are `size` times as large."""
    settings = {f.name: getattr(clusterer, f.name) for f in fields(clusterer)}
    return replace(
        clusterer, **{name: settings[name] * size**power for name, power in UNITS.items() if name in settings}
    )


@pytest.fixture(scope="module")
def compiled():
    """Compile UMAP and HDBSCAN, which may take a minute."""
    compilation.compile_all()


@pytest.fixture
def ctx(store):
    return replace(Context.plain(store), threads=1)  # enough for few points


every_clusterer = pytest.mark.parametrize("name", compose.options("cluster"))
every_reducer = pytest.mark.parametrize("name", compose.options("reducer"))


def test_scaling_by_a_power_of_two_changes_no_digit():
    for size in (1e-30, 1e30):
        points, power = rescaled(X * np.float32(size))
        assert 0.5 <= np.abs(points).max() < 1
        np.testing.assert_array_equal(np.ldexp(points, power), X * np.float32(size))
    assert rescaled(X)[0] is X
    assert exponents(np.zeros((2, 2), np.float32)) == 0
    mixed = np.array([[1, 1e20, 1e-20], [2, 1e10, 0]], np.float32)
    np.testing.assert_array_equal(exponents(mixed, axis=0), [[0, 67, -66]])
    np.testing.assert_array_equal(exponents(mixed, axis=1), [[67], [34]])


@every_clusterer
def test_points_of_any_size_are_clustered_as_at_size_one(name, ctx):
    clusterer = stage("cluster", name)
    whole = clusterer.fit(X, ctx.with_input("1"))
    assert len(set(whole.assignments) - {-1}) == 3
    ids, far = whole.assign(X + np.float32(0.25))
    for size in SIZES:
        points = X * np.float32(size)
        again = in_unit(clusterer, size).fit(points, ctx.with_input(str(size)))
        np.testing.assert_array_equal(again.assignments, whole.assignments, err_msg=str(size))
        new_ids, distance = again.assign((X + np.float32(0.25)) * np.float32(size))
        np.testing.assert_array_equal(new_ids, ids, err_msg=str(size))
        unit = 1 if name == "spherical_kmeans" else size
        np.testing.assert_allclose(
            distance / (1 if name == "gmm" else unit), far, rtol=1e-3, atol=1e-5, err_msg=str(size)
        )
        if whole.inertia is not None:
            assert again.inertia == pytest.approx(whole.inertia * unit**2, rel=1e-4)
        if whole.centroids is not None:
            np.testing.assert_allclose(again.centroids / unit, whole.centroids, rtol=1e-4, atol=1e-5)
        if whole.probabilities is not None:
            np.testing.assert_allclose(again.probabilities, whole.probabilities, atol=1e-4)


@every_reducer
def test_embeddings_of_any_size_are_reduced_as_at_size_one(name, ctx):
    reducers = [stage("reducer", name)]
    if name == "pca":
        reducers.append(replace(reducers[0], standardize=False))
        reducers.append(replace(reducers[0], standardize=False, whiten=True))
    for number, reducer in enumerate(reducers):
        whole = reducer.fit(X, ctx.with_input(f"1 {number}"))
        fresh = X[:7] + np.float32(0.25)
        keeps_unit = name == "identity" or number == 1
        for size in SIZES:
            if name == "umap" and np.frexp(size)[0] != 0.5:
                continue  # rounding changes the map; a power of two does not
            again = reducer.fit(X * np.float32(size), ctx.with_input(f"{size} {number}"))
            for rows in (X, fresh):
                reduced = again.transform(rows * np.float32(size)) / (size if keeps_unit else 1)
                np.testing.assert_allclose(
                    reduced, whole.transform(rows), rtol=1e-3, atol=1e-4, err_msg=str(size)
                )


@pytest.mark.parametrize("name", ["standardize", "pca"])
def test_columns_of_any_size_are_standardised(name, ctx):
    reducer, sizes = stage("reducer", name), np.array([1e-18, 1e9, 1e18, 1], np.float32)
    whole, again = reducer.fit(X, ctx.with_input("1")), reducer.fit(X * sizes, ctx.with_input("mixed"))
    np.testing.assert_allclose(again.transform(X * sizes), whole.transform(X), rtol=1e-3, atol=1e-4)


ODD = {
    "equal rows": np.ones((30, 8), np.float32),
    "zeros": np.zeros((30, 3), np.float32),
    "rows twice": np.repeat(RNG.normal(size=(10, 16)), 2, axis=0).astype(np.float32),
    "constant columns": np.column_stack([X[:, 0], np.full((60, 2), 7e8, np.float32)]),
    "one column": np.ascontiguousarray(X[:, :1]),
    "one row": X[:1],
    "two rows": X[:2],
    "a fill value": np.where(np.arange(240).reshape(60, 4) == 17, np.float32(9.96921e36), X),
    "columns of any size": X * np.array([1e-18, 1e-9, 1e18, 1], np.float32),
    "beyond the range": np.where(X > 5, np.float32(1e37), np.float32(1e-45)),
}


def result_or_advice(call):
    """Return the result of a call and "", or None and the message of its ValueError."""
    try:
        return call(), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("case", ODD)
@every_clusterer
def test_unusual_points_are_clustered_or_refused_with_advice(name, case, ctx):
    points = ODD[case]
    clusterer = stage("cluster", name)
    ks = sorted({1, 3, len(np.unique(points, axis=0)), len(points)}) if hasattr(clusterer, "k") else [None]
    for k in ks:
        tried = clusterer if k is None else replace(clusterer, k=k)
        clustering, advice = result_or_advice(lambda: tried.fit(points, ctx.with_input(f"{case} {k}")))  # noqa: B023
        if clustering is None:
            assert "; use" in advice
            continue
        assert clustering.assignments.shape == (len(points),)
        assert clustering.assignments.max() < (k or len(points))
        assert clustering.assign(points)[0].shape == (len(points),)


@pytest.mark.parametrize("case", ODD)
@every_reducer
def test_unusual_embeddings_are_reduced_or_refused_with_advice(name, case, ctx):
    reducer = stage("reducer", name)
    reduced, advice = result_or_advice(
        lambda: reducer.fit(ODD[case], ctx.with_input(case)).transform(ODD[case])
    )
    if reduced is None:
        assert "; use" in advice
        return
    assert reduced.shape == (len(ODD[case]), reducer.width(*ODD[case].shape))
    assert np.isfinite(reduced).all()


@pytest.mark.parametrize(
    "name", ["spherical_kmeans", "faiss_kmeans", "sklearn_kmeans", "agglomerative", "gmm"]
)
def test_k_beyond_the_different_rows_suggests_their_number(name, ctx, caplog):
    replace(stage("cluster", name), k=15).fit(ODD["rows twice"], ctx)
    assert "use cluster.k<=10" in caplog.text


def test_a_reg_beyond_the_variance_suggests_a_smaller_one(ctx, caplog):
    gmm = stage("cluster", "gmm")
    gmm.fit(X * np.float32(1e-9), ctx)
    assert "use cluster.reg=2e-23" in caplog.text
    caplog.clear()
    gmm.fit(X, ctx.with_input("ordinary"))
    assert not caplog.records
