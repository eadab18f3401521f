"""Augmentation moves each image differently, within the given ranges."""

import math

import pytest
import torch
from torch import Tensor

from experiments.backbone.convnet.augmentation import Augmentation, affine, warp


def spot(row: int, column: int, size: int = 9) -> Tensor:
    image = torch.zeros(1, 1, size, size)
    image[0, 0, row, column] = 1
    return image


def moved(
    image: Tensor, mirrored: bool = False, angle: float = 0, zoom: float = 1, shift=(0.0, 0.0)
) -> Tensor:
    theta = affine(
        torch.tensor([mirrored]), torch.tensor([angle]), torch.tensor([zoom]), torch.tensor(shift).view(2, 1)
    )
    return warp(image, theta)


@pytest.mark.parametrize(
    ("change", "lands_at"),
    [
        ({"shift": (2 / 9, 0.0)}, (2, 5)),  # two pixels to the right
        ({"shift": (0.0, 2 / 9)}, (4, 3)),  # two pixels down
        ({"mirrored": True}, (2, 5)),
        ({"angle": math.pi / 2}, (5, 2)),  # a quarter of a turn counter-clockwise
        ({"mirrored": True, "shift": (1 / 9, 0.0)}, (2, 6)),  # mirrored first, then to the right
    ],
)
def test_a_pixel_moves_as_geometry_says(change: dict, lands_at: tuple[int, int]):
    after = moved(spot(2, 3), **change)
    torch.testing.assert_close(after, spot(*lands_at), atol=1e-5, rtol=0)


def test_zoom_below_one_enlarges_about_the_centre():
    after = moved(spot(2, 3), zoom=0.5)
    assert after[0, 0, 0, 2] == after.max() == pytest.approx(1)  # twice as far from (4, 4)


def test_borders_are_mirrored():
    image = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 4, 4).contiguous()
    torch.testing.assert_close(moved(image, shift=(0.5, 0.0))[0, 0, 0], torch.tensor([1.0, 0, 0, 1]))


def test_zero_settings_return_the_images_unchanged():
    images = torch.rand(4, 3, 8, 8)
    state = torch.get_rng_state()
    assert Augmentation(False, 0, 0, 0)(images) is images
    assert torch.equal(torch.get_rng_state(), state)


def test_each_image_of_a_batch_is_moved_differently():
    images = torch.rand(1, 3, 8, 8).expand(16, 3, 8, 8)
    after = Augmentation(False, 8.6, 0.15, 0.1)(images)
    assert len({tuple(image.flatten().tolist()) for image in after}) == 16


def test_parameters_stay_within_their_ranges():
    torch.manual_seed(0)
    theta = Augmentation(False, 8.6, 0.15, 0.1).draw(5000)
    scale = torch.linalg.det(theta[:, :, :2]).sqrt()
    angle = torch.rad2deg(torch.atan2(theta[:, 1, 0], theta[:, 1, 1]))
    shift = torch.linalg.solve(theta[:, :, :2], theta[:, :, 2:]).squeeze(2) / -2
    for values, low, high in ((scale, 0.85, 1.15), (angle, -8.6, 8.6), (shift, -0.1, 0.1)):
        assert low - 1e-4 <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high + 1e-4


def test_flip_mirrors_half_of_the_images():
    torch.manual_seed(0)
    mirrored = [(torch.linalg.det(Augmentation(flip, 8.6, 0.15, 0.1).draw(1000)[:, :, :2]) < 0).float().mean()
                for flip in (False, True)]  # fmt: skip
    assert mirrored[0] == 0
    assert 0.45 < mirrored[1] < 0.55
