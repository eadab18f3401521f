"""Random flips, rotations, zooms and shifts: one affine warp of a whole batch, drawn anew per image."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


@dataclass(frozen=True)
class Augmentation:
    """How far an image may be moved.

    Parameters
    ----------
    flip
        Whether one image in two is mirrored left to right.
    rotation
        Largest angle either way, in degrees.
    zoom, translation
        Largest change of scale, and shift along either axis, as shares of the image's size.
    """

    flip: bool
    rotation: float
    zoom: float
    translation: float

    def __call__(self, images: Tensor) -> Tensor:
        """Warp float (n, c, S, S); images that nothing may move are returned as they are."""
        if not (self.flip or self.rotation or self.zoom or self.translation):
            return images
        return warp(images, self.draw(len(images)).to(images.device, non_blocking=True))

    def draw(self, n: int) -> Tensor:
        """Draw n maps, float32 (n, 2, 3), from torch's generator on the CPU."""
        turn, scale, right, down = torch.empty(4, n).uniform_(-1, 1)
        mirrored = torch.rand(n) < 0.5 if self.flip else torch.zeros(n, dtype=torch.bool)
        return affine(
            mirrored,
            turn * math.radians(self.rotation),
            1 + scale * self.zoom,
            torch.stack((right, down)) * self.translation,
        )


def affine(mirrored: Tensor, angle: Tensor, zoom: Tensor, shift: Tensor) -> Tensor:
    """Return where each output pixel is read from, in coordinates of -1 to 1: float32 (n, 2, 3).

    Parameters
    ----------
    mirrored
        bool (n,).
    angle
        (n,), in radians, counter-clockwise.
    zoom
        (n,): above 1 the image grows smaller, as in Keras.
    shift
        (2, n): to the right and down, as shares of the image's size.
    """
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    sign = 1 - 2 * mirrored.float()
    linear = torch.stack((sign * cos, -sign * sin, sin, cos), dim=1).view(-1, 2, 2)
    offset = linear @ (-2 * shift.T).unsqueeze(2)
    return torch.cat((linear, offset), dim=2)


def warp(images: Tensor, theta: Tensor) -> Tensor:
    """Read (n, c, S, S) through the maps (n, 2, 3), bilinearly; beyond its edge the image is mirrored."""
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
