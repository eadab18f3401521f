"""Sources of rows in .npy and .npz files, and their ids."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.lib.npyio import NpzFile

from experiments.dataset.tables.blocks import Block, text_of
from experiments.dataset.tables.cell_text import unescape_formula
from experiments.dataset.tables.columns import KEY, ColumnSettings, Header, assign_columns, usual_id
from experiments.dataset.tables.csv_dialect import Chunking, encoding_of, readable
from experiments.dataset.tables.matching import strip_spaces
from experiments.dataset.tables.odd_values import odd_values
from experiments.dataset.tables.tabular import text_table
from experiments.dataset.vectors.sources import Source, row_numbers
from experiments.messages import DataError, join_few

ARRAYS = (".npy", ".npz")
IDS_KEY = "dataset.ids"
VECTORS, IDS = "embeddings", "ids"  # names of the arrays in an .npz file
DAMAGED = (ValueError, EOFError, BadZipFile, zlib.error)  # numpy's errors for a damaged file


def is_array(path: Path) -> bool:
    """Return True for the name of an .npy or .npz file; their columns have no names."""
    return path.suffix.lower() in ARRAYS


def array_source(path: Path, ids_path: str | None, wanted: ColumnSettings, chunking: Chunking) -> Source:
    """Return the source of an .npy or .npz file with columns d0, d1, ..., and its ids."""
    values, ids, unused = _array(path)
    ids = ids if ids_path is None else _ids(Path(ids_path))
    if ids is not None and len(ids) != len(values):
        key, file = (IDS_KEY, ids_path) if ids_path else (KEY, path)
        fact = f" has {len(ids)} ids for {len(values)} vectors"
        raise DataError(key, file, fact, "use the ids of these vectors")
    names = tuple(f"d{column}" for column in range(values.shape[1]))
    columns = assign_columns(Header(names, {}, (), None, None, len(values), None), path, wanted)
    columns = replace(columns, id="id", notes=(f"arrays not used: {join_few(unused)}",) if unused else ())
    blocks = _array_blocks(values, names, columns.numbers, chunking.rows(len(names)))
    return Source(
        columns, blocks, len(values), lambda row: f"row {row + 1}",
        row_numbers(len(values)) if ids is None else ids,
    )  # fmt: skip


def array_rows(path: Path) -> int:
    """Return the number of vectors in a file."""
    return len(_array(path)[0])


def _array(path: Path) -> tuple[np.ndarray, list[str] | None, list[str]]:
    """Return the vectors (n, d), the ids of an .npz file, and the names of its other arrays."""
    with readable(path, KEY):
        try:
            arrays, objects = _arrays(path)
        except DAMAGED as error:
            raise DataError(
                KEY,
                path,
                f" cannot be read as arrays of numbers ({error})",
                "write it with numpy.save, or numpy.savez",
            ) from error
    matrices = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiub"]
    name = VECTORS if VECTORS in {*arrays, *objects} else matrices[0] if len(matrices) == 1 else None
    invalid = next((array for array in objects if array in (name, IDS) or not matrices), None)
    if invalid is not None:
        kind = "str" if invalid == IDS else "'float32'"
        raise DataError(
            KEY,
            path,
            f" has Python objects in the array {invalid}, not numbers or text",
            f"save {invalid}.astype({kind}) instead",
        )
    if name not in matrices:
        shapes = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in arrays.items())
        raise DataError(
            KEY,
            path,
            f" has {shapes}, but not one array of numbers with a row for each vector",
            f"save one, in .npz as `{VECTORS}`, with the ids as `{IDS}`",
        )
    values = arrays[name]
    if not values.size:
        raise DataError(KEY, path, f" has no vectors: shape {list(values.shape)}", "use an array with rows")
    unused = sorted({*arrays, *objects} - {name, IDS})
    return values, _as_texts(arrays[IDS]) if IDS in arrays else None, unused


def _arrays(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the arrays of a file by name, and the names of arrays of Python objects."""
    opened: dict[str, Callable[[], np.ndarray]] = {VECTORS: lambda: np.load(path, mmap_mode="r")}
    if is_zipfile(path):  # an .npz file, whatever its name
        file = np.load(path)
        opened = {name: partial(file.__getitem__, name) for name in file.files}
    arrays, objects = {}, []
    for name, read in opened.items():
        try:
            arrays[name] = read()
        except ValueError as error:
            if "Object arrays" not in str(error) and "Python objects" not in str(error):
                raise
            objects.append(name)
    return arrays, objects


def _array_blocks(
    values: np.ndarray, names: tuple[str, ...], wanted: tuple[str, ...], size: int
) -> Iterator[Block]:
    all_columns = wanted == names
    columns = range(len(names)) if all_columns else [int(name[1:]) for name in wanted]
    for start in range(0, len(values), size):
        rows = values[start : start + size]
        with np.errstate(over="ignore"):  # too large for float32: infinite, and reported as such
            part = np.asarray(rows if all_columns else rows[:, columns], np.float32)
        odd = odd_values(part, wanted, lambda row: f"row {row + 1}", _cell_reader(rows, columns), start)
        yield Block(part, {}, tuple(odd))


def _cell_reader(rows: np.ndarray, columns: Sequence[int]) -> Callable[[int, int], str]:
    return lambda row, column: str(rows[row, columns[column]])


def _ids(path: Path) -> list[str]:
    """Read ids from an .npy array, a text file with one per line, or a column of a table."""
    kind = path.suffix.lower()
    if kind == ".npy":
        with readable(path, IDS_KEY):
            return _as_texts(_id_array(path))
    if kind == ".txt":
        with readable(path, IDS_KEY):
            lines = path.read_text(encoding_of(path, IDS_KEY)).removeprefix("\ufeff")
        return strip_spaces([unescape_formula(line) for line in lines.removesuffix("\n").split("\n")])
    table = text_table(path, IDS_KEY)
    column = table.columns[0] if table.shape[1] == 1 else usual_id(list(table.columns))
    if column is None:
        raise DataError(
            IDS_KEY,
            path,
            f" has {table.shape[1]} columns, none with a name such as id or image_id",
            "call one image_id",
        )
    return strip_spaces([str(name) for name in table[column].fillna("")])


def _id_array(path: Path) -> np.ndarray:
    try:
        ids = np.load(path, allow_pickle=False)
        if isinstance(ids, NpzFile):
            raise ValueError("it has several arrays")
    except DAMAGED as error:
        raise DataError(
            IDS_KEY, path, f" cannot be read ({error})", "save ids.astype(str) with numpy.save"
        ) from error
    return np.asarray(ids)


def _as_texts(ids: np.ndarray) -> list[str]:
    return strip_spaces([text_of(name) for name in ids.ravel().tolist()])
