"""Random flips, rotations, zooms and shifts: an affine warp with random parameters per image."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


@dataclass(frozen=True)
class Augmentation:
    """Random affine augmentation of images.

    Parameters
    ----------
    flip
        Mirror half of the images left to right.
    rotation
        Largest angle in either direction, in degrees.
    zoom, translation
        Largest change of scale, and largest shift along each axis, as shares of the image size.
    """

    flip: bool
    rotation: float
    zoom: float
    translation: float

    def __call__(self, images: Tensor) -> Tensor:
        """Warp images, float (n, c, S, S); return them unchanged if all settings are zero."""
        if not (self.flip or self.rotation or self.zoom or self.translation):
            return images
        return warp(images, self.draw(len(images)).to(images.device, non_blocking=True))

    def draw(self, n: int) -> Tensor:
        """Draw n random affine maps, float32 (n, 2, 3), from torch's generator on the CPU."""
        angle, scale, shift_x, shift_y = torch.empty(4, n).uniform_(-1, 1)
        mirrored = torch.rand(n) < 0.5 if self.flip else torch.zeros(n, dtype=torch.bool)
        return affine(
            mirrored,
            angle * math.radians(self.rotation),
            1 + scale * self.zoom,
            torch.stack((shift_x, shift_y)) * self.translation,
        )


def affine(mirrored: Tensor, angle: Tensor, zoom: Tensor, shift: Tensor) -> Tensor:
    """Return affine maps from output to input coordinates, both in [-1, 1]: float32 (n, 2, 3).

    Parameters
    ----------
    mirrored
        bool (n,).
    angle
        (n,), in radians, counter-clockwise.
    zoom
        (n,): values above 1 shrink the image, as in Keras.
    shift
        (2, n): shifts to the right and down, as shares of the image size.
    """
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    sign = 1 - 2 * mirrored.float()
    linear = torch.stack((sign * cos, -sign * sin, sin, cos), dim=1).view(-1, 2, 2)
    offset = linear @ (-2 * shift.T).unsqueeze(2)
    return torch.cat((linear, offset), dim=2)


def warp(images: Tensor, theta: Tensor) -> Tensor:
    """Warp images (n, c, S, S) by affine maps (n, 2, 3), bilinearly, with mirrored borders."""
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
