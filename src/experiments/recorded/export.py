"""Write the clusters of a recorded run for other programs: folders of images, and tables that they read."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import ImageFiles
from experiments.dataset.vectors.content import Vectors
from experiments.job.artifacts import ASSIGNMENTS
from experiments.recorded import Recorded
from experiments.recorded.embeddings import check_kind, embeddings_of
from experiments.recorded.embeddings import write as write_embeddings
from experiments.recorded.samples import NOWHERE, rows_of, samples_of
from experiments.report import tables
from experiments.samples import Content, Resize

if TYPE_CHECKING:
    import pandas as pd

HOWS = ("copy", "link")
NOISE = "noise"
LONGEST = 200  # bytes of a stem: file systems take 255 with a number and an ending
IMAGES = "data"  # where FiftyOne's formats have the images


def export(
    run: Recorded,
    folder: Path,
    how: str,
    ctx: Context,
    embeddings: str | None = None,
    places: Mapping[str, Any] = NOWHERE,
) -> "pd.DataFrame":
    """Write a run's clusters into a new or empty folder; return its table, a row per image.

    It gets `data/<cluster>/` with the images of each cluster, `data/noise/` with those of none,
    `assignments.csv` and `.parquet`, `labels.json` (FiftyOneImageClassificationDataset, with data/) and
    `coco.json` (COCO, the cluster as the category of the whole image). Vectors without images to look at get
    the two tables alone; a vector that has none where others do gets no file, and no path.

    Parameters
    ----------
    how
        `copy`, or `link`: symbolic links to the images where they are.
    embeddings
        `csv`, `parquet` or `npy`: also write what was clustered, as `dataset=embeddings` reads it.
    places
        Where its data is now, as `samples.moved` reads it.
    """
    import pandas as pd

    if how not in HOWS:
        raise ValueError(f"--how {how} is not an option; use {' or '.join(HOWS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"FOLDER={folder} is there already and not empty; name a new one")
    with tempfile.TemporaryDirectory(prefix="experiments-") as fetched:
        table = pd.read_parquet(run.file(ASSIGNMENTS, Path(fetched)))
    ids = table["id"].to_numpy(str)
    values: np.ndarray | None = None
    columns: tuple[str, ...] = ()
    if embeddings is not None:  # first, as it may compute for long
        check_kind(embeddings)
        values, columns = embeddings_of(run, ids, table["hash"].to_numpy(str), ctx, places)
    samples = samples_of(run, ctx, places)
    if samples.content.has_images:
        table["path"] = _export_images(
            samples.content.take(rows_of(run, ids, samples)), table, folder, how, ctx
        )
    folder.mkdir(parents=True, exist_ok=True)
    if values is not None:
        write_embeddings(ids, values, columns, folder, str(embeddings))
    tables.to_csv(table, folder / "assignments.csv")
    table.to_parquet(folder / ASSIGNMENTS, index=False)
    return table


def _export_images(
    content: Content, table: "pd.DataFrame", folder: Path, how: str, ctx: Context
) -> list[str | None]:
    """Write the images and what describes them; return the path of each below data/, or None."""
    images: Any = content.images if isinstance(content, Vectors) else content
    shown = np.flatnonzero(images.paths != "") if isinstance(images, ImageFiles) else np.arange(len(table))
    images, rows = images.take(shown), table.iloc[shown].copy()
    rows["path"] = _names(rows, images)
    _write(images, [folder / IMAGES / path for path in rows["path"]], how, ctx)
    for name, described in {"labels": _fiftyone(rows), "coco": _coco(rows, images.dimensions())}.items():
        (folder / f"{name}.json").write_text(json.dumps(described), encoding="utf-8")
    paths: list[str | None] = [None] * len(table)
    for row, path in zip(shown, rows["path"], strict=True):
        paths[row] = path
    return paths


def _names(table: "pd.DataFrame", content: Content) -> list[str]:
    """Name each image `<cluster>/<id>`, flat and with a stem of its own, as FiftyOne knows them by it."""
    digits = len(str(max(table["cluster"].max(), 0)))
    taken: set[str] = set()
    names = []
    for number, name in zip(table["cluster"], table["id"], strict=True):
        flat = PurePosixPath(name.replace("/", "__"))
        suffix = flat.suffix if isinstance(content, ImageFiles) else ".png"
        stem = _short(flat.stem if isinstance(content, ImageFiles) else str(flat))
        numbered = _numbered(f"{_cluster(number, digits)}/{stem}")
        free = next(each for each in numbered if each.casefold() not in taken)
        taken.add(free.casefold())  # some file systems take A for a
        names.append(f"{free}{suffix}")
    return names


def _short(stem: str) -> str:
    """Return the end of a name that file systems would refuse, as folders make ids long."""
    return stem.encode()[-LONGEST:].decode(errors="ignore")


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in count(2))


def _cluster(number: int, digits: int) -> str:
    return NOISE if number < 0 else f"cluster_{number:0{digits}}"


def _write(content: Content, places: list[Path], how: str, ctx: Context) -> None:
    """Put each image to its place."""
    if isinstance(content, ImageFiles):
        put: Callable[[Any, Path], object] = shutil.copyfile if how == "copy" else os.symlink
        sources: list[Any] = [(content.root / path).resolve() for path in content.paths]
    elif how == "link":
        raise ValueError("--how link needs image files, and these images are in memory; use --how copy")
    else:
        put = _save
        sources = list(content.pixels(Resize(int(content.dimensions()[0].max())), ctx))
    for folder in {place.parent for place in places}:
        folder.mkdir(parents=True)
    with ctx.report.progress("export", len(places), "images") as done:
        for source, place in zip(sources, places, strict=True):
            put(source, place)
            done(1)


def _save(pixels: np.ndarray, place: Path) -> None:
    from PIL import Image

    Image.fromarray(pixels).save(place)


def _fiftyone(table: "pd.DataFrame") -> dict[str, Any]:
    """Describe the clusters as labels.json of a FiftyOneImageClassificationDataset.

    Its images lie below data/, and `labels` maps the path of each below it, without its ending, to a class.
    """
    clusters = [PurePosixPath(path).parent.name for path in table["path"]]
    classes = sorted(set(clusters))
    keys = [path.rpartition(".")[0] for path in table["path"]]
    return {
        "classes": classes,
        "labels": {key: classes.index(c) for key, c in zip(keys, clusters, strict=True)},
    }


def _coco(table: "pd.DataFrame", sizes: np.ndarray) -> dict[str, Any]:
    """Describe the clusters as COCO annotations: a box around each whole image, of its cluster's category.

    `file_name` is below data/; categories and annotations are numbered from 1.
    """
    clusters = [PurePosixPath(path).parent.name for path in table["path"]]
    number = {name: position for position, name in enumerate(sorted(set(clusters)), start=1)}
    images, annotations = [], []
    for row, (path, cluster, (width, height)) in enumerate(
        zip(table["path"], clusters, sizes.tolist(), strict=True), start=1
    ):
        images.append({"id": row, "file_name": path, "width": width, "height": height})
        whole = {"bbox": [0, 0, width, height], "area": width * height, "segmentation": [], "iscrowd": 0}
        annotations.append({"id": row, "image_id": row, "category_id": number[cluster]} | whole)
    categories = [{"id": place, "name": name, "supercategory": "cluster"} for name, place in number.items()]
    info = {"description": "clusters of images", "version": "1.0"}
    return {
        "info": info, "licenses": [], "images": images, "annotations": annotations, "categories": categories,
    }  # fmt: skip
