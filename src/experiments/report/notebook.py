"""A result in Jupyter: its main metrics and largest clusters, with images."""

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
from experiments.report.headlines import equal_count_suffixes, headlines

MAX_CLUSTERS, MAX_IMAGES = 10, 12  # shown: the largest clusters, and the images nearest to their centres
SIDE, GAP = 48, 2  # pixels


@dataclass(frozen=True, eq=False, repr=False)
class NotebookResult(Result):
    """A result with an HTML view for Jupyter."""

    @classmethod
    def of(cls, result: Result) -> Self:
        """Return `result` as a NotebookResult."""
        return cls(**{f.name: getattr(result, f.name) for f in fields(result)})

    def _repr_html_(self) -> str:
        return notebook_html(self)


def notebook_html(result: Result) -> str:
    """Return HTML without scripts and style sheets; unreadable images are omitted."""
    samples, assignments = result.samples, np.asarray(result.clustering.assignments)
    numbers, sizes = np.unique(assignments[assignments >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:MAX_CLUSTERS]
    shown = numbers[order]
    rows = _nearest(result, shown)
    strips = _image_strips(result, rows)
    clusters = [
        {
            "number": int(number),
            "name": result.names.get(int(number), ""),
            "size": int(size),
            "share": float(size / sizes.max()),
            "images": strip,
        }
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
        metrics=headlines(result.metrics, equal_counts=equal_count_suffixes(result)),
    )


def _nearest(result: Result, clusters: np.ndarray) -> list[np.ndarray]:
    """Return the rows nearest to the centre of each cluster."""
    assignments = np.asarray(result.clustering.assignments)
    distance_to_centre = distances(result.reduced, assignments)
    members = [np.flatnonzero(assignments == number) for number in clusters]
    return [rows[np.argsort(distance_to_centre[rows], kind="stable")[:MAX_IMAGES]] for rows in members]


def _image_strips(result: Result, rows: Sequence[np.ndarray]) -> list[dict[str, str]]:
    """Return the images of each cluster as a base64 JPEG, with their labels; {} without images."""
    samples = result.samples
    if not samples.content.has_images or not rows:
        return [{} for _ in rows]
    try:
        images = thumbnails(samples, np.concatenate(rows), SIDE, result.step_keys.for_backbone)
    except (OSError, ValueError):  # the files were moved
        return [{} for _ in rows]
    parts = np.split(images, np.cumsum([len(part) for part in rows])[:-1])
    names = samples.ids if samples.label_names is None else samples.label_names
    return [
        {"jpeg": _jpeg(part), "labels": ", ".join(map(str, names[part_rows]))}
        for part, part_rows in zip(parts, rows, strict=True)
    ]


def _jpeg(images: np.ndarray) -> str:
    """Encode images uint8 (m, S, S, 3) in a row, as a base64 JPEG; small ones are enlarged."""
    from PIL import Image

    scale = max(1, SIDE // images.shape[1])
    tiles = images.repeat(scale, axis=1).repeat(scale, axis=2)
    spaced = np.pad(tiles, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
    file = BytesIO()
    Image.fromarray(np.concatenate(spaced, axis=1)).save(file, "JPEG", quality=85, subsampling=0)
    return base64.b64encode(file.getvalue()).decode()
