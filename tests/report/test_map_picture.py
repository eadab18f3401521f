"""The map of a report as a picture."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments.evaluator.measures.majority import Majority
from experiments.figures.style import GROUPED, NOISE
from experiments.report.clusters import Cluster, clusters
from experiments.report.map_picture import CIRCLE, EDGE, GAP, HEIGHT, WIDTH, looks, path, picture

CORNERS = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]])


def drawn(places: np.ndarray, groups: list[Cluster], images: np.ndarray | None = None) -> np.ndarray:
    """Return the pixels of a map."""
    none = np.empty((0, 8, 8, 3), np.uint8)
    uri = picture(places, groups, none if images is None else images)
    return np.asarray(Image.open(BytesIO(b64decode(uri.partition(",")[2]))).convert("RGB"), int)


def rgb(colour: str) -> np.ndarray:
    """Return a colour as three numbers."""
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def alone(numbers: list[int]) -> list[Cluster]:
    """Return clusters of one member each."""
    return clusters(pd.DataFrame({"cluster": numbers, "id": [str(number) for number in numbers]}))


def test_the_furthest_places_stand_at_the_edges_and_both_axes_have_one_scale() -> None:
    shown = drawn(CORNERS, alone([0, 1, 2, 3]))
    assert shown.shape == (HEIGHT, WIDTH, 3)
    wide = WIDTH - 2 * EDGE
    low, high = HEIGHT / 2 + wide / 4, HEIGHT / 2 - wide / 4
    places = [(EDGE, low), (WIDTH - EDGE, low), (WIDTH - EDGE, high), (EDGE, high)]
    for colour, (x, y) in zip(GROUPED, places, strict=False):
        patch = shown[round(y) - 2 : round(y) + 2, round(x) - 2 : round(x) + 2].mean(axis=(0, 1))
        assert np.abs(patch - (255 - 0.75 * (255 - rgb(colour)))).max() < 30


def test_one_place_is_in_the_middle() -> None:
    shown = drawn(np.ones((1, 2)), alone([0]))
    rows, columns, _ = np.nonzero(shown < 200)
    assert abs(rows.mean() - HEIGHT / 2) < 2
    assert abs(columns.mean() - WIDTH / 2) < 2


def test_images_stand_where_there_is_room_the_nearest_to_a_centre_first() -> None:
    colours = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200]], np.uint8)
    images = np.broadcast_to(colours[:, None, None], (3, 8, 8, 3))
    near = 0.5 * GAP / (WIDTH - 2 * EDGE)  # of the whole width, from the first
    groups = [Cluster(0, [0, 1, 2], Majority((), 0.0, 0))]
    shown = drawn(np.array([[0.0, 0.0], [near, 0.0], [1.0, 0.0]]), groups, images)
    found = [(np.abs(shown - colour).max(axis=2) < 50).sum() for colour in colours.astype(int)]
    assert found[0] > 900
    assert found[2] > 900
    assert found[1] < 50, "there is no room next to the first"


def test_noise_is_grey_and_shapes_follow_when_the_colours_are_used_up() -> None:
    groups = alone([*range(len(GROUPED) + 1), -1])
    found = looks(groups)
    assert found[-1] == (NOISE, CIRCLE)
    assert found[0] == (GROUPED[0], CIRCLE)
    assert found[len(GROUPED)][0] == GROUPED[0]
    assert found[len(GROUPED)][1] != CIRCLE
    assert path([(0, 0), (1, 0.5)]) == "M0.000,0.000L1.000,0.500Z"


@pytest.mark.parametrize("labels", [None, ["a", "b", "b", "", "a"]])
def test_a_cluster_is_called_after_the_label_that_most_of_its_members_have(labels: list[str] | None) -> None:
    members = pd.DataFrame({"cluster": [0, 0, 0, 0, -1], "id": list("vwxyz")})
    groups = clusters(members if labels is None else members.assign(label=labels))
    assert [(group.name, group.members) for group in groups] == [("cluster 0", [0, 1, 2, 3]), ("noise", [4])]
    expected = Majority((), 0.0, 0) if labels is None else Majority(("b",), 2 / 3, 3)
    assert groups[0].majority == expected
