"""The map of a report as an image."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments.evaluator.measures.majority import Majority
from experiments.figures.style import GROUPED, NOISE
from experiments.report.clusters import Cluster, clusters
from experiments.report.map_picture import (
    CIRCLE,
    HEIGHT,
    IMAGE_DISTANCE,
    MARGIN,
    WIDTH,
    cluster_styles,
    map_image,
    svg_path,
)

CORNERS = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]])


def map_pixels(points: np.ndarray, groups: list[Cluster], images: np.ndarray | None = None) -> np.ndarray:
    """Return the pixels of a map."""
    none = np.empty((0, 8, 8, 3), np.uint8)
    uri = map_image(points, groups, none if images is None else images)
    return np.asarray(Image.open(BytesIO(b64decode(uri.partition(",")[2]))).convert("RGB"), int)


def rgb(colour: str) -> np.ndarray:
    """Return a colour as three numbers."""
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def single_member_clusters(numbers: list[int]) -> list[Cluster]:
    """Return clusters of one member each."""
    return clusters(pd.DataFrame({"cluster": numbers, "id": [str(number) for number in numbers]}))


def test_the_outermost_points_are_at_the_margins_and_both_axes_have_one_scale() -> None:
    pixels = map_pixels(CORNERS, single_member_clusters([0, 1, 2, 3]))
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    wide = WIDTH - 2 * MARGIN
    low, high = HEIGHT / 2 + wide / 4, HEIGHT / 2 - wide / 4
    positions = [(MARGIN, low), (WIDTH - MARGIN, low), (WIDTH - MARGIN, high), (MARGIN, high)]
    for colour, (x, y) in zip(GROUPED, positions, strict=False):
        patch = pixels[round(y) - 2 : round(y) + 2, round(x) - 2 : round(x) + 2].mean(axis=(0, 1))
        assert np.abs(patch - (255 - 0.75 * (255 - rgb(colour)))).max() < 30


def test_a_single_point_is_in_the_middle() -> None:
    pixels = map_pixels(np.ones((1, 2)), single_member_clusters([0]))
    rows, columns, _ = np.nonzero(pixels < 200)
    assert abs(rows.mean() - HEIGHT / 2) < 2
    assert abs(columns.mean() - WIDTH / 2) < 2


def test_images_do_not_overlap_and_the_nearest_to_a_centre_win() -> None:
    colours = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200]], np.uint8)
    images = np.broadcast_to(colours[:, None, None], (3, 8, 8, 3))
    distance = 0.5 * IMAGE_DISTANCE / (WIDTH - 2 * MARGIN)  # from the first, as a share of the width
    groups = [Cluster(0, [0, 1, 2], Majority((), 0.0, 0), "cluster 0")]
    pixels = map_pixels(np.array([[0.0, 0.0], [distance, 0.0], [1.0, 0.0]]), groups, images)
    visible = [(np.abs(pixels - colour).max(axis=2) < 50).sum() for colour in colours.astype(int)]
    assert visible[0] > 900
    assert visible[2] > 900
    assert visible[1] < 50, "there is no room next to the first"


def test_noise_is_grey_and_shapes_change_when_colours_are_used_up() -> None:
    groups = single_member_clusters([*range(len(GROUPED) + 1), -1])
    styles = cluster_styles(groups)
    assert styles[-1] == (NOISE, CIRCLE)
    assert styles[0] == (GROUPED[0], CIRCLE)
    assert styles[len(GROUPED)][0] == GROUPED[0]
    assert styles[len(GROUPED)][1] != CIRCLE
    assert svg_path([(0, 0), (1, 0.5)]) == "M0.000,0.000L1.000,0.500Z"


@pytest.mark.parametrize("labels", [None, ["a", "b", "b", "", "a"]])
def test_a_cluster_has_the_majority_label_of_its_members(labels: list[str] | None) -> None:
    members = pd.DataFrame({"cluster": [0, 0, 0, 0, -1], "id": list("vwxyz")})
    groups = clusters(members if labels is None else members.assign(label=labels))
    assert [(group.name, group.members) for group in groups] == [("cluster 0", [0, 1, 2, 3]), ("noise", [4])]
    expected = Majority((), 0.0, 0) if labels is None else Majority(("b",), 2 / 3, 3)
    assert groups[0].majority == expected
