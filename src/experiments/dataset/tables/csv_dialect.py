"""Detect the dialect of a CSV file from its first lines: encoding, separator, header, decimal sign."""

import codecs
import csv
import io
import logging
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from experiments.dataset.tables.cell_text import COMMA, THOUSANDS, has_comma, is_number, unescape_formula
from experiments.dataset.tables.header import FirstRow, first_row
from experiments.dataset.tables.matching import strip_spaces
from experiments.messages import DataError

log = logging.getLogger(__name__)

SEPARATORS = (",", ";", "\t", "|")
LINES = 20  # smallest number of lines of a sample, or all lines
SEPARATOR_LINE = re.compile(r'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)  # Excel's first line
USE_TABLE = "use a CSV, TSV or Parquet file"
UNNAMED = "column_{}"
WESTERN = "cp1252"
BROKEN = "\N{REPLACEMENT CHARACTER}"
FOREIGN = re.compile(rb"[\xc0-\xff]{3}|[\x80-\xff]{4}")  # bytes of words in other alphabets
PACKED = {  # first bytes of files that are not text
    b"PK": "a zip or a spreadsheet", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "Parquet, whose name ends in .parquet",
}  # fmt: skip


@dataclass(frozen=True)
class Chunking:
    """Amount of a file that is read at a time; does not change results.

    Parameters
    ----------
    block
        Bytes of a chunk.
    threads
        Threads that parse chunks.
    """

    block: int = 1 << 23
    threads: int = 1

    @property
    def sample(self) -> int:
        """Bytes read to detect the dialect."""
        return max(1 << 12, self.block // 8)

    def rows(self, width: int) -> int:
        """Rows of `width` float32 values per block."""
        return max(1, self.block // max(1, 4 * width))


DEFAULT = Chunking()


@dataclass(frozen=True)
class Dialect:
    """The dialect of a CSV file.

    Parameters
    ----------
    returns
        True if lines end with a carriage return alone.
    header
        Number of lines above the first row: comments and the header.
    columns
        Names of the columns; one without a name is called `column_<number>`.
    named
        False if the file has no header.
    note
        Warning about the header; "" if there certainly is one.
    unclear
        For each column with ambiguous numbers such as 1,234, one of them; empty if other numbers decide.
    """

    encoding: str
    returns: bool
    separator: str
    decimal: str
    header: int
    columns: tuple[str, ...]
    named: bool = True
    note: str = ""
    unclear: Mapping[str, str] = field(default_factory=dict)


def detect_dialect(path: Path, key: str, header: bool | None = None, chunking: Chunking = DEFAULT) -> Dialect:
    """Return the dialect of a CSV file; raise ValueError if it has no table.

    Parameters
    ----------
    header
        True if the first row has column names, False if not; None: detected.
    """
    with readable(path, key):
        encoding = encoding_of(path, key, chunking)
        text, whole = _first_lines(path, encoding, chunking.sample)
    returns = "\r" in text and "\n" not in text
    text = text.replace("\r", "\n") if returns else text
    if not whole:
        text = text[: text.rfind("\n") + 1]
    stated = SEPARATOR_LINE.match(text)
    separator, numbered = _separated(text[stated.end() :] if stated else text, path, stated and stated[1])
    if not numbered:
        raise DataError(key, path, " cannot be read as CSV: it is empty", f"{USE_TABLE} with a header")
    ends, rows = zip(*numbered, strict=True)
    above = _comments(rows)
    rows = rows[above:]
    commented = rows[0][0].startswith("#") and any(not fields[0].startswith("#") for fields in rows[1:2])
    first = first_row(rows) if header is None and not commented else FirstRow(header is not False, True)
    lines = (ends[above] if first.names else ends[above - 1] if above else 0) + (1 if stated else 0)
    names = _names([rows[0][0].lstrip("# ") or "#", *rows[0][1:]] if commented else rows[0], first.names)
    check_names(names, path, key)
    body = rows[1:] if first.names else rows
    commas = [] if separator == "," else _commas(body, names)
    sure = any(not THOUSANDS.fullmatch(text) for _, text in commas)
    decimal = "," if any(COMMA.fullmatch(text) for _, text in commas) else "."
    note = "" if first.sure and first.names else _note(first, rows[0], key, header)
    return Dialect(
        encoding, returns, separator, decimal, lines, names, first.names, note, {} if sure else dict(commas)
    )


def _names(row: Sequence[str], named: bool) -> tuple[str, ...]:
    names = strip_spaces(list(map(unescape_formula, row))) if named else [""] * len(row)
    return tuple(name or UNNAMED.format(number) for number, name in enumerate(names, start=1))


def _note(first: FirstRow, row: Sequence[str], key: str, header: bool | None) -> str:
    """Return a note on the interpretation of the first row, and the setting to change it."""
    setting = f"{key.removesuffix('.path')}.header" if key.endswith(".path") else ""
    value = repr(first.value or row[0].strip())
    if first.names:
        remedy = f"use {setting}=false" if setting else "put a line of names above it"
        return f"the first line is read as a header, although it may be a row of values; if so, {remedy}"
    called = f"columns are called {UNNAMED.format(1)} to {UNNAMED.format(len(row))}"
    if header is not None:
        return called
    remedy = f"if these are names, use {setting}=true" if setting else "put a line of names above it"
    return f"it has no header: its first line has values such as {value}; {called}; {remedy}"


def check_names(names: Iterable[str], path: Path, key: str) -> None:
    """Raise ValueError if two columns have one name."""
    names = list(names)
    duplicates = [name for name, times in Counter(names).items() if times > 1]
    if duplicates:
        fact = f" has {names.count(duplicates[0])} columns called {duplicates[0]!r}"
        raise DataError(key, path, fact, "give each its own name")


@contextmanager
def readable(path: Path, key: str) -> Iterator[None]:
    """Turn an OSError into a ValueError that names the setting of the file."""
    try:
        yield
    except OSError as error:
        raise DataError(key, path, f" cannot be read ({error.strerror or error})", USE_TABLE) from error


def _first_lines(path: Path, encoding: str, sample: int) -> tuple[str, bool]:
    """Return the first lines of a file, and True if they are the whole file."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        text = decoder.decode(file.read(sample))
        while max(map(text.count, "\r\n")) < LINES and (more := file.read(sample)):
            text += decoder.decode(more)
        return text, not file.read(1)


def encoding_of(path: Path, key: str, chunking: Chunking = DEFAULT) -> str:
    """Return the encoding that decodes the whole file; log it if it is not UTF-8.

    Raises
    ------
    ValueError
        If the file is not text, or its encoding is unknown; names the line and the column.
    """
    with path.open("rb") as file:
        first = file.read(4096)
    kind = next((kind for mark, kind in PACKED.items() if first.startswith(mark)), "")
    if kind:
        fact = f" cannot be read as CSV: it is not text ({kind})"
        raise DataError(key, path, fact, "unpack it, or save the spreadsheet as CSV UTF-8")
    wide = ""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wide = "utf-16"
    elif b"\0" in first:
        even, odd = first[::2].count(0), first[1::2].count(0)
        if even + odd < len(first) / 4:  # in UTF-16 about half of the bytes are 0
            line = first[: first.index(0)].count(b"\n") + 1
            fact = f" cannot be read as CSV: line {line} has a zero byte, so it is not text"
            raise DataError(key, path, fact, "repair that line, or save the spreadsheet as CSV UTF-8")
        wide = "utf-16-be" if even > odd else "utf-16-le"
    if wide and _decodes(path, wide, chunking):
        log.info("%s is read as UTF-16", path.name)
        return wide
    encoding = "utf-8-sig" if first.startswith(codecs.BOM_UTF8) else "utf-8"
    if _decodes(path, encoding, chunking):
        return encoding
    return _western(path, key, chunking)


def _western(path: Path, key: str, chunking: Chunking) -> str:
    """Return cp1252 if the file may have that encoding; raise ValueError otherwise."""
    where, good, bad, western = "", 0, 0, _decodes(path, WESTERN, chunking)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.decode("utf-8-sig", errors="replace")
            broken = text.count(BROKEN)
            if broken and not where:
                where = f"line {number}, column {text.index(BROKEN) + 1}"
            bad += broken
            good += sum(letter > "\x7f" for letter in text) - broken
            western = western and not FOREIGN.search(line)
    to_type = f"iconv -f <its encoding> -t UTF-8 {shlex.quote(str(path))} > <new file>"
    if good > bad:
        raise DataError(key, path, f" is UTF-8 except for a byte in {where}", "correct that line")
    if not western:
        fact = f" is neither UTF-8 ({where}) nor Western European"
        raise DataError(key, path, fact, f"save the spreadsheet as CSV UTF-8, or type: {to_type}")
    log.warning(
        "%s is not UTF-8 (%s) and is read as cp1252 (Western European); if names look wrong: %s",
        path.name, where, to_type,
    )  # fmt: skip
    return WESTERN


def _decodes(path: Path, encoding: str, chunking: Chunking) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    ascii_too = not encoding.startswith("utf-16")
    try:
        for chunk in _chunks(path, chunking.block):
            # ASCII needs no decoder; decoding is several times slower
            if not (ascii_too and chunk.isascii() and not decoder.getstate()[0]):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, size), b"")


def _separated(text: str, path: Path, stated: str | None) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the separator for which most rows have the field count of the first row, and the rows.

    Each row comes with the number of its last line.
    """
    tried = {}
    usual = ("\t",) if path.suffix.lower() == ".tsv" else SEPARATORS
    for separator in (stated,) if stated else usual:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        rows: list[tuple[int, list[str]]] = []
        with suppress(csv.Error):  # `read_rows` raises it with the line
            rows.extend((reader.line_num, fields) for fields in reader if fields)
        widths = [len(fields) for _, fields in rows]
        widths = widths[_comments([fields for _, fields in rows]) :]
        width = widths[0] if widths else 0
        agreeing = widths.count(width) / len(widths) if widths else 0
        tried[separator] = (width > 1, round(agreeing, 1), width), rows
    best = max(tried, key=lambda separator: tried[separator][0])  # on ties, the first
    return best, tried[best][1]


def _comments(rows: Sequence[Sequence[str]]) -> int:
    """Count the comments above the rows, except a header in a comment, as numpy.savetxt writes it."""
    above = next((row for row, fields in enumerate(rows) if not fields[0].startswith("#")), 0)
    return above - 1 if above and len(rows[above - 1]) == len(rows[above]) else above


def _commas(rows: Sequence[Sequence[str]], names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (column, number) of all numbers with commas; [] if other numbers have decimal points."""
    fields = [(name, text.strip()) for row in rows for name, text in zip(names, row, strict=False)]
    if any("." in text and is_number(text) for _, text in fields):
        return []
    return [(name, text) for name, text in fields if "," in text and has_comma(text)]
