"""The kinds of figures as data, without style."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from experiments.store.values import SavedFields, class_name, load_saved_class


@dataclass(frozen=True, eq=False)
class Figure(SavedFields):
    """A picture as data; equal data gives equal pictures. Each kind is drawn as an HTML page and as a PNG."""

    title: str

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            _same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Lines(Figure):
    """Curves over one x.

    Parameters
    ----------
    series
        The y values of each curve, by name, one for each `x`; nan leaves a gap.
    marks
        x of vertical lines, by name.
    ticks
        Labels of the x values; empty for the numbers themselves.
    dashed
        Names of reference series, such as a ceiling; drawn dashed.
    low, high
        Interval bounds at each x, by series; drawn as a band.
    """

    x_label: str
    y_label: str
    x: list[float]
    series: dict[str, list[float]]
    log_x: bool = False
    marks: dict[str, float] = field(default_factory=dict)
    ticks: list[str] = field(default_factory=list)
    dashed: list[str] = field(default_factory=list)
    low: dict[str, list[float]] = field(default_factory=dict)
    high: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Bars(Figure):
    """Horizontal bars, the first on top; `x_label` describes the names, `y_label` the values."""

    x_label: str
    y_label: str
    names: list[str]
    values: list[float]


@dataclass(frozen=True, eq=False)
class StackedBars(Figure):
    """Horizontal stacked bars, the first on top; each row of `shares`, float (r, c), sums to 1.

    Parameters
    ----------
    parts
        Names of the c shares; a last one named `other` is the remainder, drawn grey.
    """

    OTHER: ClassVar[str] = "other"

    x_label: str
    y_label: str
    names: list[str]
    parts: list[str]
    shares: np.ndarray


@dataclass(frozen=True, eq=False)
class Histogram(Figure):
    """A histogram of `values` with `bins` equal bins."""

    x_label: str
    values: np.ndarray | list[float]
    bins: int


@dataclass(frozen=True, eq=False)
class Heatmap(Figure):
    """A heat map of float (r, c); cells of nan stay empty."""

    rows: list[str]
    columns: list[str]
    values: np.ndarray
    value_label: str
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True, eq=False)
class DivergingHeatmap(Heatmap):
    """A heat map with a diverging colour scale, white at zero and symmetric around it."""


@dataclass(frozen=True, eq=False)
class Scatter(Figure):
    """Points float (n,) in the plane, coloured by group; `hover` has the hover text of each."""

    x_label: str
    y_label: str
    x: np.ndarray
    y: np.ndarray
    groups: list[str]
    hover: list[str]


@dataclass(frozen=True, eq=False)
class Dendrogram(Figure):
    """A tree over c names: scipy's linkage, float (c - 1, 4), and the height of the cut."""

    names: list[str]
    linkage: np.ndarray
    cut: float


@dataclass(frozen=True, eq=False)
class ImageGrid(Figure):
    """Images uint8 (m, S, S, 3) in rows, each with a caption."""

    images: np.ndarray
    captions: list[str]
    columns: int


@dataclass(frozen=True, eq=False)
class ImageSheets(Figure):
    """Contact sheets below each other, each with a heading and images in named parts.

    Parameters
    ----------
    names
        The heading of each sheet.
    parts
        Number of images of each part of each sheet, by the part's name; "" for a part without a heading.
    captions
        Captions of all images, in the order of the sheets.
    images, ends
        The packed images of each sheet, as `sprites.pack` returns them.
    """

    names: list[str]
    parts: list[dict[str, int]]
    captions: list[str]
    images: np.ndarray
    ends: list[int]
    side: int


@dataclass(frozen=True, eq=False)
class Map(Figure):
    """Points float (n,) in the plane, coloured by cluster; a page shows the image of the hovered point.

    Parameters
    ----------
    clusters
        int64 (n,): -1 is noise.
    hover
        Hover text of each point.
    images, ends
        The packed images, `per` of them in each JPEG, as `sprites.pack` returns them; empty for no images.
    cluster_names
        Name of each cluster in the legend, by its number as text; empty for numbers only.
    """

    x_label: str
    y_label: str
    x: np.ndarray
    y: np.ndarray
    clusters: np.ndarray
    hover: list[str]
    point_names: list[str]  # text next to each point; empty for no texts
    images: np.ndarray
    ends: list[int]
    side: int
    per: int
    cluster_names: dict[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, eq=False)
class Map3d(Map):
    """A map in three dimensions, float (n,) each; a page can rotate it."""

    z_label: str
    z: np.ndarray


@dataclass(frozen=True, eq=False)
class Silhouettes(Figure):
    """A silhouette plot: sorted silhouettes of each cluster, with heights proportional to cluster sizes.

    Parameters
    ----------
    clusters, sizes
        Number and size of each cluster.
    counts
        Number of `values` of each cluster; the values descend, and a large cluster has a sample of them.
    mean
        Mean silhouette of all points.
    """

    clusters: list[int]
    sizes: list[int]
    counts: list[int]
    values: np.ndarray
    mean: float


@dataclass(frozen=True, eq=False)
class Panels(Figure):
    """Several figures in one picture, in this order."""

    panels: list[Figure]

    def save(self, folder: Path) -> None:
        """Write each panel into its own folder."""
        kinds = []
        for number, figure in enumerate(self.panels):
            (folder / str(number)).mkdir()
            figure.save(folder / str(number))
            kinds.append(class_name(figure))
        (folder / "panels.json").write_text(
            json.dumps({"title": self.title, "kinds": kinds}), encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        values = json.loads((folder / "panels.json").read_text(encoding="utf-8"))
        folders = [folder / str(number) for number in range(len(values["kinds"]))]
        panels = [
            load_saved_class(kind, path).load(path)
            for kind, path in zip(values["kinds"], folders, strict=True)
        ]
        return cls(values["title"], panels)


def _same(first: Any, second: Any) -> bool:
    """Return True if two field values are equal; a tuple equals a list, and nan equals nan."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[name], second[name]) for name in first)
    return bool(first == second or (first != first and second != second))
