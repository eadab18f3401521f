"""Synthetic samples: class sizes, and equal values on any machine, in any chunks, in bounded memory."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from tests.messages import numbers, says

from experiments.dataset import synthetic
from experiments.dataset.synthetic import CHUNK_VALUES, Synthetic
from experiments.samples import Resize

NEAR = 2  # rounding of 0..255


@pytest.fixture
def make(selection):
    def stage(**changes):
        settings = {
            "kind": "images",
            "n": 300,
            "classes": 6,
            "imbalance": 1.0,
            "width": 16,
            "noise": 0.2,
            "seed": 0,
        }
        return Synthetic(**(selection | settings | changes))

    return stage


def values(samples, ctx):
    if samples.content.KIND == "vectors":
        return samples.content.vectors()
    return samples.content.pixels(Resize(samples.content.images.shape[1]), ctx)


def made(stage, rows):
    """Generate some rows of a data set."""
    labels = np.repeat(np.arange(stage.classes), stage.sizes())[rows]
    return (stage._images if stage.kind == "images" else stage._vectors)(labels, rows.start)


@pytest.mark.parametrize("kind", ["images", "vectors"])
@pytest.mark.parametrize("width", [1, 7, 16])
def test_chunks_do_not_matter(make, kind, width):
    stage = make(kind=kind, n=41, width=width)
    parts = [made(stage, slice(start, start + 5)) for start in range(0, 41, 5)]
    np.testing.assert_array_equal(np.concatenate(parts), made(stage, slice(0, 41)))


@pytest.mark.parametrize(("kind", "size"), [("images", 16 * 16 * 3), ("vectors", 16)])
def test_a_data_set_of_several_chunks_is_that_of_one(make, ctx, kind, size):
    stage = make(kind=kind, n=2 * CHUNK_VALUES // size + 5)
    loaded = values(stage.load(replace(ctx, threads=2)), ctx)
    np.testing.assert_array_equal(loaded, made(stage, slice(0, stage.n)).astype(loaded.dtype))


def test_the_values_are_those_of_version_1(make, ctx):
    """Pin a few values; a change of these requires a new VERSION."""
    pixels = values(make(n=10, classes=5).load(ctx), ctx)
    vectors = values(make(kind="vectors", n=10, classes=5, noise=1.0).load(ctx), ctx)
    np.testing.assert_allclose(pixels[[0, 9], 3, 5], [[132, 75, 134], [78, 108, 142]], atol=NEAR)
    np.testing.assert_allclose(vectors[[0, 9], 2], [-0.3341764, 1.7454473], rtol=1e-5)


def test_another_seed_or_kind_is_another_set(make, ctx):
    keys = [
        make(**changes).load(ctx).data_key
        for changes in ({}, {"seed": 1}, {"kind": "vectors"}, {"noise": 0.3})
    ]
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("n", "classes", "imbalance"), [(25_557, 233, 10.57), (2000, 10, 1.0), (17, 4, 1.0), (1000, 1, 5.0)]
)
def test_class_sizes_sum_to_n_and_have_the_imbalance(make, n, classes, imbalance):
    sizes = make(n=n, classes=classes, imbalance=imbalance).sizes()
    assert (sizes.sum(), len(sizes)) == (n, classes)
    if classes > 1 and n > 1000:
        assert sizes[0] / sizes[-1] == pytest.approx(imbalance, rel=0.05)


def test_vectors_lie_around_their_centres(make, ctx):
    near, far = (make(kind="vectors", noise=noise, width=50).load(ctx) for noise in (0.1, 10.0))

    def share_within(samples):
        x, labels = samples.content.vectors(), samples.labels
        centres = np.array([x[labels == label].mean(axis=0) for label in range(6)])
        return ((x - centres[labels]) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum()

    assert share_within(near) < 0.05 < 0.9 < share_within(far)


def test_normal_values_are_normal():
    normals = synthetic._normals(0, synthetic.ROWS, 0, 2000, 51)
    assert abs(normals.mean()) < 0.01
    assert abs(normals.std() - 1) < 0.01
    assert np.mean(np.abs(normals) < 1.96) == pytest.approx(0.95, abs=0.005)


def test_raw_pixels_tell_the_class_only_partly(make, ctx):
    """A nearest-class-mean classifier is better on spectra, which ignore positions, than on pixels."""
    samples = make(n=900, classes=9, noise=0.1).load(ctx)
    pixels = values(samples, ctx).mean(axis=3) / 255
    spectrum = np.abs(np.fft.rfft2(pixels - pixels.mean(axis=(1, 2), keepdims=True)))
    train, test = samples.rows("training"), samples.rows("validation")
    scores = []
    for features in (pixels.reshape(900, -1), spectrum.reshape(900, -1)):
        known, labels = features[train], samples.labels[train]
        means = np.array([known[labels == label].mean(axis=0) for label in range(9)])
        nearest = ((features[test][:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        scores.append(np.mean(nearest == samples.labels[test]))
    assert scores[0] < 0.5 < 0.6 < scores[1]


def test_memory_grows_with_the_chunk_and_not_with_n(make, ctx):
    peaks = []
    for n in (1000, 8000):
        tracemalloc.start()
        make(n=n, width=32).load(ctx)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 8000 * 400  # 400 bytes for an id, a hash and a label


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"kind": "pictures"}, "dataset.kind=pictures", "images or vectors"),
        ({"n": 0}, "dataset.n=0", "1 or more"),
        ({"width": 0}, "dataset.width=0", "1 or more"),
        ({"imbalance": 0.5}, "dataset.imbalance=0.5", "1 or more"),
        ({"imbalance": float("nan")}, "dataset.imbalance=nan", "1 or more"),
        ({"noise": -1.0}, "dataset.noise=-1.0", "0 or more"),
        ({"seed": -1}, "dataset.seed=-1", "0 or more"),
        ({"n": 20, "imbalance": 100.0}, "dataset.n=20", "fewer classes"),
    ],
)
def test_an_invalid_setting_is_an_error_with_a_suggestion(make, changes, key, use):
    with pytest.raises(ValueError) as error:
        make(**changes)
    says(error, key=key, use=use)


def test_a_number_of_samples_that_is_too_small_is_answered_with_the_least(make):
    with pytest.raises(ValueError) as error:
        make(n=20, imbalance=100.0)
    least = int(numbers(says(error, key="dataset.n=20", use="or more").partition("use dataset.n=")[2])[0])
    assert min(make(n=least, imbalance=100.0).sizes()) >= 1
    with pytest.raises(ValueError):
        make(n=least - 1, imbalance=100.0)
