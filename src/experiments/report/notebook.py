"""What Jupyter shows of a result: its main metrics, its largest clusters, and images of these."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Self

import numpy as np

from experiments.evaluator.pictures.centres import distances
from experiments.evaluator.pictures.thumbnails import thumbnails
from experiments.figures.html.markup import render
from experiments.pipeline import Result
from experiments.report.headlines import alike, headlines

CLUSTERS, IMAGES = 10, 12  # that are shown: the largest, and the nearest to the centre of each
SIDE, GAP = 48, 2  # pixels


@dataclass(frozen=True, eq=False, repr=False)
class NotebookResult(Result):
    """A result that Jupyter shows as a page of its metrics and clusters."""

    @classmethod
    def of(cls, result: Result) -> Self:
        """Return the same result."""
        return cls(**{f.name: getattr(result, f.name) for f in fields(result)})

    def _repr_html_(self) -> str:
        return page(self)


def page(result: Result) -> str:
    """Return markup without script or style sheet; images that cannot be read any more are left out."""
    samples, assignments = result.samples, np.asarray(result.clustering.assignments)
    numbers, sizes = np.unique(assignments[assignments >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:CLUSTERS]
    shown = numbers[order]
    rows = _nearest(result, shown)
    strips = _strips(result, rows)
    clusters = [
        {"number": int(number), "size": int(size), "share": float(size / sizes.max()), "images": strip}
        for number, size, strip in zip(shown, sizes[order], strips, strict=True)
    ]
    return render(
        "notebook.html",
        "experiments.report",
        samples=samples,
        classes=None if samples.labels is None else len(samples.class_names),
        clusters=clusters,
        count=len(numbers),
        noise=int((assignments < 0).sum()),
        metrics=headlines(result.metrics, alike=alike(result)),
    )


def _nearest(result: Result, clusters: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each cluster that are nearest to its centre."""
    assignments = np.asarray(result.clustering.assignments)
    away = distances(result.reduced, assignments)
    members = [np.flatnonzero(assignments == number) for number in clusters]
    return [rows[np.argsort(away[rows], kind="stable")[:IMAGES]] for rows in members]


def _strips(result: Result, rows: Sequence[np.ndarray]) -> list[dict[str, str]]:
    """Return a JPEG of the images of each cluster, in base64, with their labels; {} where there are none."""
    samples = result.samples
    if not samples.content.has_images or not rows:
        return [{} for _ in rows]
    try:
        images = thumbnails(samples, np.concatenate(rows), SIDE, result.step_keys.for_backbone)
    except (OSError, ValueError):  # the data was moved since
        return [{} for _ in rows]
    parts = np.split(images, np.cumsum([len(part) for part in rows])[:-1])
    names = samples.ids if samples.label_names is None else samples.label_names
    return [
        {"jpeg": _jpeg(part), "labels": ", ".join(map(str, names[places]))}
        for part, places in zip(parts, rows, strict=True)
    ]


def _jpeg(images: np.ndarray) -> str:
    """Encode images uint8 (m, S, S, 3) next to each other, small ones by larger pixels."""
    from PIL import Image

    scale = max(1, SIDE // images.shape[1])
    tiles = images.repeat(scale, axis=1).repeat(scale, axis=2)
    spaced = np.pad(tiles, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
    file = BytesIO()
    Image.fromarray(np.concatenate(spaced, axis=1)).save(file, "JPEG", quality=85, subsampling=0)
    return base64.b64encode(file.getvalue()).decode()
