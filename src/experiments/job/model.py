"""A fitted encoder, projection and clustering as one folder: new images are assigned without refitting.

MLflow loads it through `_load_pyfunc`; nothing in it is pickled, and nothing here knows MLflow.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.context import Context, Silent
from experiments.dataset.images.folder import read_folder
from experiments.dataset.images.formats import FOREIGN, PLAIN, begins_as_an_image, ending
from experiments.dataset.selection.naming import name_of_folder
from experiments.dataset.vectors.content import Vectors
from experiments.evaluator.measures.majority import of_counts
from experiments.job.context import cuda_capabilities
from experiments.numerics.hashes import hash_rows
from experiments.numerics.threads import cores
from experiments.samples import Samples, ValueRange
from experiments.store.cache import Store
from experiments.store.libraries import versions
from experiments.store.values import class_name, load_saved_class
from experiments.types import Clustering, Encoder, Projection

if TYPE_CHECKING:
    import pandas as pd

    from experiments.pipeline import Result

PARTS = {"encoder": "embed", "projection": "transform", "clustering": "assign"}  # and what each does
ABOUT = "model.json"
FAR = 0.99  # of its cluster's own images, what is nearer than an image that is called far
FEW = 20  # of a smaller cluster's images too little is known: all images' distances count there
PERCENTILES = np.arange(101)
ALONE = ValueRange()  # without a run, each image deeper than 8 bits is read by itself


@dataclass(frozen=True, eq=False)
class Model:
    """What it takes to put new images into the clusters of a run.

    Parameters
    ----------
    distances
        float32 (k + 1, 101): the percentiles of the distances of each cluster's own images, and of all.
    names
        The majority class of each cluster; empty if the run had no labels.
    kind
        What is clustered: images, or vectors.
    dtype
        What the networks computed in.
    features
        What each value of a vector is called; empty of images.
    value_range
        How the run read images deeper than 8 bits; new ones are read so too.
    """

    encoder: Encoder
    projection: Projection
    clustering: Clustering
    distances: np.ndarray
    names: tuple[str, ...]
    kind: str
    dtype: str
    features: tuple[str, ...] = ()
    value_range: ValueRange = ALONE

    @classmethod
    def of(cls, result: "Result", dtype: str) -> "Model":
        """Take the fitted values of a run, and note how far its own images are from their clusters."""
        samples, clustering = result.samples, result.clustering
        k = int(clustering.assignments.max(initial=-1)) + 1
        if clustering.centroids is not None:  # the last of which may have no image
            k = len(clustering.centroids)
        ids, distances = clustering.assign(result.reduced)
        spread = np.zeros((k + 1, len(PERCENTILES)), np.float32)
        inside = distances[(ids >= 0) & np.isfinite(distances)]
        spread[:] = np.percentile(inside, PERCENTILES) if len(inside) else 0
        order = np.argsort(ids, kind="stable")
        bounds = np.searchsorted(ids[order], np.arange(k + 1))
        for cluster, (start, stop) in enumerate(pairwise(bounds)):
            if stop - start >= FEW:
                spread[cluster] = np.percentile(distances[order[start:stop]], PERCENTILES)
        names = _majority(samples, clustering.assignments, k)
        return cls(
            result.encoder, result.projection, clustering, spread, names, samples.content.KIND, dtype,
            samples.columns, samples.content.value_range,
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write each part into a folder of its own, and model.json, into the empty `folder`."""
        classes = {part: class_name(getattr(self, part)) for part in PARTS}
        about = {"classes": classes, "names": self.names, "kind": self.kind, "dtype": self.dtype}
        about |= {"features": self.features, "value_range": asdict(self.value_range)}
        folder.mkdir(parents=True, exist_ok=True)  # model.json first: it tells whose folder this is
        (folder / ABOUT).write_text(json.dumps(about | {"libraries": versions()}, indent=1), encoding="utf-8")
        for part in PARTS:
            (folder / part).mkdir()
            getattr(self, part).save(folder / part)
        np.save(folder / "distances.npy", self.distances, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Read what `save` wrote."""
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        parts: dict[str, Any] = {
            part: load_saved_class(about["classes"][part], folder / part, does).load(folder / part)
            for part, does in PARTS.items()
        }
        ranges = about.get("value_range", {})
        distances = np.load(folder / "distances.npy", allow_pickle=False)
        return cls(
            **parts,
            distances=distances,
            names=tuple(about["names"]),
            kind=about["kind"],
            dtype=about["dtype"],
            features=tuple(about.get("features", ())),
            value_range=ValueRange(**{kind: ends and tuple(ends) for kind, ends in ranges.items()}),
        )

    def assign(self, samples: Samples, ctx: Context, far: float = FAR) -> "pd.DataFrame":
        """Put samples into the existing clusters.

        Returns
        -------
        A row per sample: its id; the cluster, -1 is noise; the distance, in the clustering's own meaning
        (to the centre, to the nearest core point); whether it is far, being noise or farther than the share
        `far` of the cluster's own images; and the cluster's majority class, where the run had labels.
        """
        import pandas as pd

        if not 0 < far <= 1:
            raise ValueError(f"far={far} is no share; use 0 to 1, such as {FAR}")
        samples.require(self.kind, "this model")
        ctx = replace(ctx, dtype=self.dtype)
        reduced = self.projection.transform(np.asarray(self.encoder.embed(samples, ctx)))
        ids, distances = self.clustering.assign(reduced)
        limits = np.array([np.interp(100 * far, PERCENTILES, row) for row in self.distances])
        table = pd.DataFrame({"id": samples.ids, "cluster": ids, "distance": distances.astype(np.float64)})
        table["far"] = (ids < 0) | (distances > limits[ids])
        if self.names:
            table["majority"] = np.array([*self.names, ""])[ids]
        return table

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """Return the types of what `predict` is given and gives, in MLflow's words."""
        outputs = {"id": "string", "cluster": "long", "distance": "double", "far": "boolean"}
        return {
            "inputs": {"path": "string"} if self.kind == "images" else {"vector": "float"},
            "outputs": outputs | ({"majority": "string"} if self.names else {}),
            "params": {"far": FAR},
        }

    def predict(self, frame: "pd.DataFrame", params: Mapping[str, Any] | None = None) -> "pd.DataFrame":
        """Assign the images whose files the column `path` names, or the rows of the column `vector`."""
        far = float((params or {}).get("far", FAR))
        with scratch() as ctx:
            if self.kind == "images":
                samples = from_images(frame["path"].tolist(), ctx, self.value_range)
                return self.assign(samples, ctx, far)
            values = np.stack([np.asarray(vector, np.float32) for vector in frame["vector"]])
            return self.assign(from_vectors(values), ctx, far)


def _load_pyfunc(folder: str) -> Model:
    """Load what MLflow calls the model's data; it asks for this name."""
    return Model.load(Path(folder))


def from_folder(
    root: Path, ctx: Context, value_range: ValueRange = ALONE, key: str = "dataset.root"
) -> Samples:
    """Read the images of a folder or an archive as a data set reads them; what cannot be read is skipped.

    Parameters
    ----------
    value_range
        How the run read images deeper than 8 bits; without one, each is read by itself.
    key
        The setting that names the folder, for errors.
    """
    folder = read_folder(str(root), key, ctx)
    content, split = folder.content(value_range), np.zeros(len(folder.rows), np.int8)
    return Samples(
        name_of_folder(root), str(root), folder.ids, content, None, (), split, skipped=tuple(folder.left_out)
    )


def is_image(path: Path) -> bool:
    """Return whether a file is one image, and not an archive of them."""
    suffix = ending(str(path))
    return suffix in PLAIN + FOREIGN or begins_as_an_image(path, suffix)


def from_images(
    images: Sequence[str | Path | bytes], ctx: Context, value_range: ValueRange = ALONE
) -> Samples:
    """Read image files, or their bytes, in this order as a data set reads them; `from_folder` has the range.

    Raises
    ------
    ValueError
        If one cannot be read.
    """
    folder = ctx.store.workdir("images")
    names = [f"image {row}" if isinstance(image, bytes) else str(image) for row, image in enumerate(images)]
    for row, image in enumerate(images):
        if isinstance(image, bytes):
            (folder / f"{row:09}.png").write_bytes(image)  # whatever it is: what it holds tells
            continue
        place = Path(image).expanduser()
        if not place.is_file():
            raise ValueError(f"path={image} is no file; use images that exist")
        suffix = place.suffix if ending(str(place)) in FOREIGN else ".png"
        (folder / f"{row:09}{suffix}").symlink_to(place.absolute())
    samples = from_folder(folder, ctx, value_range)
    if samples.skipped:
        first, why = samples.skipped[0]
        raise ValueError(
            f"path={names[int(first.partition('.')[0])]} cannot be read ({why}), nor can "
            f"{len(samples.skipped) - 1} others of {len(names)}; leave them out"
        )
    return replace(samples, ids=np.array(names))


def from_vectors(values: np.ndarray) -> Samples:
    """Take vectors, float32 (n, d), as samples."""
    ids, split = np.arange(len(values)).astype(str), np.zeros(len(values), np.int8)
    return Samples("vectors", "memory", ids, Vectors(values, hash_rows(values)), None, (), split)


@contextmanager
def scratch() -> Iterator[Context]:
    """Give surroundings for one call, whose store ends with it."""
    device = "cuda" if cuda_capabilities() else "cpu"
    with tempfile.TemporaryDirectory(prefix="experiments-") as folder:
        yield Context(device, "float32", cores(), Store(Path(folder)), Silent())


def _majority(samples: Samples, assignments: np.ndarray, k: int) -> tuple[str, ...]:
    """Return the most frequent class of each cluster, of equals the first by name; "" of an empty one."""
    if samples.labels is None:
        return ()
    inside = np.flatnonzero((assignments >= 0) & (np.asarray(samples.labels) >= 0))
    counts = np.zeros((k, len(samples.class_names)), np.int64)
    np.add.at(counts, (assignments[inside], samples.labels[inside]), 1)
    return tuple(of_counts(samples.class_names, row).first for row in counts)
