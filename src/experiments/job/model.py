"""Model that assigns new images to the clusters of a run: its fitted encoder, projection and clustering.

It is saved as a folder without pickled files. MLflow loads it through `_load_pyfunc`; this module does not
import MLflow.
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
from experiments.dataset.images.formats import FOREIGN, PLAIN, begins_as_an_image, extension
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

PARTS = {"encoder": "embed", "projection": "transform", "clustering": "assign"}  # fields and their methods
ABOUT = "model.json"
FAR = 0.99  # quantile of its cluster's distances above which an image is far
MIN_SIZE = 20  # for smaller clusters, the distances of all images are used
PERCENTILES = np.arange(101)
PER_IMAGE = ValueRange()  # each image deeper than 8 bits is scaled by its own values


@dataclass(frozen=True, eq=False)
class Model:
    """The fitted stages of a run, which assign new images to its clusters.

    Parameters
    ----------
    distances
        float32 (k + 1, 101): percentiles of the distances of each cluster's images, and of all images.
    names
        Majority class of each cluster; empty if the run had no labels.
    kind
        `images` or `vectors`.
    dtype
        Number type of the networks.
    features
        Names of a vector's values; empty for images.
    value_range
        How the run read images deeper than 8 bits; new images are read the same way.
    """

    encoder: Encoder
    projection: Projection
    clustering: Clustering
    distances: np.ndarray
    names: tuple[str, ...]
    kind: str
    dtype: str
    features: tuple[str, ...] = ()
    value_range: ValueRange = PER_IMAGE

    @classmethod
    def of(cls, result: "Result", dtype: str) -> "Model":
        """Return the model of a run, with the percentiles of its images' distances from their clusters."""
        samples, clustering = result.samples, result.clustering
        k = int(clustering.assignments.max(initial=-1)) + 1
        if clustering.centroids is not None:  # the last clusters may be empty
            k = len(clustering.centroids)
        ids, distances = clustering.assign(result.reduced)
        spread = np.zeros((k + 1, len(PERCENTILES)), np.float32)
        inside = distances[(ids >= 0) & np.isfinite(distances)]
        spread[:] = np.percentile(inside, PERCENTILES) if len(inside) else 0
        order = np.argsort(ids, kind="stable")
        bounds = np.searchsorted(ids[order], np.arange(k + 1))
        for cluster, (start, stop) in enumerate(pairwise(bounds)):
            if stop - start >= MIN_SIZE:
                spread[cluster] = np.percentile(distances[order[start:stop]], PERCENTILES)
        names = _majority(samples, clustering.assignments, k)
        return cls(
            result.encoder, result.projection, clustering, spread, names, samples.content.KIND, dtype,
            samples.columns, samples.content.value_range,
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write model.json and a subfolder per part into the empty `folder`."""
        classes = {part: class_name(getattr(self, part)) for part in PARTS}
        about = {"classes": classes, "names": self.names, "kind": self.kind, "dtype": self.dtype}
        about |= {"features": self.features, "value_range": asdict(self.value_range)}
        folder.mkdir(parents=True, exist_ok=True)  # model.json first: it marks the folder as a model's
        (folder / ABOUT).write_text(json.dumps(about | {"libraries": versions()}, indent=1), encoding="utf-8")
        for part in PARTS:
            (folder / part).mkdir()
            getattr(self, part).save(folder / part)
        np.save(folder / "distances.npy", self.distances, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Return the model of a folder that `save` wrote."""
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        parts: dict[str, Any] = {
            part: load_saved_class(about["classes"][part], folder / part, method).load(folder / part)
            for part, method in PARTS.items()
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
        """Assign samples to the existing clusters.

        Returns
        -------
        A row per sample: id; cluster, -1 for noise; distance as the clusterer defines it (to the centre, or
        to the nearest core point); far, True for noise and for distances above the quantile `far` of the
        cluster's; and the cluster's majority class if the run had labels.
        """
        import pandas as pd

        check_far(far)
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
        """Return the column types of the input and output of `predict`, as in an MLflow signature."""
        outputs = {"id": "string", "cluster": "long", "distance": "double", "far": "boolean"}
        return {
            "inputs": {"path": "string"} if self.kind == "images" else {"vector": "float"},
            "outputs": outputs | ({"majority": "string"} if self.names else {}),
            "params": {"far": FAR},
        }

    def predict(self, frame: "pd.DataFrame", params: Mapping[str, Any] | None = None) -> "pd.DataFrame":
        """Assign the image files of the column `path`, or the rows of the column `vector`."""
        far = float((params or {}).get("far", FAR))
        with scratch() as ctx:
            if self.kind == "images":
                samples = from_images(frame["path"].tolist(), ctx, self.value_range)
                return self.assign(samples, ctx, far)
            values = np.stack([np.asarray(vector, np.float32) for vector in frame["vector"]])
            return self.assign(from_vectors(values), ctx, far)


def check_far(far: float, key: str = "far=") -> None:
    """Raise ValueError if `far` is not a quantile; `key` is how it was typed."""
    if not 0 < far <= 1:
        raise ValueError(f"{key}{far} is not a quantile; use 0 to 1, such as {FAR}")


def _load_pyfunc(folder: str) -> Model:
    """Load a model; MLflow calls this function by its name."""
    return Model.load(Path(folder))


def from_folder(
    root: Path, ctx: Context, value_range: ValueRange = PER_IMAGE, key: str = "dataset.root"
) -> Samples:
    """Read the images of a folder or archive as a data set does, skipping unreadable files.

    Parameters
    ----------
    value_range
        How the run read images deeper than 8 bits; by default, each is scaled by its own values.
    key
        The setting of the folder, for error messages.
    """
    folder = read_folder(str(root), key, ctx)
    content, split = folder.content(value_range), np.zeros(len(folder.rows), np.int8)
    return Samples(
        name_of_folder(root), str(root), folder.ids, content, None, (), split, skipped=tuple(folder.left_out)
    )


def is_image(path: Path) -> bool:
    """Return True if a file is an image, False for an archive of images."""
    suffix = extension(str(path))
    return suffix in PLAIN + FOREIGN or begins_as_an_image(path, suffix)


def from_images(
    images: Sequence[str | Path | bytes], ctx: Context, value_range: ValueRange = PER_IMAGE
) -> Samples:
    """Read image files, or their bytes, in this order, as a data set does.

    Raises
    ------
    ValueError
        An image cannot be read.
    """
    folder = ctx.store.workdir("images")
    names = [f"image {row}" if isinstance(image, bytes) else str(image) for row, image in enumerate(images)]
    for row, image in enumerate(images):
        if isinstance(image, bytes):
            (folder / f"{row:09}.png").write_bytes(image)  # of any format, which is recognised by the content
            continue
        path = Path(image).expanduser()
        if not path.is_file():
            raise ValueError(f"path={image} does not exist; use paths of image files")
        suffix = path.suffix if extension(str(path)) in FOREIGN else ".png"
        (folder / f"{row:09}{suffix}").symlink_to(path.absolute())
    samples = from_folder(folder, ctx, value_range)
    if samples.skipped:
        first, why = samples.skipped[0]
        raise ValueError(
            f"path={names[int(first.partition('.')[0])]} cannot be read ({why}), nor can "
            f"{len(samples.skipped) - 1} others of {len(names)}; remove them"
        )
    return replace(samples, ids=np.array(names))


def from_vectors(values: np.ndarray) -> Samples:
    """Return samples of vectors, float32 (n, d)."""
    ids, split = np.arange(len(values)).astype(str), np.zeros(len(values), np.int8)
    return Samples("vectors", "memory", ids, Vectors(values, hash_rows(values)), None, (), split)


@contextmanager
def scratch() -> Iterator[Context]:
    """Yield a context with a temporary cache, which is deleted afterwards."""
    device = "cuda" if cuda_capabilities() else "cpu"
    with tempfile.TemporaryDirectory(prefix="experiments-") as folder:
        yield Context(device, "float32", cores(), Store(Path(folder)), Silent())


def _majority(samples: Samples, assignments: np.ndarray, k: int) -> tuple[str, ...]:
    """Return the most frequent class of each cluster, the first by name among equals; "" if empty."""
    if samples.labels is None:
        return ()
    inside = np.flatnonzero((assignments >= 0) & (np.asarray(samples.labels) >= 0))
    counts = np.zeros((k, len(samples.class_names)), np.int64)
    np.add.at(counts, (assignments[inside], samples.labels[inside]), 1)
    return tuple(of_counts(samples.class_names, row).first for row in counts)
