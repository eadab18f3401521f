"""Split a CSV file into chunks of whole lines, so that threads can parse it in bounded memory."""

import codecs
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from experiments.dataset.tables.csv_dialect import Dialect
from experiments.dataset.tables.tabular import parse_rows

LONGEST = 4  # largest number of chunks of a quoted text; a longer one has a stray quote


def read_chunks(path: Path, dialect: Dialect, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield chunks of the lines below the header, as UTF-8, each with the number of its first line.

    A quote within an unquoted text (5" pipe) may lead to a chunk that ends within quotes: `chunk_rows` raises
    for it, as for any malformed line.

    Parameters
    ----------
    size
        Bytes read at a time; a chunk ends with the last complete line in them.
    """
    rest, line, above = b"", 1, dialect.header
    for chunk in _utf8_chunks(path, dialect, size):
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
    chunk: bytes, first: int, path: Path, dialect: Dialect, key: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a chunk, each with its line number."""
    yield from parse_rows(io.StringIO(chunk.decode(), newline=""), first, path, dialect, key)


def _utf8_chunks(path: Path, dialect: Dialect, size: int) -> Iterator[bytes]:
    """Yield a file's bytes as UTF-8 without a byte order mark, with newlines as line ends."""
    decoder = codecs.getincrementaldecoder(dialect.encoding)()
    with path.open("rb") as file:
        for chunk in iter(partial(file.read, size), b""):
            data = chunk if dialect.encoding == "utf-8" else decoder.decode(chunk).encode()
            yield data.replace(b"\r", b"\n") if dialect.returns else data


def _line_end(data: bytes, longest: int) -> int:
    """Return the end of the last line outside of quotes, or of the last line beyond `longest` bytes."""
    end = data.rfind(b"\n")
    quotes = data.count(b'"', 0, max(end, 0))
    while end >= 0 and quotes % 2 and len(data) <= longest:
        before = data.rfind(b"\n", 0, end)
        quotes -= data.count(b'"', max(before, 0), end)
        end = before
    return end + 1
