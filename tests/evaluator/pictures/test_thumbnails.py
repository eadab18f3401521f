"""Thumbnails: of any rows in any order, never larger than the images."""

import numpy as np
import pytest
from tests.evaluator.stand_ins import image_samples

from experiments.evaluator.pictures.thumbnails import captions, file_names, thumbnails


def test_rows_may_be_in_any_order_and_repeat(ctx):
    images = thumbnails(image_samples(9), np.array([7, 2, 7, 0]), 96, ctx)
    assert images.shape == (4, 10, 10, 3), "the central square of 12 x 10, not enlarged"
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), [7, 2, 7, 0])


@pytest.mark.parametrize(("side", "expected"), [(9, 9), (8, 8)])
def test_images_are_reduced(ctx, side, expected):
    assert thumbnails(image_samples(3), np.arange(3), side, ctx).shape[1] == expected


def test_captions_are_labels_or_file_names():
    samples = image_samples(3, labels=np.array([1, 0, -1]), folder="a/b/")
    assert file_names(samples).tolist() == ["000.png", "001.png", "002.png"]
    assert samples.label_names.tolist() == ["b", "a", ""]
    assert captions(samples).tolist() == ["b", "a", "002.png"]
    assert captions(image_samples(3)).tolist() == file_names(image_samples(3)).tolist()
    assert image_samples(3).label_names is None
