"""Maps: the reduced space in two or three dimensions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.layouts import METHODS, SPATIAL, TITLES, LayoutSettings, cached_positions
from experiments.evaluator.pictures.naming import NO_NAMES, check_name, cluster_name
from experiments.evaluator.pictures.thumbnails import check_side, file_names, has_images, thumbnails
from experiments.figures import Figure, Map, Map3d, pack
from experiments.samples import Samples
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "evaluator.maps"
PER_SHEET = 1024  # number of images per sheet, which a page decodes at once
AREA = 24_000_000  # pixels of all images of a page together: about 10 MB
SMALLEST = 16  # smallest side of an image in pixels


@dataclass(frozen=True)
class Maps:
    """Maps of the reduced space by PCA, UMAP and t-SNE: each a page with the images, a PNG and a table.

    Parameters
    ----------
    methods
        Any of pca, umap, tsne and pca3d, a rotatable map in three dimensions.
    files
        File name of the figure of each method; by default map_<method>, the name of its table.
    n_neighbors, min_dist, metric
        Settings of UMAP.
    perplexity
        Perplexity of t-SNE; None: min(30, (n - 1) / 3). (Study B's min(30, n - 1) makes all points neighbours
        below 31 images, so the map is a ball.)
    names
        Number of images below which names are shown next to the points.
    thumbnail
        Side of an image in pixels; smaller for more than 10,000 images, so that a page stays below 15 MB.
    seed
        Seed of all methods.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "reduced", "clustering", "names")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 3

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
                f"{PREFIX}.methods={list(self.methods)} has {unknown[0] if unknown else 'none'}; "
                f"use some of [{', '.join(known)}]"
            )
        _check_files(self.files, self._files, known)
        check_side(PREFIX, self.thumbnail, 48, SMALLEST, 256)
        self._layouts.check(PREFIX)

    @property
    def _files(self) -> list[str]:
        """Return the file name of each method's figure."""
        return [self.files.get(method, f"map_{method}") for method in self.methods]

    @property
    def _layouts(self) -> LayoutSettings:
        return LayoutSettings(self.n_neighbors, self.min_dist, self.metric, self.perplexity, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are too few samples."""
        self._layouts.check_count(PREFIX, self.methods, len(samples))

    def evaluate(
        self,
        *,
        ctx: Context,
        samples: Samples,
        reduced: np.ndarray,
        clustering: Clustering,
        names: Mapping[int, str] = NO_NAMES,
    ) -> Findings:
        """Compute the positions, cached for other clusterings, and colour the points by cluster."""
        images = sheets(samples, self.thumbnail, ctx)
        tables = {
            method: _table(cached_positions(self._layouts.method(method), reduced, ctx), samples, clustering)
            for method in self.methods
        }
        figures: dict[str, Figure] = {
            file: self._map(method, tables[method], samples, images, names)
            for method, file in zip(self.methods, self._files, strict=True)
        }
        return Findings({}, {f"map_{method}": table for method, table in tables.items()}, figures)

    def _map(
        self,
        method: str,
        table: "pd.DataFrame",
        samples: Samples,
        images: tuple[np.ndarray, list[int], int],
        cluster_names: Mapping[int, str],
    ) -> Map:
        n, clusters = len(table), table["cluster"].to_numpy()
        count, noise = len(np.unique(clusters[clusters >= 0])), (clusters < 0).mean()
        title = f"{TITLES[method]} of {n:,} samples of {samples.name}: {count} clusters"
        title += f", {noise:.1%} noise" * bool(noise)
        labels, axis, names = samples.label_names, TITLES[method], file_names(samples)
        packed, ends, side = images
        flat_map = Map(
            title,
            f"{axis} 1",
            f"{axis} 2",
            table["x"].to_numpy(np.float32),
            table["y"].to_numpy(np.float32),
            clusters,
            _hover(table, names, labels, cluster_names),
            names.tolist() if n < self.names else [],
            packed,
            ends,
            side,
            PER_SHEET,
            cluster_names={str(cluster): name for cluster, name in cluster_names.items()},
        )
        if method != SPATIAL:
            return flat_map
        values = {f.name: getattr(flat_map, f.name) for f in fields(Map)}
        return Map3d(**values, z_label=f"{axis} 3", z=table["z"].to_numpy(np.float32))


def _check_files(files: Mapping[str, str], used: list[str], known: tuple[str, ...]) -> None:
    """Raise ValueError for an unknown method, an invalid file name, or a file name of two figures."""
    for method, file in files.items():
        if method not in known:
            raise ValueError(f"{PREFIX}.files.{method} is not a method; use {', '.join(known)}")
        check_name(f"{PREFIX}.files.{method}", file)
    twice = [file for file in used if used.count(file) > 1]
    if twice:
        raise ValueError(f"{PREFIX}.files={dict(files)} has two figures named {twice[0]}; rename one")


def sheets(
    samples: Samples, side: int, ctx: Context, *, per: int = PER_SHEET, area: int = AREA
) -> tuple[np.ndarray, list[int], int]:
    """Return all images packed into sheets, the end of each sheet, and the side of an image.

    Parameters
    ----------
    side
        Largest side of an image in pixels.
    per
        Number of images per sheet.
    area
        Largest number of pixels of all images together.
    """
    n = len(samples)
    if not has_images(samples, PREFIX):
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


def _hover(
    table: "pd.DataFrame", names: np.ndarray, labels: np.ndarray | None, cluster_names: Mapping[int, str]
) -> list[str]:
    lines = [names, [cluster_name(cluster, cluster_names) for cluster in table["cluster"]]]
    if labels is not None:
        lines.append([f"label {label}" * (label != "") for label in labels])
    if "probability" in table:
        lines.append([f"probability {value:.3f}" for value in table["probability"]])
    return ["\n".join(filter(None, texts)) for texts in zip(*lines, strict=True)]
