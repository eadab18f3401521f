"""How a file of text writes its table: encoding, separator, header, decimal sign, from a sample of it."""

import codecs
import csv
import io
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

from experiments.dataset.tables.cells import COMMA, THOUSANDS, has_comma, is_number, plain

log = logging.getLogger(__name__)

SEPARATORS = (",", ";", "\t", "|")
PIECE = 1 << 23  # bytes that are looked at at a time
SAMPLE = 1 << 20  # bytes that show how a file is written
TOLD = re.compile(r'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)  # Excel's own first line
KINDS = "use a CSV, TSV or Parquet file"
UNNAMED = "column {}"


@dataclass(frozen=True)
class Form:
    """How a file of text writes its table.

    Parameters
    ----------
    returns
        Lines end with a carriage return alone.
    header
        Lines that its header takes.
    columns
        Names of the columns; one without a name is called by its place, as `UNNAMED` says.
    unclear
        By column, a number such as 1,234 that may be a thousand or one; empty if other numbers tell.
    """

    encoding: str
    returns: bool
    separator: str
    decimal: str
    header: int
    columns: tuple[str, ...]
    unclear: Mapping[str, str] = field(default_factory=dict)


def form_of(path: Path, key: str) -> Form:
    """Find out how a file of text is written; raise ValueError if it holds no table."""
    with readable(path, key):
        encoding = _encoding(path, key)
        text, whole = _first_lines(path, encoding)
    returns = "\r" in text and "\n" not in text
    text = text.replace("\r", "\n") if returns else text
    if not whole:
        text = text[: text.rfind("\n") + 1]
    told = TOLD.match(text)
    separator, rows, header = _separated(text[told.end() :] if told else text, path, told and told[1])
    header += 1 if told else 0
    if not rows:
        raise ValueError(f"{key}={path} cannot be read as CSV: it is empty; {KINDS} with a header")
    names = tuple(plain(name) or UNNAMED.format(place) for place, name in enumerate(rows[0], start=1))
    check_names(names, path, key)
    commas = [] if separator == "," else _commas(rows[1:], names)
    sure = any(not THOUSANDS.fullmatch(text) for _, text in commas)
    decimal = "," if any(COMMA.fullmatch(text) for _, text in commas) else "."
    return Form(encoding, returns, separator, decimal, header, names, {} if sure else dict(commas))


def check_names(names: Iterable[str], path: Path, key: str) -> None:
    """Raise ValueError if columns are called alike, or if the names are values: there is no header then."""
    names = list(names)
    numbers = [name for name in names if is_number(name)]
    if 2 * len(numbers) >= len(names) and not _numbered(numbers):
        raise ValueError(
            f"{key}={path} has no header: its first line holds values such as {numbers[0]!r}; write a first "
            "line of column names, such as image_id,d0,d1"
        )
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(
            f"{key}={path} has {names.count(twice[0])} columns called {twice[0]!r}; give each its own name"
        )


@contextmanager
def readable(path: Path, key: str) -> Iterator[None]:
    """Turn errors of opening a file into a ValueError that names its setting."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{key}={path} cannot be read ({error.strerror or error}); {KINDS}") from error


def _first_lines(path: Path, encoding: str) -> tuple[str, bool]:
    """Return a sample of a file with at least one whole line, and whether it is all of it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        text = decoder.decode(file.read(SAMPLE))
        while "\n" not in text and "\r" not in text and (more := file.read(SAMPLE)):
            text += decoder.decode(more)
        return text, not file.read(1)


def _encoding(path: Path, key: str) -> str:
    """Return what decodes the whole file; say so if that is not Unicode."""
    with path.open("rb") as file:
        first = file.read(4096)
    candidates: tuple[str, ...] = ("utf-8", "cp1252", "latin-1")
    if first.startswith(codecs.BOM_UTF8):
        candidates = ("utf-8-sig",)
    elif first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ("utf-16",)
    elif b"\0" in first and not first.startswith((b"PK", b"\x1f\x8b")):
        even, odd = first[::2].count(0), first[1::2].count(0)
        if even + odd < len(first) / 4:  # of UTF-16 about half is
            line = first[: first.index(0)].count(b"\n") + 1
            raise ValueError(
                f"{key}={path} cannot be read as CSV: a byte in line {line} is 0, as in no text; repair that "
                "line, or save the spreadsheet as CSV UTF-8"
            )
        candidates = ("utf-16-be",) if even > odd else ("utf-16-le",)
    found = next((encoding for encoding in candidates if _decodes(path, encoding)), None)
    if found is None or first.startswith((b"PK", b"\x1f\x8b")):
        raise ValueError(
            f"{key}={path} cannot be read as CSV: it holds bytes that are no text; unpack it, or save the "
            "spreadsheet as CSV UTF-8"
        )
    if found in ("cp1252", "latin-1"):
        log.warning("%s is not UTF-8, and is read as %s (Western European)", path.name, found)
    return found


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    ascii_too = not encoding.startswith("utf-16")
    try:
        with path.open("rb") as file:
            for chunk in iter(partial(file.read, PIECE), b""):
                # plain letters need no decoder, which is several times slower
                if not (ascii_too and chunk.isascii() and not decoder.getstate()[0]):
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separated(text: str, path: Path, told: str | None) -> tuple[str, list[list[str]], int]:
    """Return the separator by which most rows have as many fields as the header, those rows, its lines."""
    tried = {}
    usual = ("\t",) if path.suffix.lower() == ".tsv" else SEPARATORS
    for separator in (told,) if told else usual:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        rows: list[list[str]] = []
        header = 0
        try:
            for fields in reader:
                header = header or (reader.line_num if fields else 0)
                rows += [fields] if fields else []
        except csv.Error:  # records will name the line
            pass
        width = len(rows[0]) if rows else 0
        agreeing = sum(len(fields) == width for fields in rows) / len(rows) if rows else 0
        tried[separator] = (width > 1, round(agreeing, 1), width), rows, header
    best = max(tried, key=lambda separator: tried[separator][0])  # the first of equals
    return best, *tried[best][1:]


def _commas(rows: list[list[str]], names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the numbers with commas, each after its column; none where numbers have decimal points."""
    fields = [(name, text.strip()) for row in rows for name, text in zip(names, row, strict=False)]
    if any("." in text and is_number(text) for _, text in fields):
        return []
    return [(name, text) for name, text in fields if "," in text and has_comma(text)]


def _numbered(numbers: list[str]) -> bool:
    """Tell whether columns are called by numbers: whole ones that rise, as pandas writes 0, 1, 2."""
    return all(map(str.isdecimal, numbers)) and all(int(a) < int(b) for a, b in pairwise(numbers))
