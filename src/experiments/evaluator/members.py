"""The members of each cluster in one table, the most certain members, and outliers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.centres import distances
from experiments.evaluator.pictures.layouts import METHODS, LayoutSettings, cached_positions
from experiments.evaluator.pictures.thumbnails import captions, check_side, file_names, has_images, thumbnails
from experiments.figures import Figure, ImageGrid, ImageSheets, pack
from experiments.samples import Samples
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "evaluator.members"
COLUMNS = 5  # columns of images in the figure of outliers


@dataclass(frozen=True)
class Members:
    """Every sample with position, cluster and probability (`cluster_probs`); the most certain; outliers.

    The most certain members have the highest probability. Ties, and all members if there are no
    probabilities, are sorted by distance to the cluster mean. Outliers are the first noise points; without
    noise, the points farthest from their cluster mean.

    Parameters
    ----------
    method
        Layout of the positions: pca, umap or tsne. With the settings of evaluator.maps, both use one cached
        layout.
    n_neighbors, min_dist, metric, perplexity
        As in evaluator.maps.
    certain
        Number of most certain members of each cluster.
    outliers
        Number of outliers.
    thumbnail
        Side of an image in pixels.
    seed
        Seed of the layout.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "reduced", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 3

    method: str
    n_neighbors: int
    min_dist: float
    metric: str
    perplexity: float | None
    certain: int
    outliers: int
    thumbnail: int
    seed: int

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"{PREFIX}.method={self.method} is not an option; use {' or '.join(METHODS)}")
        for name in ("certain", "outliers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{PREFIX}.{name}={getattr(self, name)} shows no sample; use 1 or more")
        check_side(PREFIX, self.thumbnail, 96)
        self._layouts.check(PREFIX)

    @property
    def _layouts(self) -> LayoutSettings:
        return LayoutSettings(self.n_neighbors, self.min_dist, self.metric, self.perplexity, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are too few samples."""
        self._layouts.check_count(PREFIX, (self.method,), len(samples))

    def evaluate(
        self, *, ctx: Context, samples: Samples, reduced: np.ndarray, clustering: Clustering
    ) -> Findings:
        """Return the three tables; for images also the figures of certain members and outliers."""
        points = cached_positions(self._layouts.method(self.method), reduced, ctx)
        table = _all_samples(points, samples, reduced, clustering)
        certain, outliers = self._certain(table), self._outliers(table)
        tables = {"cluster_probs": table, "most_certain": certain, "outliers": outliers}
        figures: dict[str, Figure] = {}
        if has_images(samples, PREFIX):
            if len(certain):
                figures["most_certain"] = self._sheets(certain, samples, table, ctx)
            images = thumbnails(samples, outliers["row"].to_numpy(), self.thumbnail, ctx)
            title = f"Outliers of {samples.name}: {outliers['why'].iloc[0]}"
            figures["outliers"] = ImageGrid(title, images, outliers["id"].to_list(), COLUMNS)
        shown = {name: rows.drop(columns="row").reset_index(drop=True) for name, rows in tables.items()}
        return Findings({}, shown, figures)

    def _certain(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """Return the most certain members of each cluster, with their rank."""
        inside = table[table["cluster"] >= 0]
        ranks = inside.groupby("cluster").cumcount() + 1
        first = inside[ranks <= self.certain].copy()
        first.insert(0, "place", ranks[ranks <= self.certain])
        first.insert(0, "cluster", first.pop("cluster"))
        return first

    def _outliers(self, table: "pd.DataFrame") -> "pd.DataFrame":
        noise = table[table["cluster"] < 0].sort_values("row").head(self.outliers)
        if len(noise):
            return noise.assign(why=f"the first noise points of {(table['cluster'] < 0).sum():,}")
        far = table.sort_values(["distance", "row"], ascending=[False, True]).head(self.outliers)
        return far.assign(why="the farthest from the centre of their cluster, as there is no noise")

    def _sheets(
        self, certain: "pd.DataFrame", samples: Samples, table: "pd.DataFrame", ctx: Context
    ) -> ImageSheets:
        measure = "probability" if "probability" in certain else "distance"
        names = captions(samples)[certain["row"]]
        sizes = table["cluster"].value_counts()
        groups = [rows["row"].to_numpy() for _, rows in certain.groupby("cluster")]
        images = thumbnails(samples, certain["row"].to_numpy(), self.thumbnail, ctx)
        packed, ends = pack(np.split(images, np.cumsum([len(rows) for rows in groups])[:-1]))
        return ImageSheets(
            f"The most certain members of each cluster of {samples.name}, and their {measure}",
            [f"cluster {cluster} ({sizes[cluster]:,})" for cluster in certain["cluster"].unique()],
            [{"": len(rows)} for rows in groups],
            [f"{name}: {value:.3g}" for name, value in zip(names, certain[measure], strict=True)],
            packed,
            ends,
            images.shape[1],
        )


def _all_samples(
    points: np.ndarray, samples: Samples, reduced: np.ndarray, clustering: Clustering
) -> "pd.DataFrame":
    """Return a table of all samples by cluster, the most certain first; `row` is their row index."""
    import pandas as pd

    assignments, labels = np.asarray(clustering.assignments), samples.label_names
    columns = {"row": np.arange(len(samples)), "id": samples.ids.astype(str), "file": file_names(samples)}
    columns |= {"x": points[:, 0], "y": points[:, 1], "cluster": assignments}
    if clustering.probabilities is not None:
        columns["probability"] = np.asarray(clustering.probabilities)
    columns["distance"] = distances(reduced, assignments)
    table = pd.DataFrame(columns if labels is None else columns | {"label": labels})
    if clustering.probabilities is None:
        return table.sort_values(["cluster", "distance", "row"])
    return table.sort_values(
        ["cluster", "probability", "distance", "row"], ascending=[True, False, True, True]
    )
