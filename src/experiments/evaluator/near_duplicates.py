"""Images that are nearly the same, found by their embeddings."""

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

PLACE = "evaluator.near_duplicates"
BLOCK = 2048  # rows compared at a time with as many others: 16 MB a thread


class Pairs(NamedTuple):
    """The most similar pairs, int64 (m,) and float32 (m,); how many there are; and which rows are in one."""

    first: np.ndarray
    second: np.ndarray
    similarity: np.ndarray
    total: int
    across: int
    rows: np.ndarray


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs whose embeddings are nearly parallel: a table, a picture, and how many lie across the split.

    Identical files stand among them, and are counted by their hashes too.

    Parameters
    ----------
    similarity
        Cosine from which two are nearly the same.
    pairs
        Pairs that are listed at most, the most similar; all are counted.
    shown
        Pairs in the picture.
    thumbnail
        Pixels a side of an image.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "embeddings")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("near_duplicates")
    VERSION: ClassVar[int] = 2

    similarity: float
    pairs: int
    shown: int
    thumbnail: int

    def __post_init__(self) -> None:
        if not 0 < self.similarity <= 1:
            raise ValueError(f"{PLACE}.similarity={self.similarity} is no cosine to ask for; use .98 or so")
        for name in ("pairs", "shown"):
            if getattr(self, name) < 1:
                raise ValueError(f"{PLACE}.{name}={getattr(self, name)} leaves no pair; use 1 or more")
        check_side(PLACE, self.thumbnail, 96)

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples, embeddings: np.ndarray) -> Findings:
        """Compare every two, and list those that are nearly the same."""
        import pandas as pd

        found = similar(embeddings, self.similarity, self.pairs, samples.split, ctx)
        _, sizes = np.unique(samples.content.hashes, return_counts=True)
        metrics = {
            "near_duplicate_pairs": found.total,
            "near_duplicate_images": int(found.rows.sum()),
            "near_duplicates_across_split": found.across,
            "exact_duplicate_pairs": int((sizes * (sizes - 1) // 2).sum()),
        }
        about = {"rows compared": len(samples), "similarity from": self.similarity} | metrics
        about["pairs listed"] = len(found.first)
        if found.total > len(found.first):
            log.warning(
                "%s lists the %d most similar of %d pairs; a larger %s.similarity than %g leaves fewer",
                PLACE, len(found.first), found.total, PLACE, self.similarity,
            )  # fmt: skip
        told = {"figure": list(about), "value": [str(value) for value in about.values()]}
        table = _table(found, samples)
        tables = {"near_duplicates": table, "near_duplicates_rows": pd.DataFrame(told)}
        drawn = len(table) and has_images(samples, PLACE)
        figures = {"near_duplicates": self._figure(found, table, samples, ctx)} if drawn else {}
        return Findings({name: float(value) for name, value in metrics.items()}, tables, dict(figures))

    def _figure(self, found: Pairs, table: "pd.DataFrame", samples: Samples, ctx: Context) -> ImageSheets:
        rows = np.stack([found.first, found.second], axis=1)[: self.shown]
        images = thumbnails(samples, rows.ravel(), self.thumbnail, ctx)
        packed, ends = pack(np.split(images, len(rows)))
        names = []
        for pair in table.head(self.shown).itertuples():
            notes = ["identical files"] * bool(pair.identical) + ["across split"] * bool(pair.across)
            names.append(", ".join([f"{pair.similarity:.5f}", *notes]))
        title = f"{found.total:,} pairs of {samples.name} with a similarity of {self.similarity:g} or more"
        title += f", the first {len(rows)}" * (len(rows) < found.total)
        captions = [str(name) for name in samples.ids[rows.ravel()]]
        return ImageSheets(title, names, [{"": 2}] * len(rows), captions, packed, ends, images.shape[1])


def similar(
    vectors: np.ndarray, least: float, most: int, parts: np.ndarray, ctx: Context, size: int = BLOCK
) -> Pairs:
    """Find every two rows of float32 (n, d) with a cosine of at least `least`; return the `most` similar.

    Block by block, each pair of rows once, each block on one thread: so the memory is bounded, and the
    number of threads changes nothing. A vector of zeros is like no other. (numerics/nearest finds a given
    number of rows; how many are near is the question here.)
    """
    from threadpoolctl import threadpool_limits

    vectors, _ = rescaled(vectors, axis=1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros(vectors.shape, np.float32), where=lengths > 0)
    n, rows, count, across = len(unit), np.zeros(len(unit), bool), 0, 0
    kept = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]

    def compare(block: tuple[slice, slice]) -> tuple[np.ndarray, ...]:
        return _block(unit, *block, least - 1e-6, most, parts)

    with threadpool_limits(1), ThreadPoolExecutor(ctx.threads) as pool:
        blocks = list(_blocks(n, size))
        with ctx.report.progress("compare", len(blocks), "blocks") as done:
            for first, second, values, seen, number, beyond in pool.map(compare, blocks):
                kept.append((first, second, values))
                rows[seen] = True
                count, across = count + int(number), across + int(beyond)
                done(1)
    first, second, values = (np.concatenate(column) for column in zip(*kept, strict=True))
    order = np.lexsort((second, first, -values))[:most]
    return Pairs(first[order], second[order], values[order], count, across, rows)


def _blocks(n: int, size: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, n, size):
        for left in range(top, n, size):
            yield slice(top, top + size), slice(left, left + size)


def _block(
    unit: np.ndarray, top: slice, left: slice, least: float, most: int, parts: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Compare some rows with others.

    Returns
    -------
    first, second, values
        The most similar pairs.
    seen, number, across
        The rows in any pair, the number of pairs, and of those whose rows are in different parts.
    """
    cosines = unit[top] @ unit[left].T
    flat = np.flatnonzero(cosines >= least)
    first, second = np.divmod(flat, cosines.shape[1])
    values = np.minimum(np.round(cosines.ravel()[flat], 6), 1)
    first, second = first + top.start, second + left.start
    if top == left:
        once = first < second
        first, second, values = first[once], second[once], values[once]
    seen = np.union1d(first, second)
    number, across = np.array(len(first)), (parts[first] != parts[second]).sum()
    if len(values) > most:
        order = np.argsort(-values, kind="stable")[:most]
        first, second, values = first[order], second[order], values[order]
    return first, second, values, seen, number, across


def _table(found: Pairs, samples: Samples) -> "pd.DataFrame":
    import pandas as pd

    hashes, parts, labels = np.asarray(samples.content.hashes), np.array(SPLITS), samples.label_names
    ids, split = samples.ids.astype(str), samples.split
    one, other = found.first, found.second
    columns = {"id": ids[one], "other": ids[other], "similarity": found.similarity}
    columns |= {"identical": hashes[one] == hashes[other], "across": split[one] != split[other]}
    columns |= {"part": parts[split[one]], "other_part": parts[split[other]]}
    if labels is not None:
        columns |= {"label": labels[one], "other_label": labels[other]}
    return pd.DataFrame(columns)
