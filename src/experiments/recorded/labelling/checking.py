"""What an edited table says, and everything that is wrong with it."""

import difflib
import logging
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.config import commands
from experiments.dataset.tables.header import ID_COLUMNS
from experiments.dataset.tables.matching import SPELLING, match_names, strip_spaces
from experiments.dataset.tables.tabular import text_table
from experiments.messages import counted

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

APPLIED = "applied_label"
WITHDRAWN = "-"  # in applied_label: the image has no label
ALIKE = 0.8  # of difflib's 1: labels this close may be one that was mistyped
SHOWN = 20  # problems that are named


@dataclass(frozen=True)
class Edits:
    """What a person wrote into the table.

    Parameters
    ----------
    labels
        By image id, "" for one that is withdrawn; rows without an applied label are none of them.
    missing
        Images of the run that the table has no row for.
    new
        Labels that no image had before, with the place of the first of each.
    places
        Where each image's row stands, as `line 2`, or `row 1` of a Parquet file.
    """

    labels: dict[str, str]
    missing: int
    new: dict[str, str]
    places: dict[str, str]


def edits(path: Path, ids: Sequence[str], known: Iterable[str], *, accept_new: bool) -> Edits:
    """Read an edited table; raise ValueError that names everything wrong with it by its line.

    Parameters
    ----------
    ids
        The images of the run.
    known
        Labels that are spelt right.
    accept_new
        Take a label for a new one also if it looks like one that is known.
    """
    table = text_table(path, "FILE", header=True).dropna(how="all")
    id_column = next((name for name in ID_COLUMNS if name in table), None)
    if id_column is None or APPLIED not in table:
        raise ValueError(
            f"FILE={path} has the columns {', '.join(map(str, table))}, and needs image_id and {APPLIED}; "
            f"start from {shlex.quote(commands.python())} scripts/labels.py template RUN_ID"
        )
    unit, known = str(table.index.name), sorted(set(known) - {""})
    found, problems = _found(table[id_column], ids, unit)
    labels = zip(found, _known_labels(table[APPLIED], known, path), strict=True)
    rows = [(line, name, label) for (line, name), label in labels if label]
    if WITHDRAWN in known:
        why = f"{WITHDRAWN!r} is a class, and withdraws a label here; rename that class first"
        problems += [(line, why) for line, _, label in rows if label == WITHDRAWN]
    new, doubts = _new([row for row in rows if row[-1] != WITHDRAWN], set(known), accept_new)
    if problems or doubts:
        hint = "; --accept-new takes new labels as they are" if doubts else ""
        raise ValueError(_told(path, sorted(problems + doubts), unit, hint))
    return Edits(
        {name: "" if label == WITHDRAWN else label for _, name, label in rows},
        len(set(ids)) - len(found),
        {label: f"{unit} {line}" for label, line in new.items()},
        {name: f"{unit} {line}" for line, name in found},
    )


def _found(
    column: "pd.Series[str]", ids: Sequence[str], unit: str
) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Return the line and the image of each row, and the problems by line."""
    names = [text if isinstance(text, str) else "" for text in column]
    matches = match_names(names, ids)
    if matches.loosely():
        log.warning("image_ids are those of images that are equal: %s", matches.loosely())
    found, problems = [], []
    first: dict[str, int] = {}
    for row, (line, name) in enumerate(zip(column.index, names, strict=True)):
        if matches.positions[row] >= 0:
            name = ids[matches.positions[row]]
            if first.setdefault(name, line) != line:
                problems.append((line, f"image_id {name!r} stands in {unit} {first[name]} already"))
        elif not name:
            problems.append((line, "has no image_id"))
        else:
            hint = f"; did you mean {matches.unclear[row]!r}?" if row in matches.unclear else ""
            if not hint and len(problems) < SHOWN:
                close = difflib.get_close_matches(name, ids, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
            problems.append((line, f"image_id {name!r} is no image of the run{hint}"))
        found.append((line, name))
    return found, problems


def _known_labels(column: "pd.Series[str]", known: Sequence[str], path: Path) -> list[str]:
    """Return the labels as the known ones are spelt where they are equal but for Unicode and spaces."""
    labels = [text if isinstance(text, str) else "" for text in column]
    known = [*known, *({WITHDRAWN} - set(known))]
    written = sorted(set(labels) - {""})
    matches = match_names(written, known, SPELLING)
    if matches.loosely():
        log.warning("%s: labels are those that are equal: %s", path.name, matches.loosely())
    new = [label for label, place in zip(written, matches.positions, strict=True) if place < 0]
    meant = dict(zip(new, strip_spaces([*new, *known]), strict=False))
    meant |= {written[row]: known[place] for row, place in enumerate(matches.positions) if place >= 0}
    return [meant[label] if label else "" for label in labels]


def _new(
    rows: Sequence[tuple[int, str, str]], known: set[str], accept_new: bool
) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """Return the first line of each label that is new, and those that may be mistyped, by line."""
    times = Counter(label for _, _, label in rows)
    lines: dict[str, int] = {}
    for line, _, label in rows:
        if label not in known:
            lines.setdefault(label, line)
    if accept_new:
        return lines, []
    problems = []
    trusted = list(known)
    for label in sorted(lines, key=lambda name: (-times[name], lines[name])):
        twin = next((other for other in trusted if _same(label, other)), None)
        close = [twin] if twin else difflib.get_close_matches(label, trusted, n=1, cutoff=ALIKE)
        if close and (twin or _digits(label) == _digits(close[0])):
            problems.append((lines[label], f"label {label!r} is new; did you mean {close[0]!r}?"))
        else:
            trusted.append(label)
    return lines, problems


def _same(one: str, other: str) -> bool:
    """Tell labels that differ in capitals, spaces or leading zeros alone."""
    return _bare(one) == _bare(other)


def _bare(label: str) -> str:
    return "".join(label.casefold().replace("_", " ").replace("-", " ").split()).lstrip("0")


def _digits(label: str) -> list[str]:
    """Return the digits, as labels that differ in them, such as class_1 and class_2, are two."""
    return [letter for letter in label if letter.isdigit()]


def _told(path: Path, problems: list[tuple[int, str]], unit: str, hint: str) -> str:
    lines = [f"  {unit} {line}: {what}" for line, what in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"  and {len(problems) - SHOWN} more")
    them = "it" if len(problems) == 1 else "them"
    count = counted(len(problems), "problem")
    head = f"FILE={path} has {count}, and nothing is changed; correct {them}{hint}"
    return "\n".join([head, *lines])
