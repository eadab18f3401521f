"""Contact sheets: images of each cluster, near its centre, at random, and far from its centre."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.majority import majority
from experiments.evaluator.pictures.centres import distances
from experiments.evaluator.pictures.naming import NO_NAMES, check_name, cluster_name
from experiments.evaluator.pictures.thumbnails import captions, check_side, has_images, thumbnails
from experiments.figures import Figure, ImageSheets, pack
from experiments.samples import Samples
from experiments.types import Clustering, Findings

PREFIX = "evaluator.contact_sheets"
PARTS = ("nearest", "random", "farthest")


class Sheet(NamedTuple):
    """A cluster, its name, its heading, and the rows of each part."""

    cluster: int
    name: str
    heading: str
    parts: dict[str, np.ndarray]


@dataclass(frozen=True)
class ContactSheets:
    """A sheet of images for each cluster, noise last: in one figure or one per cluster, and in a table.

    No image is shown twice. The centre is the mean of a cluster in the reduced space; noise has no centre, so
    its sheet has random images only.

    Parameters
    ----------
    nearest, random, farthest
        Number of images of each kind.
    clusters
        Largest number of sheets, without noise; if there are more clusters, the largest are shown, with a
        note in the title.
    thumbnail
        Side of an image in pixels.
    apart
        Folder for one figure per sheet, named cluster_<i> or noise; None: one figure of all sheets.
    seed
        Seed of the random images.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "reduced", "clustering", "names")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 5

    nearest: int
    random: int
    farthest: int
    clusters: int
    thumbnail: int
    apart: str | None
    seed: int

    def __post_init__(self) -> None:
        for name in PARTS:
            if getattr(self, name) < 0:
                raise ValueError(
                    f"{PREFIX}.{name}={getattr(self, name)} is not a number of images; use 0 or more"
                )
        if self.nearest + self.random + self.farthest < 1:
            raise ValueError(f"{PREFIX}.nearest=0 leaves no image to show; use 1 or more, such as 4")
        if self.clusters < 1:
            raise ValueError(f"{PREFIX}.clusters={self.clusters} leaves no sheet; use 1 or more")
        check_side(PREFIX, self.thumbnail, 80)
        if self.apart is not None:
            check_name(f"{PREFIX}.apart", self.apart)

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(
        self,
        *,
        ctx: Context,
        samples: Samples,
        reduced: np.ndarray,
        clustering: Clustering,
        names: Mapping[int, str] = NO_NAMES,
    ) -> Findings:
        """Choose the images of each sheet; vectors get the table only."""
        import pandas as pd

        assignments, labels = np.asarray(clustering.assignments), samples.label_names
        from_centre = distances(reduced, assignments)
        sheets, omitted = self._sheets(assignments, labels, from_centre, names)
        table = [
            {"cluster": sheet.cluster, "part": part, "place": rank, "id": samples.ids[row],
             "distance": from_centre[row]} | ({} if labels is None else {"label": labels[row]})
            for sheet in sheets
            for part, rows in sheet.parts.items()
            for rank, row in enumerate(rows, 1)
        ]  # fmt: skip
        note = f"the {self.clusters:,} largest of {self.clusters + omitted:,} clusters" * bool(omitted)
        warnings = (f"{PREFIX}.clusters={self.clusters} shows {note}",) if note else ()
        figures = self._figures(note, sheets, samples, ctx) if has_images(samples, PREFIX) else {}
        return Findings({}, {"contact_sheets": pd.DataFrame(table)}, figures, warnings)

    def _figures(self, note: str, sheets: list[Sheet], samples: Samples, ctx: Context) -> dict[str, Figure]:
        texts = captions(samples)
        groups = [np.concatenate(list(sheet.parts.values())) for sheet in sheets]
        images = thumbnails(samples, np.concatenate(groups), self.thumbnail, ctx)
        split = np.split(images, np.cumsum([len(rows) for rows in groups])[:-1])
        sheet_texts = [[str(texts[row]) for row in rows] for rows in groups]
        if self.apart is None:
            title = f"Clusters of {samples.name}" + f", {note}" * bool(note)
            return {"contact_sheets": _figure(title, sheets, split, sheet_texts)}
        figures: dict[str, Figure] = {}
        for sheet, sheet_images, below in zip(sheets, split, sheet_texts, strict=True):
            title = f"{sheet.name[0].upper()}{sheet.name[1:]} of {samples.name}"
            title += f"; shown are {note}" * bool(note)
            file = f"{self.apart}/{cluster_name(sheet.cluster, NO_NAMES).replace(' ', '_')}"
            figures[file] = _figure(title, [sheet], [sheet_images], [below])
        return figures

    def _sheets(
        self,
        assignments: np.ndarray,
        labels: np.ndarray | None,
        from_centre: np.ndarray,
        names: Mapping[int, str],
    ) -> tuple[list[Sheet], int]:
        """Return the sheets, noise last, and the number of clusters without a sheet."""
        ids, sizes = np.unique(assignments[assignments >= 0], return_counts=True)
        largest = np.sort(np.argsort(-sizes, kind="stable")[: self.clusters])
        noise = [-1] if len(assignments) > sizes.sum() else []
        sheets = []
        for cluster in ids[largest].tolist() + noise:
            rows = np.flatnonzero(assignments == cluster)
            parts = dict(self._parts(cluster, rows, from_centre))
            name = cluster_name(cluster, names)
            sheets.append(Sheet(cluster, name, heading(name, rows, labels), parts))
        return sheets, len(ids) - len(largest)

    def _parts(
        self, cluster: int, rows: np.ndarray, from_centre: np.ndarray
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the nonempty parts and their rows; no row is in two parts."""
        rng = np.random.default_rng([self.seed, cluster + 1])
        if cluster < 0:
            count = min(len(rows), self.nearest + self.random + self.farthest)
            yield "random", np.sort(rng.choice(rows, count, replace=False))
            return
        order = rows[np.argsort(from_centre[rows], kind="stable")]
        nearest, rest = order[: self.nearest], order[self.nearest :]
        farthest = rest[::-1][: self.farthest]
        rest = rest[: len(rest) - len(farthest)]
        drawn = np.sort(rng.choice(rest, min(len(rest), self.random), replace=False))
        for part, part_rows in zip(PARTS, (nearest, drawn, farthest), strict=True):
            if len(part_rows):
                yield part, part_rows


def _figure(
    title: str, sheets: list[Sheet], images: list[np.ndarray], captions: list[list[str]]
) -> ImageSheets:
    packed, ends = pack(images)
    return ImageSheets(
        title,
        [sheet.heading for sheet in sheets],
        [{part: len(rows) for part, rows in sheet.parts.items()} for sheet in sheets],
        [caption for texts in captions for caption in texts],
        packed,
        ends,
        images[0].shape[1],
    )


def heading(name: str, rows: np.ndarray, labels: np.ndarray | None) -> str:
    """Return the cluster's name, size and most frequent class."""
    text = f"{name}: {len(rows):,} image{'s' * (len(rows) != 1)}"
    class_share = "" if labels is None else majority(labels[rows]).phrase(len(rows))
    return f"{text}, {class_share}" if class_share else text
