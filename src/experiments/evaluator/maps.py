"""The points in the plane or in space, where one sees what lies beside what."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.layouts import METHODS, SPATIAL, TITLES, Planes, place
from experiments.evaluator.pictures.naming import check_name
from experiments.evaluator.pictures.thumbnails import check_side, file_names, has_images, thumbnails
from experiments.figures import Figure, Map, Map3d, pack
from experiments.samples import Samples
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd

PLACE = "evaluator.maps"
PER = 1024  # images that a page decodes at a time
AREA = 24_000_000  # pixels of all images of a page together: about 10 MB
SMALLEST = 16  # pixels a side


@dataclass(frozen=True)
class Maps:
    """Maps of the reduced space by PCA, UMAP and t-SNE: a page that shows the images, a PNG, a table each.

    Parameters
    ----------
    methods
        Any of pca, umap, tsne, and pca3d, whose page one turns.
    files
        What the picture of each method is called; a method that is not in it: map_<method>, as its table.
    n_neighbors, min_dist, metric
        Of UMAP.
    perplexity
        Of t-SNE; None: min(30, (n - 1) / 3). (Study B's min(30, n - 1) makes all points equal neighbours
        below 31 images, and the map a ball.)
    names
        Below so many images their names stand beside the points.
    thumbnail
        Pixels a side of an image; of more than 10,000 images fewer, so that a page stays below 15 MB.
    seed
        Of all three.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "reduced", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 2

    methods: tuple[str, ...]
    files: dict[str, str]
    n_neighbors: int
    min_dist: float
    metric: str
    perplexity: float | None
    names: int
    thumbnail: int
    seed: int

    def __post_init__(self) -> None:
        known = (*METHODS, SPATIAL)
        unknown = [method for method in self.methods if method not in known]
        if unknown or not self.methods:
            raise ValueError(
                f"{PLACE}.methods={list(self.methods)} has {unknown[0] if unknown else 'none'}; "
                f"use some of [{', '.join(known)}]"
            )
        _check_files(self.files, self._files, known)
        check_side(PLACE, self.thumbnail, 48, SMALLEST, 256)
        self._planes.check(PLACE)

    @property
    def _files(self) -> list[str]:
        """What the picture of each method is called."""
        return [self.files.get(method, f"map_{method}") for method in self.methods]

    @property
    def _planes(self) -> Planes:
        return Planes(self.n_neighbors, self.min_dist, self.metric, self.perplexity, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are too few samples."""
        self._planes.check_count(PLACE, self.methods, len(samples))

    def evaluate(
        self, *, ctx: Context, samples: Samples, reduced: np.ndarray, clustering: Clustering
    ) -> Findings:
        """Place the points once for all clusterings, and colour them by this one."""
        images = sheets(samples, self.thumbnail, ctx)
        tables = {
            method: _table(place(self._planes.of(method), reduced, ctx), samples, clustering)
            for method in self.methods
        }
        figures: dict[str, Figure] = {
            file: self._map(method, tables[method], samples, images)
            for method, file in zip(self.methods, self._files, strict=True)
        }
        return Findings({}, {f"map_{method}": table for method, table in tables.items()}, figures)

    def _map(
        self,
        method: str,
        table: "pd.DataFrame",
        samples: Samples,
        images: tuple[np.ndarray, list[int], int],
    ) -> Map:
        n, clusters = len(table), table["cluster"].to_numpy()
        count, noise = len(np.unique(clusters[clusters >= 0])), (clusters < 0).mean()
        title = f"{TITLES[method]} of {n:,} samples of {samples.name}: {count} clusters"
        title += f", {noise:.1%} noise" * bool(noise)
        labels, axis, names = samples.label_names, TITLES[method], file_names(samples)
        packed, ends, side = images
        flat = Map(
            title,
            f"{axis} 1",
            f"{axis} 2",
            table["x"].to_numpy(np.float32),
            table["y"].to_numpy(np.float32),
            clusters,
            _hover(table, names, labels),
            names.tolist() if n < self.names else [],
            packed,
            ends,
            side,
            PER,
        )
        if method != SPATIAL:
            return flat
        held = {f.name: getattr(flat, f.name) for f in fields(Map)}
        return Map3d(**held, z_label=f"{axis} 3", z=table["z"].to_numpy(np.float32))


def _check_files(files: Mapping[str, str], used: list[str], known: tuple[str, ...]) -> None:
    """Raise ValueError for the name of a picture that no method makes, or that two would have."""
    for method, file in files.items():
        if method not in known:
            raise ValueError(f"{PLACE}.files.{method} is of no method; use {', '.join(known)}")
        check_name(f"{PLACE}.files.{method}", file)
    twice = [file for file in used if used.count(file) > 1]
    if twice:
        raise ValueError(f"{PLACE}.files={dict(files)} calls two pictures {twice[0]}; rename one")


def sheets(
    samples: Samples, side: int, ctx: Context, *, per: int = PER, area: int = AREA
) -> tuple[np.ndarray, list[int], int]:
    """Return all images of at most `side` pixels a side, packed, where each sheet ends, and their side.

    Parameters
    ----------
    per
        Images a sheet.
    area
        Pixels of all images together.
    """
    n = len(samples)
    if not has_images(samples, PLACE):
        return np.empty(0, np.uint8), [], 0
    fitting = max(SMALLEST, int((area / n) ** 0.5) // SMALLEST * SMALLEST)
    images = thumbnails(samples, np.arange(n), min(side, fitting), ctx)
    packed, ends = pack(images[start : start + per] for start in range(0, n, per))
    return packed, ends, images.shape[1]


def _table(points: np.ndarray, samples: Samples, clustering: Clustering) -> "pd.DataFrame":
    import pandas as pd

    columns = {"id": samples.ids.astype(str)} | dict(zip("xyz", points.T, strict=False))
    columns["cluster"] = np.asarray(clustering.assignments)
    if clustering.probabilities is not None:
        columns["probability"] = np.asarray(clustering.probabilities)
    labels = samples.label_names
    return pd.DataFrame(columns if labels is None else columns | {"label": labels})


def _hover(table: "pd.DataFrame", names: np.ndarray, labels: np.ndarray | None) -> list[str]:
    lines = [names, [f"cluster {one}" if one >= 0 else "noise" for one in table["cluster"]]]
    if labels is not None:
        lines.append([f"label {label}" * (label != "") for label in labels])
    if "probability" in table:
        lines.append([f"probability {value:.3f}" for value in table["probability"]])
    return ["\n".join(filter(None, said)) for said in zip(*lines, strict=True)]
