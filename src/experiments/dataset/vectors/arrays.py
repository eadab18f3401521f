"""The rows of arrays of numpy: .npy and .npz files, and their ids."""

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
from experiments.messages import few

ARRAYS = (".npy", ".npz")
IDS_KEY = "dataset.ids"
VECTORS, IDS = "embeddings", "ids"  # what an .npz file calls them
BROKEN = (ValueError, EOFError, BadZipFile, zlib.error)  # what numpy raises of a file that is damaged


def is_array(path: Path) -> bool:
    """Return True for a file of numpy's, by its ending: its columns have no names."""
    return path.suffix.lower() in ARRAYS


def array_source(path: Path, ids_path: str | None, wanted: ColumnSettings, chunking: Chunking) -> Source:
    """Open an .npy or .npz file of vectors, whose columns are called d0, d1, ..., and its ids."""
    values, own, unused = _array(path)
    ids = own if ids_path is None else _ids(Path(ids_path))
    if ids is not None and len(ids) != len(values):
        where = f"{IDS_KEY}={ids_path} has" if ids_path else f"{KEY}={path} has"
        raise ValueError(f"{where} {len(ids)} ids for {len(values)} vectors; use the ids of these vectors")
    names = tuple(f"d{column}" for column in range(values.shape[1]))
    columns = assign_columns(Header(names, {}, (), None, None, len(values), None), path, wanted)
    columns = replace(columns, id="id", notes=(f"arrays not used: {few(unused)}",) if unused else ())
    blocks = _array_blocks(values, names, columns.numbers, chunking.rows(len(names)))
    return Source(
        columns, blocks, len(values), lambda row: f"row {row + 1}",
        row_numbers(len(values)) if ids is None else ids,
    )  # fmt: skip


def array_rows(path: Path) -> int:
    """Count the vectors of a file."""
    return len(_array(path)[0])


def _array(path: Path) -> tuple[np.ndarray, list[str] | None, list[str]]:
    """Return (n, d), of an .npy file a memory map, the ids of an .npz file, and what else it holds."""
    with readable(path, KEY):
        try:
            arrays, objects = _arrays(path)
        except BROKEN as error:
            raise ValueError(
                f"{KEY}={path} cannot be read as arrays of numbers ({error}); write it with numpy.save, or "
                "numpy.savez"
            ) from error
    flat = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiub"]
    name = VECTORS if VECTORS in {*arrays, *objects} else flat[0] if len(flat) == 1 else None
    wrong = next((each for each in objects if each in (name, IDS) or not flat), None)
    if wrong is not None:
        kind = "str" if wrong == IDS else "'float32'"
        raise ValueError(
            f"{KEY}={path} holds Python objects as {wrong}, not numbers or text; save "
            f"{wrong}.astype({kind}) instead"
        )
    if name not in flat:
        shapes = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in arrays.items())
        raise ValueError(
            f"{KEY}={path} holds {shapes}, and not one array of numbers with a row for each vector; save it "
            f"so, in .npz as `{VECTORS}`, with `{IDS}` next to it"
        )
    values = arrays[name]
    if not values.size:
        raise ValueError(f"{KEY}={path} holds no vector: {list(values.shape)}; use an array with rows")
    unused = sorted({*arrays, *objects} - {name, IDS})
    return values, _listed(arrays[IDS]) if IDS in arrays else None, unused


def _arrays(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the arrays of a file by name, and the names of those that hold Python objects."""
    opened: dict[str, Callable[[], np.ndarray]] = {VECTORS: lambda: np.load(path, mmap_mode="r")}
    if is_zipfile(path):  # whatever its name says
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
    whole = wanted == names
    columns = range(len(names)) if whole else [int(name[1:]) for name in wanted]
    for start in range(0, len(values), size):
        rows = values[start : start + size]
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and told as such
            part = np.asarray(rows if whole else rows[:, columns], np.float32)
        odd = odd_values(part, wanted, lambda row: f"row {row + 1}", _speller(rows, columns), start)
        yield Block(part, {}, tuple(odd))


def _speller(rows: np.ndarray, columns: Sequence[int]) -> Callable[[int, int], str]:
    return lambda row, column: str(rows[row, columns[column]])


def _ids(path: Path) -> list[str]:
    """Read ids: a line each, a table with a column of them, or an array."""
    kind = path.suffix.lower()
    if kind == ".npy":
        with readable(path, IDS_KEY):
            return _listed(_id_array(path))
    if kind == ".txt":
        with readable(path, IDS_KEY):
            lines = path.read_text(encoding_of(path, IDS_KEY)).removeprefix("\ufeff")
        return strip_spaces([unescape_formula(line) for line in lines.removesuffix("\n").split("\n")])
    table = text_table(path, IDS_KEY)
    column = table.columns[0] if table.shape[1] == 1 else usual_id(list(table.columns))
    if column is None:
        raise ValueError(
            f"{IDS_KEY}={path} has {table.shape[1]} columns, none of which is called as ids are; call one "
            "image_id"
        )
    return strip_spaces([str(name) for name in table[column].fillna("")])


def _id_array(path: Path) -> np.ndarray:
    try:
        held = np.load(path, allow_pickle=False)
        if isinstance(held, NpzFile):
            raise ValueError("it holds several arrays")
    except BROKEN as error:
        raise ValueError(
            f"{IDS_KEY}={path} cannot be read ({error}); save ids.astype(str) with numpy.save"
        ) from error
    return np.asarray(held)


def _listed(ids: np.ndarray) -> list[str]:
    return strip_spaces([text_of(name) for name in ids.ravel().tolist()])
