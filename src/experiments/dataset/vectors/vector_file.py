"""Base of data sets in a file of vectors: ids, labels and images for figures."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.context import Context
from experiments.dataset.labels.joining import encode_labels
from experiments.dataset.selection.naming import name_of_path
from experiments.dataset.selection.selection import Pool, Selection
from experiments.dataset.tables.columns import KEY, Columns, ColumnSettings
from experiments.dataset.tables.csv_dialect import DEFAULT, Chunking
from experiments.dataset.vectors import extremes, vector_rows
from experiments.dataset.vectors.arrays import IDS_KEY, array_rows, array_source, is_array
from experiments.dataset.vectors.content import Vectors
from experiments.dataset.vectors.illustrations import match_images
from experiments.dataset.vectors.sources import Source, find_ids, table_rows, table_source
from experiments.dataset.vectors.vector_rows import Features, RawTable, Rows
from experiments.messages import DataError, setting
from experiments.samples import Samples
from experiments.store.file_hashes import content_hash, sha256
from experiments.store.keys import cache_key

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class VectorFile(Selection, ABC):
    """A data set in a file with a row of numbers for each sample.

    Parameters
    ----------
    path
        The file; cached by content.
    id
        Column of ids; None: the first with a usual name (`image_id`, `id`, `image`, `img_id`, `file`,
        `filename`, `path`, `name`), else an unnamed first column or pandas' index, else the only column of
        unique texts, else row numbers.
    exclude
        Columns to leave out.
    label
        Column of labels; None: the file has none.
    images
        Folder or archive of the images from which the rows were computed, for figures; None: no images.
    header
        True if the first line of a CSV has column names, False if not; None: detected.
    block_bytes
        Bytes of the file that a thread reads at a time; does not change results.
    """

    path: str = field(metadata={"path": True})
    id: str | None
    exclude: tuple[str, ...]
    label: str | None
    images: str | None = field(metadata={"path": True})
    header: bool | None
    block_bytes: int = field(default=DEFAULT.block, compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.block_bytes < 1:
            raise ValueError(
                f"dataset.block_bytes={self.block_bytes} is not a number of bytes; use {DEFAULT.block}"
            )
        for name in ("id", "label", "header") if is_array(Path(self.path)) else ():
            if getattr(self, name) is not None:
                raise ValueError(
                    f"dataset.{name}={getattr(self, name)} needs column names, but {self.path} has none; use "
                    f"dataset.{name}=null, or a CSV"
                )

    def default_name(self) -> str:
        """Return the file's name without its extension."""
        return name_of_path(Path(self.path).absolute().with_suffix(""))

    def count(self) -> int:
        """Return the approximate number of rows, without parsing numbers."""
        return self.limited(self._rows())

    def load(self, ctx: Context) -> Samples:
        """Return the samples; the parsed file is cached."""
        contents = [content_hash(path, key, ctx.store) for key, path in self._files().items()]
        folder = ctx.store.folder(self._key(contents), lambda folder: self._parse(folder, contents, ctx))
        rows, values = vector_rows.load_rows(folder)
        for note in rows.notes:
            log.warning("%s: %s", Path(self.path).name, note)
        ids, hashes = np.asarray(rows.ids), np.asarray(rows.hashes)  # memory maps
        images = None if self.images is None else match_images(ids, self.images, ctx)
        labels, names = (None, ()) if rows.labels is None else encode_labels(rows.labels.tolist())
        content = Vectors(values, hashes, images)
        pool = Pool(self.path, ids, content, labels, names, columns=rows.columns)
        return self.samples(pool)

    @abstractmethod
    def _features(self, raw: RawTable, columns: Columns, ids: list[str]) -> Features:
        """Select the feature columns; raise ValueError for invalid values."""

    def _check(self, columns: Columns) -> None:
        """Raise ValueError for invalid columns, before the file is read."""

    def _rows(self) -> int:
        path = Path(self.path)
        return array_rows(path) if is_array(path) else table_rows(path, self.header, self._chunking())

    def _source(self, ctx: Context) -> Source:
        path = Path(self.path)
        if is_array(path):
            return array_source(path, self._ids(), ColumnSettings(exclude=self.exclude), self._chunking())
        wanted = ColumnSettings(self.id, self.label, self.exclude)
        return table_source(path, wanted, self._chunking(ctx.threads), self.header)

    def _chunking(self, threads: int = 1) -> Chunking:
        return Chunking(self.block_bytes, threads)

    def _ids(self) -> str | None:
        """Return the path of an array's ids; None if there is none."""
        return None

    def _files(self) -> dict[str, Path]:
        return {KEY: Path(self.path)}

    def _key(self, contents: list[str]) -> str:
        """Return the cache key of the parsed file: from contents, name extensions and settings."""
        stage = type(self)
        kind, version = stage.__module__.rpartition(".")[2], stage.VERSION  # type: ignore[attr-defined]
        extensions = [path.suffix.lower() for path in self._files().values()]
        return cache_key(
            kind, version=version, contents=contents, extensions=extensions, choice=self._choice()
        )

    def _other_ids(self, columns: Columns) -> str:
        """Return the setting to suggest for duplicate ids."""
        if is_array(Path(self.path)):
            return f"{IDS_KEY}=<a file of other ids>"
        if self.id is None and columns.id:
            return f"{setting('dataset.exclude', [columns.id])} to leave it out"
        return "dataset.id=<another column>"

    def _choice(self) -> list[Any]:
        """Return the settings that change the parsed rows."""
        return [self.id, sorted(self.exclude), self.label, self.header]

    def _parse(self, folder: Path, contents: list[str], ctx: Context) -> None:
        """Parse the file into a folder of the store."""
        source, path = self._source(ctx), Path(self.path)
        self._check(source.columns)
        with ctx.report.progress("read rows", source.n, "rows") as done:
            raw = vector_rows.read_blocks(source.blocks, source.columns.numbers, folder, done)
        columns, ids = find_ids(source, raw, path)
        vector_rows.check_ids(ids, source.locate, (KEY, path), columns.id or "row", self._other_ids(columns))
        features = self._features(raw, columns, ids)
        if not len(features.columns):
            raise DataError(KEY, path, " has no column whose values differ", "use another table")
        extremes.check_sizes(
            raw, features.columns, columns.numbers, lambda row: f"{source.locate(row)}, id {ids[row]!r}",
            (KEY, path),
        )  # fmt: skip
        labels = None if columns.label is None else np.array(raw.texts[columns.label])
        names = tuple(columns.numbers[column] for column in features.columns)
        notes = (*columns.notes, *features.notes, *vector_rows.note_rounding(raw, columns.numbers))
        notes += extremes.note_fill_values(raw, features.columns, columns.numbers)
        rows = Rows(np.array(ids), np.empty(0), labels, names, notes)
        vector_rows.write_rows(raw, features, rows, folder, self._chunking())
        if [sha256(path) for path in self._files().values()] != contents:
            raise DataError(KEY, path, " changed while it was read", "run it again")
