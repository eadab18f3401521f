"""Export the clusters of a past run for other programs: folders of images, tables, FiftyOne and COCO."""

import json
import os
import re
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
from experiments.recorded import PastRun
from experiments.recorded.embeddings import check_kind, embeddings_of
from experiments.recorded.embeddings import write as write_embeddings
from experiments.recorded.samples import UNMOVED, rows_of, samples_of
from experiments.report import tables
from experiments.samples import Content, Resize

if TYPE_CHECKING:
    import pandas as pd

REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # in names of files, by some file systems
HOWS = ("copy", "link")
NOISE = "noise"
MAX_STEM_BYTES = 200  # file systems allow 255 bytes with a number and a suffix
IMAGE_FOLDER = "data"  # FiftyOne's name


def export(
    run: PastRun,
    folder: Path,
    how: str,
    ctx: Context,
    embeddings: str | None = None,
    data_paths: Mapping[str, Any] = UNMOVED,
) -> "pd.DataFrame":
    """Write a run's clusters into a new or empty folder; return the table, a row per image.

    The folder gets `data/<cluster>/` with the images of each cluster, `data/noise/` with noise, and the name
    of a cluster in that of its folder, such as `03 teapot`, if the run named it;
    `assignments.csv` and `.parquet`, `labels.json` (FiftyOneImageClassificationDataset, with data/) and
    `coco.json` (COCO, the cluster as the category of the whole image). Vectors without images get only the
    two tables; if some vectors have an image, the others get no file and no path.

    Parameters
    ----------
    how
        `copy`, or `link`: symbolic links to the original images.
    embeddings
        `csv`, `parquet` or `npy`: also write the clustered embeddings in the format of `dataset=embeddings`.
    data_paths
        Paths of data that was moved, from `samples.split_data_paths`.
    """
    import pandas as pd

    if how not in HOWS:
        raise ValueError(f"--how {how} is not an option; use {' or '.join(HOWS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"FOLDER={folder} exists and is not empty; use a new folder")
    with tempfile.TemporaryDirectory(prefix="experiments-") as download_folder:
        table = pd.read_parquet(run.file(ASSIGNMENTS, Path(download_folder)))
    ids = table["id"].to_numpy(str)
    values: np.ndarray | None = None
    columns: tuple[str, ...] = ()
    if embeddings is not None:  # first, as it may raise an error
        check_kind(embeddings)
        values, columns = embeddings_of(run, ids, table["hash"].to_numpy(str), ctx, data_paths)
    samples = samples_of(run, ctx, data_paths)
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
    """Write the images and their JSON descriptions; return each image's path below data/, or None."""
    images: Any = content.images if isinstance(content, Vectors) else content
    with_image = np.arange(len(table))
    if isinstance(images, ImageFiles):
        with_image = np.flatnonzero(images.paths != "")
    images, rows = images.take(with_image), table.iloc[with_image].copy()
    rows["path"] = _names(rows, images)
    _write(images, [folder / IMAGE_FOLDER / path for path in rows["path"]], how, ctx)
    for name, values in {"labels": _fiftyone(rows), "coco": _coco(rows, images.dimensions())}.items():
        (folder / f"{name}.json").write_text(json.dumps(values), encoding="utf-8")
    paths: list[str | None] = [None] * len(table)
    for row, path in zip(with_image, rows["path"], strict=True):
        paths[row] = path
    return paths


def _names(table: "pd.DataFrame", content: Content) -> list[str]:
    """Return a path `<cluster>/<id>` of each image, without subfolders; FiftyOne needs unique stems."""
    digits = len(str(max(table["cluster"].max(), 0)))
    used: set[str] = set()
    names = []
    given = table["name"] if "name" in table else [None] * len(table)
    for number, name, title in zip(table["cluster"], table["id"], given, strict=True):
        flat = PurePosixPath(name.replace("/", "__"))
        suffix = flat.suffix if isinstance(content, ImageFiles) else ".png"
        stem = _short(flat.stem if isinstance(content, ImageFiles) else str(flat))
        candidates = _numbered(f"{_cluster(number, digits, title)}/{stem}")
        free = next(candidate for candidate in candidates if candidate.casefold() not in used)
        used.add(free.casefold())  # some file systems ignore case
        names.append(f"{free}{suffix}")
    return names


def _short(stem: str) -> str:
    """Shorten a name to the end that file systems allow; ids with folders may be too long."""
    return stem.encode()[-MAX_STEM_BYTES:].decode(errors="ignore")


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in count(2))


def _cluster(number: int, digits: int, name: str | None) -> str:
    """Return the name of a cluster's folder; characters that a file system may refuse become `_`."""
    if number < 0:
        return NOISE
    safe = _short(REFUSED.sub("_", name or "")).rstrip(" .")
    return f"{number:0{digits}} {safe}" if safe else f"cluster_{number:0{digits}}"


def _write(content: Content, paths: list[Path], how: str, ctx: Context) -> None:
    """Write each image to its path."""
    if isinstance(content, ImageFiles):
        write_image: Callable[[Any, Path], object] = shutil.copyfile if how == "copy" else os.symlink
        sources: list[Any] = [(content.root / path).resolve() for path in content.paths]
    elif how == "link":
        raise ValueError("--how link needs image files, but these images are in memory; use --how copy")
    else:
        write_image = _save
        sources = list(content.pixels(Resize(int(content.dimensions()[0].max())), ctx))
    for folder in {path.parent for path in paths}:
        folder.mkdir(parents=True)
    with ctx.report.progress("export", len(paths), "images") as done:
        for source, path in zip(sources, paths, strict=True):
            write_image(source, path)
            done(1)


def _save(pixels: np.ndarray, path: Path) -> None:
    from PIL import Image

    Image.fromarray(pixels).save(path)


def _fiftyone(table: "pd.DataFrame") -> dict[str, Any]:
    """Return the clusters as labels.json of a FiftyOneImageClassificationDataset.

    `labels` maps the path of each image below data/, without suffix, to the index of its class.
    """
    clusters = [PurePosixPath(path).parent.name for path in table["path"]]
    classes = sorted(set(clusters))
    keys = [path.rpartition(".")[0] for path in table["path"]]
    return {
        "classes": classes,
        "labels": {key: classes.index(c) for key, c in zip(keys, clusters, strict=True)},
    }


def _coco(table: "pd.DataFrame", sizes: np.ndarray) -> dict[str, Any]:
    """Return the clusters as COCO annotations: a box around each whole image, with its cluster as category.

    `file_name` is relative to data/; categories and annotations are numbered from 1.
    """
    clusters = [PurePosixPath(path).parent.name for path in table["path"]]
    categories = {name: number for number, name in enumerate(sorted(set(clusters)), start=1)}
    images, annotations = [], []
    for row, (path, cluster, (width, height)) in enumerate(
        zip(table["path"], clusters, sizes.tolist(), strict=True), start=1
    ):
        images.append({"id": row, "file_name": path, "width": width, "height": height})
        box = {"bbox": [0, 0, width, height], "area": width * height, "segmentation": [], "iscrowd": 0}
        annotations.append({"id": row, "image_id": row, "category_id": categories[cluster]} | box)
    named = [{"id": number, "name": name, "supercategory": "cluster"} for name, number in categories.items()]
    info = {"description": "clusters of images", "version": "1.0"}
    return {
        "info": info, "licenses": [], "images": images, "annotations": annotations, "categories": named,
    }  # fmt: skip
