"""Detect if the first row of a table is a header, by a vote of its columns.

A text above numbers is a name. A text that occurs again in its column, or looks like all others in it, is a
value. Numbers above numbers are names only if they form a scale (years, wavelengths, 0, 1, 2) and the rows
below do not. A cell such as `image_id` or `label` decides alone.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from experiments.dataset.tables.cell_text import COMMA, has_value, is_number

ROWS, COLUMNS = 200, 200  # largest numbers of voting rows and columns
ID_COLUMNS = ("image_id", "id", "image", "img_id", "file", "filename")
LABEL_COLUMNS = ("applied_label", "labels_txt", "primary_label", "category", "label", "class")
LABEL_LIKE = {*LABEL_COLUMNS, "cluster", "labels", "species", "target", "y"}
IDS = (*ID_COLUMNS, "path", "name")
NAMES = {*IDS, *LABEL_LIKE, "index", "split"} - {"y"}
NAME = re.compile(r".*[\W_](id|ids|name|label|path|file)", re.IGNORECASE)
FILE_NAME = re.compile(r".*\.[A-Za-z]\w{1,4}")  # end of a file name
NEARLY_ALL, HARDLY_ANY = 0.9, 0.1  # shares of rows


@dataclass(frozen=True)
class FirstRow:
    """The first row of a table: header or values.

    Parameters
    ----------
    names
        True if it is a header.
    sure
        False if no column voted, or some voted against the result.
    value
        A cell that voted for the result; "" if there is none.
    """

    names: bool
    sure: bool
    value: str = ""


def first_row(rows: Sequence[Sequence[str]]) -> FirstRow:
    """Detect if the first row is a header; rows of another width are ignored."""
    first = [cell.strip() for cell in rows[0][:COLUMNS]]
    body = [[cell.strip() for cell in row[:COLUMNS]] for row in rows[1:ROWS] if len(row) == len(rows[0])]
    columns = [[row[column] for row in body] for column in range(len(first))]
    cells = [[cell for cell in column if has_value(cell)] for column in columns]
    named = [
        name for name, column in zip(first, columns, strict=True) if _is_usual(name) and name not in column
    ]
    if named:
        return FirstRow(True, True, named[0])
    votes: dict[int, int] = {}
    scale = []
    for column, (name, values) in enumerate(zip(first, cells, strict=True)):
        numeric = 2 * sum(map(_is_number, values)) > len(values) or not values
        if not has_value(name):
            continue
        if numeric and _is_number(name):
            scale.append(column)
        elif numeric:
            votes[column] = 1 if values else 0
        elif not _is_number(name):
            votes[column] = _vote(name, values)
    as_names = bool(scale) and _is_scale(
        [first[column] for column in scale], [[row[column] for column in scale] for row in body], not first[0]
    )
    votes |= dict.fromkeys(scale, 1 if as_names else -1)
    repeated = [name for name, times in Counter(filter(has_value, first)).items() if times > 1]
    votes |= {column: -1 for column, name in enumerate(first) if name in repeated and votes.get(column) != 1}
    total = sum(votes.values())
    against = [vote for vote in votes.values() if vote * (1 if total >= 0 else -1) < 0]
    decided = [first[column] for column, vote in votes.items() if vote * total > 0]
    weak = as_names and len(scale) < 5 and len(scale) == len(decided) and bool(first[0])
    return FirstRow(total >= 0, bool(total) and not against and not weak, decided[0] if decided else "")


def _is_usual(name: str) -> bool:
    return name.casefold() in NAMES or NAME.fullmatch(name) is not None


def _is_number(cell: str) -> bool:
    return is_number(cell) or COMMA.fullmatch(cell) is not None


def _vote(name: str, values: Sequence[str]) -> int:
    """Return 1 if a text above a column of texts is a name, -1 if it is a value, 0 if undecided."""
    if name in values:
        return -1
    for trait in (_kind, _shape, str.__len__, _capitals):
        common, times = Counter(map(trait, values)).most_common(1)[0]
        telling = common if trait is _shape or trait is _kind else len(values) > 2
        if telling and times >= NEARLY_ALL * len(values):
            if trait(name) != common:
                return 1
            if trait is _shape or trait is _kind:
                return -1
    singles = sum(times == 1 for times in Counter(values).values())
    return int(len(values) >= 10 and singles <= len(values) / 20)


def _kind(text: str) -> str:
    """Return "file" for a file name or a path, "" for other texts."""
    return "file" if FILE_NAME.fullmatch(text) or "/" in text else ""


def _shape(text: str) -> str:
    """Return the pattern of a text, such as a9 for s12 and 9-9-9 for dates; "" for letters only."""
    letters = re.sub(r"[^\W\d_]+", "a", text)
    shape = re.sub(r"\d+", "9", letters)
    return "" if re.fullmatch(r"[a ]*", shape) else shape


def _capitals(text: str) -> str:
    return "upper" if text.isupper() else "title" if text[:1].isupper() else "lower"


def _is_scale(names: Sequence[str], body: Sequence[Sequence[str]], bare_first: bool) -> bool:
    """Return True if the first row's numbers are names: distinct, and regular or far from all others."""
    values = [_value(name) for name in names]
    rows = [[_value(cell) for cell in row] for row in body if all(map(_is_number, row))]
    if len(set(values)) < len(values) or not rows:
        return False
    if len(values) == 1:
        return bare_first and values == [0]  # a single column that pandas wrote with its index
    scales = [regular for regular in (_are_years, _has_steps, _rises) if regular(values)]
    scales += [_counts] if _counts(values) and values[0] in (0, 1) else []
    if any(sum(map(regular, rows)) <= HARDLY_ANY * len(rows) for regular in scales):
        return True
    if all(map(_is_whole, names)) and all(sum(map(_is_whole, row)) <= HARDLY_ANY * len(row) for row in body):
        return True
    distinct = sum(len(set(row)) == len(row) for row in rows)
    if len(values) >= 8 and distinct <= HARDLY_ANY * len(rows):
        return True
    return len(rows) >= 3 and all(map(_is_far, values, zip(*rows, strict=True)))


def _value(cell: str) -> float:
    return float(cell if is_number(cell) else cell.replace(",", "."))


def _is_whole(cell: str) -> bool:
    return cell.lstrip("+-").isdecimal()


def _counts(values: Sequence[float]) -> bool:
    return all(b - a == 1 for a, b in pairwise(values))


def _are_years(values: Sequence[float]) -> bool:
    return _is_monotone(values) and all(1500 <= value <= 2100 and value.is_integer() for value in values)


def _has_steps(values: Sequence[float]) -> bool:
    steps = [b - a for a, b in pairwise(values)]
    middle = sorted(steps)[len(steps) // 2]
    return len(values) >= 3 and middle != 0 and all(abs(step - middle) <= abs(middle) / 50 for step in steps)


def _rises(values: Sequence[float]) -> bool:
    return len(values) >= 5 and _is_monotone(values)


def _is_monotone(values: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(values)) or all(a > b for a, b in pairwise(values))


def _is_far(value: float, column: Sequence[float]) -> bool:
    low, high = min(column), max(column)
    return value < 2 * low - high or value > 2 * high - low
