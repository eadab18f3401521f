"""What files of vectors have in common, embeddings or measurements: ids, labels, images to look at."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.dataset.content import Vectors
from experiments.dataset.illustrations import illustrations
from experiments.dataset.labels import natural
from experiments.dataset.selection import Selection
from experiments.dataset.tables import vector_rows
from experiments.dataset.tables.columns import KEY, Columns
from experiments.dataset.tables.form import readable
from experiments.dataset.tables.sources import Source, identified, table_rows, table_source
from experiments.dataset.tables.vector_rows import Features, Read
from experiments.kept import digest
from experiments.types import Context, Samples

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class VectorFile(Selection, ABC):
    """A row of numbers for each sample, in a file.

    Parameters
    ----------
    path
        The file; it is read once, and again when its size or a time of change differs.
    id
        Column of ids, which stay as they are written; None: the first called as one (`image_id`, `id`,
        `image`, `img_id`, `file`, `filename`, `path`, `name`), else a first column without a name or pandas'
        index, else the one column of texts that all differ, else ids are row numbers.
    exclude
        Columns to leave out.
    label
        Column of labels; None: the file has none.
    images
        Folder or archive of the images that the rows are about, to look at; None: there are none.
    """

    path: str = field(metadata={"path": True})
    id: str | None
    exclude: tuple[str, ...]
    label: str | None
    images: str | None = field(metadata={"path": True})

    @property
    def name(self) -> str:
        """Return the file's name."""
        return Path(self.path).stem

    def count(self) -> int:
        """Return about how many rows there are, without reading a number."""
        return self.limited(self._rows())

    def load(self, ctx: Context) -> Samples:
        """Return the samples; the file is read once, then the store."""
        folder = ctx.store.folder(self._key(), lambda folder: self._keep(folder, ctx))
        rows, values = vector_rows.load(folder)
        for note in rows.notes:
            log.warning("%s: %s", Path(self.path).name, note)
        ids, hashes = np.asarray(rows.ids), np.asarray(rows.hashes)  # memory maps
        images = None if self.images is None else illustrations(ids, self.images, ctx)
        labels, names = _numbered(rows.labels)
        content = Vectors(values, hashes, images)
        return self.samples(self.path, ids, content, labels, names, columns=rows.columns)

    @abstractmethod
    def _features(self, read: Read, columns: Columns, ids: list[str]) -> Features:
        """Choose the columns that are features; raise ValueError for values that cannot be used."""

    def _check(self, columns: Columns) -> None:
        """Raise ValueError for columns that cannot be used, before the file is read."""

    def _rows(self) -> int:
        return table_rows(Path(self.path))

    def _source(self, ctx: Context) -> Source:
        return table_source(Path(self.path), self.id, self.label, self.exclude, ctx.threads)

    def _files(self) -> dict[str, str]:
        return {KEY: self.path}

    def _key(self) -> str:
        """Name what the files hold: cp -p keeps size and time of writing, but not the time of the copy."""
        stage = type(self)
        kind, version = stage.__module__.rpartition(".")[2], stage.VERSION  # type: ignore[attr-defined]
        files: list[list[Any]] = []
        for key, path in self._files().items():
            with readable(Path(path), key):
                of = Path(path).stat()
            files.append([str(Path(path).resolve()), of.st_size, of.st_mtime_ns, of.st_ctime_ns])
        return f"{kind}-{digest(version, files, self.id, sorted(self.exclude), self.label)}"

    def _keep(self, folder: Path, ctx: Context) -> None:
        """Read the file into a folder of the store."""
        source, path = self._source(ctx), Path(self.path)
        self._check(source.columns)
        with ctx.report.progress("read rows", source.n, "rows") as done:
            read = vector_rows.read(source.blocks, source.columns.numbers, folder, done)
        columns, ids = identified(source, read, path)
        vector_rows.check_ids(ids, source.place, f"{KEY}={path}", columns.id or "row")
        features = self._features(read, columns, ids)
        if not len(features.places):
            raise ValueError(f"{KEY}={path} has no column left that tells rows apart; use another table")
        labels = None if columns.label is None else np.array(read.texts[columns.label])
        names = tuple(columns.numbers[place] for place in features.places)
        notes = (*columns.notes, *features.notes, *vector_rows.large(read, columns.numbers))
        vector_rows.write(read, features, np.array(ids), labels, names, notes, folder)


def _numbered(labels: np.ndarray | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return labels as numbers, -1 for none, and the names of the classes, 2 before 10."""
    if labels is None:
        return None, ()
    present, places = np.unique(labels, return_inverse=True)
    names = sorted((str(name) for name in present if name), key=natural)
    number = {name: label for label, name in enumerate(names)}
    return np.array([number.get(str(name), -1) for name in present], np.int64)[places], tuple(names)
