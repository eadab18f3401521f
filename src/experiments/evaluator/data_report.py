"""A summary of the data: counts, duplicates, classes, image sizes, and sample images."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context, Silent
from experiments.figures import Bars, Figure, Histogram, ImageGrid
from experiments.metric_names import names_of
from experiments.samples import Resize, Samples
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

LARGEST_SIDE = 96  # side of an image in the grid, in pixels
EXTREMES = 5  # number of smallest and of largest classes in the table


@dataclass(frozen=True)
class DataReport:
    """Counts, duplicates, classes and their balance, image sizes, and a grid of random images.

    The parts on classes are skipped without labels, and the parts on images for vectors; the table lists them
    as none.

    Parameters
    ----------
    sample
        Largest number of images whose width and height are read from their headers; if there are more, of a
        random sample.
    grid_classes, grid_images
        Number of random classes in the grid, and of random images of each.
    seed
        Seed of the random choices.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples",)
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("data_report")
    VERSION: ClassVar[int] = 2

    sample: int
    grid_classes: int
    grid_images: int
    seed: int

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("sample", "grid_classes", "grid_images"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"evaluator.data_report.{name}={value} is too few; use 1 or more")

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples) -> Findings:
        """Summarise the samples."""
        import pandas as pd

        _, first, inverse = np.unique(samples.content.hashes, return_index=True, return_inverse=True)
        original = first[inverse]
        repeated = np.flatnonzero(original != np.arange(len(samples)))
        duplicates = {"id": samples.ids[repeated], "same_as": samples.ids[original[repeated]]}
        counts = {"images": len(samples), "duplicates": len(repeated), "skipped": len(samples.skipped)}
        about: dict[str, object] = {f"{samples.content.KIND}, read": len(samples)}
        about |= {"skipped (see skipped_files.csv)": len(samples.skipped), "duplicates": len(repeated)}
        metrics = {f"data_{name}": float(count) for name, count in counts.items()}
        tables = {"data_duplicates": pd.DataFrame(duplicates).astype(str)}
        figures: dict[str, Figure] = {}
        if samples.labels is None:
            about["classes"] = "none: no labels"
        else:
            classes, texts = _classes(samples)
            about |= texts
            metrics |= classes.metrics
            tables |= classes.tables
            figures |= classes.figures
        if samples.content.KIND == "images":
            rng = np.random.default_rng(self.seed)
            sizes, histograms = self._sizes(samples, rng)
            about |= sizes
            figures |= {**histograms, "data_images": self._grid(samples, rng, ctx)}
        else:
            about["width and height"] = "none: vectors"
        rows = {"figure": list(about), "value": [_text(value) for value in about.values()]}
        return Findings(metrics, tables | {"data_report": pd.DataFrame(rows)}, figures)

    def _sizes(
        self, samples: Samples, rng: np.random.Generator
    ) -> tuple[dict[str, object], dict[str, Figure]]:
        """Return a summary of widths and heights, and a histogram of each that varies."""
        n = min(self.sample, len(samples))
        sizes = samples.content.take(np.sort(rng.choice(len(samples), n, replace=False))).dimensions()
        about: dict[str, object] = {"images whose size was read": n}
        histograms: dict[str, Figure] = {}
        for name, values in (("width", sizes[:, 0]), ("height", sizes[:, 1])):
            low, median, high = values.min(), np.median(values), values.max()
            about[f"{name}, smallest / median / largest"] = f"{low} / {median:g} / {high}"
            if low < high:
                title = f"{name.capitalize()} of {n:,} of {len(samples):,} images of {samples.name}"
                bins = int(min(50, high - low + 1))
                histograms[f"data_{name}s"] = Histogram(title, f"{name} in pixels", values, bins)
        return about, histograms

    def _grid(self, samples: Samples, rng: np.random.Generator, ctx: Context) -> Figure:
        """Return a grid of random images, equally many per random class; without labels, of all images."""
        rows, title = self._grid_rows(samples, rng)
        order = np.argsort(rows)  # content is taken in ascending rows
        content = samples.content.take(rows[order])
        size = int(np.clip(np.median(content.dimensions().min(axis=1)), 8, LARGEST_SIDE))
        silent = replace(ctx, report=Silent())  # no progress bar for a few images
        images = np.empty((len(rows), size, size, 3), np.uint8)
        images[order] = content.pixels(Resize(size, "crop"), silent)
        names = [str(name).rpartition("/")[2] for name in samples.ids[rows]]
        if samples.labels is not None:
            names = np.asarray(samples.label_names)[rows].tolist()
        return ImageGrid(f"{title} of {samples.name}", images, names, self.grid_images)

    def _grid_rows(self, samples: Samples, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        if samples.labels is None:
            n = min(self.grid_classes * self.grid_images, len(samples))
            return np.sort(rng.choice(len(samples), n, replace=False)), f"{n} random images"
        present = np.unique(samples.labels[samples.labelled])
        labels = np.sort(rng.choice(present, min(self.grid_classes, len(present)), replace=False))
        drawn = []
        for label in labels:
            rows = np.flatnonzero(samples.labels == label)
            drawn.append(np.sort(rng.choice(rows, min(self.grid_images, len(rows)), replace=False)))
        return np.concatenate(drawn), f"Random images of {len(labels)} random classes"


def _classes(samples: Samples) -> tuple[Findings, dict[str, object]]:
    """Return metrics, table and chart of the class sizes, largest first, and their summary."""
    labels, counts = np.unique(np.asarray(samples.labels)[samples.labelled], return_counts=True)
    order = np.lexsort((labels, -counts))
    names, counts = np.array(samples.class_names)[labels[order]], counts[order]
    spread = {
        "classes": len(counts),
        "mean": counts.mean(),
        "min": counts.min(),
        "max": counts.max(),
        "median": np.median(counts),
        "std": counts.std(),
        "imbalance": counts.max() / counts.min(),
    }
    title = f"Images per class of {samples.name}"
    findings = Findings(
        {f"data_{name}": float(value) for name, value in spread.items()},
        {"data_classes": _table(names, counts)},
        {"data_classes": Bars(title, "class", "images", names.tolist(), counts.tolist())},
    )
    texts = {name if name in ("classes", "imbalance") else f"images per class, {name}": value
             for name, value in spread.items()}  # fmt: skip
    listed = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
    if len(samples.labelled) < len(samples):
        texts["without a label"] = len(samples) - len(samples.labelled)
    texts["largest classes"] = ", ".join(listed[:EXTREMES])
    texts["smallest classes"] = ", ".join(listed[::-1][:EXTREMES])
    return findings, texts


def _table(names: np.ndarray, counts: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"class": names, "images": counts, "share": counts / counts.sum()})


def _text(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
