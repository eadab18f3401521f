"""Near-duplicates: pairs of samples with nearly parallel embeddings."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.thumbnails import check_side, has_images, thumbnails
from experiments.figures import ImageSheets, pack
from experiments.metric_names import names_of
from experiments.numerics.scale import rescaled
from experiments.samples import SPLITS, Samples
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PREFIX = "evaluator.near_duplicates"
BLOCK = 2048  # rows and columns of a block of similarities: 16 MB per thread


class Pairs(NamedTuple):
    """The most similar pairs, and counts of all pairs.

    Parameters
    ----------
    first, second
        int64 (m,): row indices of the pairs.
    similarity
        float32 (m,): cosine.
    total, across
        Number of all pairs, and of those with rows in different parts of the split.
    rows
        bool (n,): rows in any pair.
    """

    first: np.ndarray
    second: np.ndarray
    similarity: np.ndarray
    total: int
    across: int
    rows: np.ndarray


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of nearly parallel embeddings: a table, a figure, and the number of pairs across the split.

    Identical files are included, and are also counted by their hashes.

    Parameters
    ----------
    similarity
        Smallest cosine of near-duplicates.
    pairs
        Largest number of pairs in the table, the most similar; all are counted.
    shown
        Largest number of pairs in the figure.
    thumbnail
        Side of an image in pixels.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "embeddings")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("near_duplicates")
    VERSION: ClassVar[int] = 3

    similarity: float
    pairs: int
    shown: int
    thumbnail: int

    def __post_init__(self) -> None:
        if not 0 < self.similarity <= 1:
            raise ValueError(
                f"{PREFIX}.similarity={self.similarity} is out of range; use a cosine above 0, such as .98"
            )
        for name in ("pairs", "shown"):
            if getattr(self, name) < 1:
                raise ValueError(f"{PREFIX}.{name}={getattr(self, name)} leaves no pair; use 1 or more")
        check_side(PREFIX, self.thumbnail, 96)

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples, embeddings: np.ndarray) -> Findings:
        """Compare all pairs of rows, and list the most similar."""
        import pandas as pd

        pairs = similar(embeddings, self.similarity, self.pairs, samples.split, ctx)
        _, sizes = np.unique(samples.content.hashes, return_counts=True)
        metrics = {
            "near_duplicate_pairs": pairs.total,
            "near_duplicate_images": int(pairs.rows.sum()),
            "near_duplicates_across_split": pairs.across,
            "exact_duplicate_pairs": int((sizes * (sizes - 1) // 2).sum()),
        }
        about = {"rows compared": len(samples), "similarity from": self.similarity} | metrics
        about["pairs listed"] = len(pairs.first)
        if pairs.total > len(pairs.first):
            log.warning(
                "%s lists the %d most similar of %d pairs; use %s.similarity above %g for fewer pairs",
                PREFIX, len(pairs.first), pairs.total, PREFIX, self.similarity,
            )  # fmt: skip
        rows = {"figure": list(about), "value": [str(value) for value in about.values()]}
        table = _table(pairs, samples)
        tables = {"near_duplicates": table, "near_duplicates_rows": pd.DataFrame(rows)}
        has_figure = len(table) and has_images(samples, PREFIX)
        figures = {"near_duplicates": self._figure(pairs, table, samples, ctx)} if has_figure else {}
        return Findings({name: float(value) for name, value in metrics.items()}, tables, dict(figures))

    def _figure(self, pairs: Pairs, table: "pd.DataFrame", samples: Samples, ctx: Context) -> ImageSheets:
        rows = np.stack([pairs.first, pairs.second], axis=1)[: self.shown]
        images = thumbnails(samples, rows.ravel(), self.thumbnail, ctx)
        packed, ends = pack(np.split(images, len(rows)))
        names = []
        for pair in table.head(self.shown).itertuples():
            notes = ["identical files"] * bool(pair.identical) + ["across split"] * bool(pair.across)
            names.append(", ".join([f"{pair.similarity:.5f}", *notes]))
        title = f"{pairs.total:,} pairs of {samples.name} with a similarity of {self.similarity:g} or more"
        title += f", the first {len(rows)}" * (len(rows) < pairs.total)
        captions = [str(name) for name in samples.ids[rows.ravel()]]
        return ImageSheets(title, names, [{"": 2}] * len(rows), captions, packed, ends, images.shape[1])


def similar(
    vectors: np.ndarray, least: float, most: int, parts: np.ndarray, ctx: Context, size: int = BLOCK
) -> Pairs:
    """Return the pairs of rows of float32 (n, d) with a cosine of at least `least`, the `most` similar.

    Blocks are compared on one thread each, so memory is bounded and the number of threads does not change
    the result. A row of zeros is similar to no row. (numerics/nearest finds a given number of rows; here
    their number is unknown.)
    """
    from threadpoolctl import threadpool_limits

    vectors, _ = rescaled(vectors, axis=1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros(vectors.shape, np.float32), where=lengths > 0)
    n, rows, count, across = len(unit), np.zeros(len(unit), bool), 0, 0
    results = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]

    def compare(block: tuple[slice, slice]) -> tuple[np.ndarray, ...]:
        return _block(unit, *block, least - 1e-6, most, parts)

    with threadpool_limits(1), ThreadPoolExecutor(ctx.threads) as pool:
        blocks = list(_blocks(n, size))
        with ctx.report.progress("compare", len(blocks), "blocks") as done:
            for first, second, values, block_rows, number, block_across in pool.map(compare, blocks):
                results.append((first, second, values))
                rows[block_rows] = True
                count, across = count + int(number), across + int(block_across)
                done(1)
    first, second, values = (np.concatenate(column) for column in zip(*results, strict=True))
    order = np.lexsort((second, first, -values))[:most]
    return Pairs(first[order], second[order], values[order], count, across, rows)


def _blocks(n: int, size: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, n, size):
        for left in range(top, n, size):
            yield slice(top, top + size), slice(left, left + size)


def _block(
    unit: np.ndarray, top: slice, left: slice, least: float, most: int, parts: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Compare the rows of two slices.

    Returns
    -------
    first, second, values
        The most similar pairs.
    rows, number, across
        The rows in any pair, the number of pairs, and of pairs with rows in different parts of the split.
    """
    cosines = unit[top] @ unit[left].T
    flat = np.flatnonzero(cosines >= least)
    first, second = np.divmod(flat, cosines.shape[1])
    values = np.minimum(np.round(cosines.ravel()[flat], 6), 1)
    first, second = first + top.start, second + left.start
    if top == left:
        ordered = first < second
        first, second, values = first[ordered], second[ordered], values[ordered]
    rows = np.union1d(first, second)
    number, across = np.array(len(first)), (parts[first] != parts[second]).sum()
    if len(values) > most:
        order = np.argsort(-values, kind="stable")[:most]
        first, second, values = first[order], second[order], values[order]
    return first, second, values, rows, number, across


def _table(pairs: Pairs, samples: Samples) -> "pd.DataFrame":
    import pandas as pd

    hashes, parts, labels = np.asarray(samples.content.hashes), np.array(SPLITS), samples.label_names
    ids, split = samples.ids.astype(str), samples.split
    first, second = pairs.first, pairs.second
    columns = {"id": ids[first], "other": ids[second], "similarity": pairs.similarity}
    columns |= {"identical": hashes[first] == hashes[second], "across": split[first] != split[second]}
    columns |= {"part": parts[split[first]], "other_part": parts[split[second]]}
    if labels is not None:
        columns |= {"label": labels[first], "other_label": labels[second]}
    return pd.DataFrame(columns)
