"""PCA on scikit-learn's 1,797 scanned digits: 64 pixels, of which three are constant."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from tests.messages import says

from experiments.reducer.pca import Pca

X = load_digits().data.astype(np.float32)
SCALED = StandardScaler().fit_transform(X.astype(np.float64))


def pca(n_components: int = 10, *, standardize: bool = True, whiten: bool = False, seed: int = 0) -> Pca:
    return Pca(n_components, standardize, whiten, seed)


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Return rows of 12 strong directions and weak noise, too wide for an exact decomposition."""
    monkeypatch.setattr("experiments.reducer.pca.EXACT_WIDTH", 200)
    monkeypatch.setattr("experiments.reducer.pca.RANK", 25)
    rng = np.random.default_rng(0)
    strong = rng.standard_normal((100, 12)) * np.arange(24, 12, -1) @ rng.standard_normal((12, 201))
    return (strong + rng.standard_normal((100, 201))).astype(np.float32)


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_agrees_with_scikit_learn(ctx, standardize, whiten):
    expected = PCA(10, whiten=whiten).fit_transform(SCALED if standardize else X.astype(np.float64))
    reduced = pca(standardize=standardize, whiten=whiten).fit(X, ctx).transform(X)
    assert reduced.dtype == np.float32
    np.testing.assert_allclose(reduced, expected, atol=2e-4 * np.abs(expected).max())


def test_fewer_rows_than_columns_agree_with_scikit_learn(ctx):
    few = X[:40]
    expected = PCA(5).fit_transform(StandardScaler().fit_transform(few.astype(np.float64)))
    np.testing.assert_allclose(pca(5).fit(few, ctx).transform(few), expected, atol=1e-3)


def test_randomised_decomposition_finds_the_strong_directions(ctx, wide):
    expected = PCA(12, svd_solver="full").fit_transform(wide.astype(np.float64))
    projection = pca(12, standardize=False).fit(wide, ctx)
    reduced = projection.transform(wide)
    assert len(projection.ratio) == 25
    np.testing.assert_allclose(reduced, expected, atol=1e-3 * np.abs(expected).max())


def test_explained_variance_ratios_of_all_components_sum_to_one(ctx):
    ratio = pca().fit(X, ctx).ratio
    assert len(ratio) == 64
    assert ratio.sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(ratio) <= 0).all()


def test_projection_depends_only_on_the_fitted_rows(ctx):
    projection = pca().fit(X[:1000], ctx)
    np.testing.assert_allclose(projection.transform(X)[1500:], projection.transform(X[1500:]), atol=1e-5)
    centred = projection.transform(X[:1000]).mean(axis=0)
    np.testing.assert_allclose(centred, 0, atol=1e-4)


def test_whitened_components_have_variance_one_or_none(ctx):
    deviation = pca(64, whiten=True).fit(X, ctx).transform(X).std(axis=0, ddof=1)
    np.testing.assert_allclose(deviation[:61], 1, atol=1e-2)
    np.testing.assert_array_equal(deviation[61:], 0)


def test_sweeping_components_and_whitening_decomposes_once(ctx):
    for n_components in (2, 10, 50):
        for whiten in (False, True):
            pca(n_components, whiten=whiten, seed=n_components).fit(X, ctx)
    assert len(ctx.store.computed) == 1
    pca(standardize=False).fit(X, ctx)
    assert len(ctx.store.computed) == 2


def test_other_input_is_decomposed_again(ctx):
    axes = [
        pca().fit(X[rows], ctx.with_input(key)).axes
        for key, rows in (("a", slice(900)), ("b", slice(900, None)))
    ]
    assert not np.allclose(*axes)


def test_randomised_decomposition_is_shared_up_to_its_rank_and_depends_on_the_seed(ctx, wide):
    for n_components in (2, 12, 25):
        pca(n_components).fit(wide, ctx)
    assert len(ctx.store.computed) == 1
    pca(26).fit(wide, ctx)
    pca(seed=1).fit(wide, ctx)
    assert len(ctx.store.computed) == 3


def test_fewer_components_are_the_first_ones(ctx):
    two, ten = (pca(p).fit(X, ctx).transform(X) for p in (2, 10))
    np.testing.assert_allclose(two, ten[:, :2], atol=1e-5)


def test_signs_do_not_depend_on_the_order_of_the_rows(ctx):
    forwards, backwards = (
        pca().fit(rows, ctx.with_input(key)).axes for key, rows in (("a", X), ("b", X[::-1]))
    )
    np.testing.assert_allclose(forwards, backwards, atol=1e-3)


def test_too_many_components_suggest_a_number():
    with pytest.raises(ValueError) as error:
        pca(300).width(1437, 256)
    text = says(error, key="reducer.n_components=300", use="reducer.n_components<=256")
    assert "1437 rows of 256" in text
    assert pca(256).width(1437, 256) == 256


def test_no_components_are_refused():
    with pytest.raises(ValueError) as error:
        pca(0)
    says(error, key="reducer.n_components=0", use="1 or more")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_refused(ctx, value):
    rows = X.copy()
    rows[3, 5] = value
    with pytest.raises(ValueError) as error:
        pca().fit(rows, ctx)
    says(error, key="reducer=pca", use="nan or inf")


def test_equal_rows_are_refused(ctx):
    with pytest.raises(ValueError) as error:
        pca(2).fit(np.full((20, 5), 0.1, np.float32), ctx)
    says(error, key="20 equal rows", use="reducer=")
