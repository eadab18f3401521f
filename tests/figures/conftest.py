"""An example of each kind of figure, with any number of classes."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from experiments.figures import (
    Bars,
    Dendrogram,
    DivergingHeatmap,
    Figure,
    Heatmap,
    Histogram,
    ImageGrid,
    ImageSheets,
    Lines,
    Map,
    Map3d,
    Panels,
    Scatter,
    Silhouettes,
    StackedBars,
    pack,
)
from experiments.figures.kinds import KINDS

KIND_NAMES = [kind.__name__ for kind in (*KINDS, Panels)]


def make(kind: str, n: int) -> Figure:
    """Return an example of a kind with n classes."""
    rng = np.random.default_rng(0)
    names = [f"class-{number:03}" for number in range(n)]
    means = rng.normal(size=(n, 5))
    groups = rng.integers(0, n, 300)
    images = rng.integers(0, 255, (n, 8, 8, 3), np.uint8)
    distances = np.linalg.norm(means[:, None] - means[None], axis=-1)
    examples: dict[str, Callable[[], Figure]] = {
        "Lines": lambda: Lines(
            "Purity",
            "k",
            "purity",
            [10, 50, 233],
            {"fine": [0.125, 0.25, float("nan")], "5": [0.5, 0.625, 0.75]},
            log_x=True,
            marks={"half": 50},
            dashed=["5"],
            low={"5": [0.25, float("nan"), 0.5]},
            high={"5": [0.75, float("nan"), 1.0]},
        ),
        "Bars": lambda: Bars("Sizes", "class", "images", names, rng.integers(72, 761, n).tolist()),
        "StackedBars": lambda: StackedBars(
            "Labels", "cluster", "share", names, ["ant", "bee", "other"], rng.dirichlet(np.ones(3), n)
        ),
        "Histogram": lambda: Histogram("Widths", "pixels", rng.normal(300, 50, 500), 20),
        "Heatmap": lambda: Heatmap("Distances", names, names, distances, "distance"),
        "DivergingHeatmap": lambda: DivergingHeatmap(
            "Profiles", names, names, distances - distances.mean(), "z-score"
        ),
        "Scatter": lambda: Scatter(
            "Plane",
            "1",
            "2",
            means[groups, 0],
            means[groups, 1].astype(np.float32),
            [names[group] for group in groups],
            [f"image {row}" for row in range(300)],
        ),
        "Dendrogram": lambda: Dendrogram("Tree", names, linkage(means, "ward"), 1.5),
        "ImageGrid": lambda: ImageGrid("Images", images, names, 5),
        "ImageSheets": lambda: ImageSheets(
            "Clusters", names, [{"nearest": 1, "farthest": 2}] * n, names * 3, *pack([images[:3]] * n), 8
        ),
        "Map": lambda: Map(
            "UMAP",
            "1",
            "2",
            means[groups, 0],
            means[groups, 1].astype(np.float32),
            groups - 1,
            [f"image {row}\ncluster {group - 1}" for row, group in enumerate(groups)],
            [],
            *pack([images[groups[:256]], images[groups[256:]]]),
            8,
            256,
        ),
        "Map3d": lambda: Map3d(
            "PCA",
            "1",
            "2",
            *means[groups, :2].T,
            groups - 1,
            [f"image {row}" for row in range(300)],
            [],
            *pack([images[groups]]),
            8,
            300,
            "3",
            means[groups, 2].astype(np.float32),
        ),
        "Panels": lambda: Panels("Together", [examples["Lines"](), examples["Bars"]()]),
        "Silhouettes": lambda: Silhouettes(
            "Silhouettes",
            list(range(n)),
            rng.integers(2, 90, n).tolist(),
            [2] * n,
            np.tile(np.float64([0.5, -0.25]), n),
            0.125,
        ),
    }
    assert kind in examples, (
        f"{kind} has no example here: add one, so that its drawing and its page are tested"
    )
    return examples[kind]()


@pytest.fixture(params=KIND_NAMES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def figure(kind: str) -> Figure:
    return make(kind, 5)
