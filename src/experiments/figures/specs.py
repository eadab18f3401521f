"""What each kind of picture shows, and nothing of how it looks."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from experiments.store.values import SavedFields, class_name, load_saved_class


@dataclass(frozen=True, eq=False)
class Figure(SavedFields):
    """A picture as a value, equal if it shows the same; figures/ has the kinds, and draws each twice."""

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
        The y values of each curve by its name, as many as `x`; nan leaves a gap.
    marks
        Where vertical lines stand, by their names.
    ticks
        What stands at each x, if not the number itself.
    dashed
        Names of series that are only compared with, such as a ceiling.
    low, high
        The ends of an interval at each x, for series that have one: drawn as a band.
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
    """One bar a name, the first on top: `x_label` is of the names, `y_label` of the values."""

    x_label: str
    y_label: str
    names: list[str]
    values: list[float]


@dataclass(frozen=True, eq=False)
class StackedBars(Figure):
    """One bar a name, the first on top, cut into shares: float (r, c), a row for each name, summing to 1.

    Parameters
    ----------
    parts
        What each of the c shares is of; `other`, the last, is all that has no colour of its own.
    """

    OTHER: ClassVar[str] = "other"

    x_label: str
    y_label: str
    names: list[str]
    parts: list[str]
    shares: np.ndarray


@dataclass(frozen=True, eq=False)
class Histogram(Figure):
    """How often values fall into each of `bins` equal bins."""

    x_label: str
    values: np.ndarray | list[float]
    bins: int


@dataclass(frozen=True, eq=False)
class Heatmap(Figure):
    """A value for each row and column: float (r, c); nan stays empty."""

    rows: list[str]
    columns: list[str]
    values: np.ndarray
    value_label: str
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True, eq=False)
class Contrasts(Heatmap):
    """A heat map of values above and below zero, which is white; both sides reach equally far."""


@dataclass(frozen=True, eq=False)
class Scatter(Figure):
    """Points float (n,) in the plane, coloured by group; `hover` is what a page says of each."""

    x_label: str
    y_label: str
    x: np.ndarray
    y: np.ndarray
    groups: list[str]
    hover: list[str]


@dataclass(frozen=True, eq=False)
class Dendrogram(Figure):
    """A tree over c names: scipy's linkage float (c - 1, 4), and the height at which it is cut."""

    names: list[str]
    linkage: np.ndarray
    cut: float


@dataclass(frozen=True, eq=False)
class Grid(Figure):
    """Images uint8 (m, S, S, 3), row by row, a caption each."""

    images: np.ndarray
    captions: list[str]
    columns: int


@dataclass(frozen=True, eq=False)
class Sheets(Figure):
    """Sheets of images under one another, each with a heading and images in named parts.

    Parameters
    ----------
    names
        The heading of each sheet.
    parts
        Of each sheet: how many images each of its parts has, by the part's name; "" needs no name.
    captions
        Of every image, sheet after sheet.
    images, ends
        What `sprites.pack` makes of the images of each sheet.
    """

    names: list[str]
    parts: list[dict[str, int]]
    captions: list[str]
    images: np.ndarray
    ends: list[int]
    side: int


@dataclass(frozen=True, eq=False)
class Map(Figure):
    """Points float (n,) in the plane, coloured by cluster, that show their image on a page.

    Parameters
    ----------
    clusters
        int64 (n,): -1 is noise.
    hover
        What a page says of each point, line by line.
    beside
        What stands beside each point; empty for nothing.
    images, ends
        What `sprites.pack` makes of the images, `per` of them at a time; empty for none.
    """

    x_label: str
    y_label: str
    x: np.ndarray
    y: np.ndarray
    clusters: np.ndarray
    hover: list[str]
    beside: list[str]
    images: np.ndarray
    ends: list[int]
    side: int
    per: int


@dataclass(frozen=True, eq=False)
class Space(Map):
    """A map of three dimensions, float (n,) each, that a page lets one turn."""

    z_label: str
    z: np.ndarray


@dataclass(frozen=True, eq=False)
class Silhouettes(Figure):
    """The silhouettes of each cluster, sorted, as a profile as high as the cluster is large.

    Parameters
    ----------
    clusters, sizes
        Each cluster's number and how many points it has.
    counts
        How many of `values` belong to each cluster, largest first; few stand for many.
    mean
        Of all points.
    """

    clusters: list[int]
    sizes: list[int]
    counts: list[int]
    values: np.ndarray
    mean: float


@dataclass(frozen=True, eq=False)
class Panels(Figure):
    """Several pictures that are read together, in this order."""

    panels: list[Figure]

    def save(self, folder: Path) -> None:
        """Write each into a folder of its own."""
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
        about = json.loads((folder / "panels.json").read_text(encoding="utf-8"))
        places = [folder / str(number) for number in range(len(about["kinds"]))]
        panels = [
            load_saved_class(kind, place).load(place)
            for kind, place in zip(about["kinds"], places, strict=True)
        ]
        return cls(about["title"], panels)


def _same(one: Any, other: Any) -> bool:
    """Compare what is shown: a tuple equals a list, a number of numpy's a plain one, and nan is nan."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other or (one != one and other != other))
