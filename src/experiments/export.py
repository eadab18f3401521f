"""Write the clusters of a recorded run for other programs: folders of images, and tables that they read."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments import config
from experiments.dataset.content import ImageFiles
from experiments.recorded import Recorded
from experiments.types import Content, Context, Resize, Samples

if TYPE_CHECKING:
    import pandas as pd

HOWS = ("copy", "link")
NOISE = "noise"
IMAGES = "data"  # where FiftyOne's formats have the images


def export(run: Recorded, folder: Path, how: str, ctx: Context) -> "pd.DataFrame":
    """Write a run's clusters into a new or empty folder; return its table, a row per image.

    It gets `data/<cluster>/` with the images of each cluster, `data/noise/` with those of none,
    `assignments.csv` and `.parquet`, `labels.json` (FiftyOneImageClassificationDataset, with data/) and
    `coco.json` (COCO, the cluster as the category of the whole image). Vectors get the two tables alone.

    Parameters
    ----------
    how
        `copy`, or `link`: symbolic links to the images where they are.
    """
    import pandas as pd

    if how not in HOWS:
        raise ValueError(f"--how {how} is not an option; use {' or '.join(HOWS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"FOLDER={folder} is there already and not empty; name a new one")
    with tempfile.TemporaryDirectory(prefix="experiments-") as fetched:
        table = pd.read_parquet(run.file("assignments.parquet", Path(fetched)))
        cfg = cast(DictConfig, OmegaConf.load(run.file("config.yaml", Path(fetched))))
    samples = _samples(run, cfg, ctx)
    if samples.content.KIND == "images":
        content = samples.content.take(_rows(run, table["id"].to_numpy(str), samples.ids))
        table["path"] = _names(table, content)
        _write(content, [folder / IMAGES / path for path in table["path"]], how, ctx)
        for name, described in {
            "labels": _fiftyone(table),
            "coco": _coco(table, content.dimensions()),
        }.items():
            (folder / f"{name}.json").write_text(json.dumps(described))
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "assignments.csv", index=False)
    table.to_parquet(folder / "assignments.parquet", index=False)
    return table


def _samples(run: Recorded, cfg: DictConfig, ctx: Context) -> Samples:
    """Load the data set of a run, from where it was, with all its images and without labels of a table."""
    stage = config.build_stage("dataset", cfg.dataset)
    names = {f.name for f in fields(stage)}
    changed: dict[str, Any] = {name: None for name in ("limit", "labels") if name in names}
    if "root" in names and Path(run.source).is_absolute():  # as typed, it is relative to who knows where
        changed["root"] = run.source
    return cast(Samples, replace(stage, **changed).load(ctx))


def _rows(run: Recorded, ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return where each id is among those known."""
    row_of = {name: row for row, name in enumerate(known)}
    gone = [name for name in ids if name not in row_of]
    if gone:
        raise ValueError(
            f"RUN_ID={run.id} clustered {len(gone)} images that {run.source} does not hold any more, such as "
            f"{gone[0]}; put them back"
        )
    return np.array([row_of[name] for name in ids])


def _names(table: "pd.DataFrame", content: Content) -> list[str]:
    """Name each image `<cluster>/<id>`, flat and with a stem of its own, as FiftyOne knows them by it."""
    digits = len(str(max(table["cluster"].max(), 0)))
    taken: set[str] = set()
    names = []
    for number, name in zip(table["cluster"], table["id"], strict=True):
        flat = PurePosixPath(name.replace("/", "__"))
        suffix = flat.suffix if isinstance(content, ImageFiles) else ".png"
        stem = f"{_cluster(number, digits)}/{flat.stem if isinstance(content, ImageFiles) else flat}"
        free = next(each for each in _numbered(stem) if each.casefold() not in taken)
        taken.add(free.casefold())  # some file systems take A for a
        names.append(f"{free}{suffix}")
    return names


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
