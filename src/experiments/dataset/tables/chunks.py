"""A file of text in pieces of whole lines, that several threads can read and no memory has to hold."""

import codecs
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from experiments.dataset.tables.csv_dialect import Dialect
from experiments.dataset.tables.tabular import parse_rows

LONGEST = 4  # blocks: beyond them a quote that nothing closes is no quote


def read_chunks(path: Path, dialect: Dialect, size: int) -> Iterator[tuple[int, bytes]]:
    """Give the lines below the header in pieces, as UTF-8, each with the number of its first line.

    A quote within a text that is not quoted itself (5" pipe) may lead to a piece that ends within quotes:
    then `records_of` raises, as it does at any broken line.

    Parameters
    ----------
    size
        Bytes that are read at a time; a piece ends where the last line ends that is whole in them.
    """
    rest, line, above = b"", 1, dialect.header
    for chunk in _chunks(path, dialect, size):
        rest += chunk
        if above and rest.count(b"\n") < above:
            continue
        if above:
            for _ in range(above):
                rest = rest.partition(b"\n")[2]
            line, above = above + 1, 0
        end = _line_end(rest, LONGEST * size)
        if end:
            yield line, rest[:end]
            line, rest = line + rest.count(b"\n", 0, end), rest[end:]
    if rest.strip() and not above:
        yield line, rest


def chunk_rows(
    piece: bytes, first: int, path: Path, dialect: Dialect, key: str
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of one piece, each with the number of its line."""
    yield from parse_rows(io.StringIO(piece.decode(), newline=""), first, path, dialect, key)


def _chunks(path: Path, dialect: Dialect, size: int) -> Iterator[bytes]:
    """Give a file's bytes as UTF-8 without a mark, lines ending with a newline."""
    decoder = codecs.getincrementaldecoder(dialect.encoding)()
    with path.open("rb") as file:
        for chunk in iter(partial(file.read, size), b""):
            data = chunk if dialect.encoding == "utf-8" else decoder.decode(chunk).encode()
            yield data.replace(b"\r", b"\n") if dialect.returns else data


def _line_end(data: bytes, longest: int) -> int:
    """Return where the last line ends that is whole: outside of quotes, which close within `longest`."""
    end = data.rfind(b"\n")
    quotes = data.count(b'"', 0, max(end, 0))
    while end >= 0 and quotes % 2 and len(data) <= longest:
        before = data.rfind(b"\n", 0, end)
        quotes -= data.count(b'"', max(before, 0), end)
        end = before
    return end + 1
