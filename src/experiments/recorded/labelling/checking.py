"""Read an edited table of labels, and list all its mistakes."""

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
SIMILARITY = 0.8  # difflib's ratio above which a new label may be mistyped
SHOWN_PROBLEMS = 20  # in a message


@dataclass(frozen=True)
class Edits:
    """The labels in an edited table.

    Parameters
    ----------
    labels
        By image id, "" for a removed label; rows without an applied label are missing.
    missing
        Number of the run's images without a row.
    new
        Labels that no image had before, with the line of the first use.
    lines
        Line of each image, such as `line 2`, or `row 1` of a Parquet file.
    """

    labels: dict[str, str]
    missing: int
    new: dict[str, str]
    lines: dict[str, str]


def edits(path: Path, ids: Sequence[str], known: Iterable[str], *, accept_new: bool) -> Edits:
    """Read an edited table; raise ValueError that lists all its mistakes by line.

    Parameters
    ----------
    ids
        Image ids of the run.
    known
        Existing labels.
    accept_new
        Accept a new label even if it is similar to an existing one.
    """
    table = text_table(path, "FILE", header=True).dropna(how="all")
    id_column = next((name for name in ID_COLUMNS if name in table), None)
    if id_column is None or APPLIED not in table:
        raise ValueError(
            f"FILE={path} has the columns {', '.join(map(str, table))}, but needs image_id and {APPLIED}; "
            f"start from {shlex.quote(commands.python_path())} scripts/labels.py template RUN_ID"
        )
    unit, known = str(table.index.name), sorted(set(known) - {""})
    rows, problems = _match_rows(table[id_column], ids, unit)
    labels = zip(rows, _respell(table[APPLIED], known, path), strict=True)
    labelled = [(line, name, label) for (line, name), label in labels if label]
    if WITHDRAWN in known:
        why = f"{WITHDRAWN!r} removes a label in this table, but is also a class; rename the class first"
        problems += [(line, why) for line, _, label in labelled if label == WITHDRAWN]
    new, doubts = _find_new_labels([row for row in labelled if row[-1] != WITHDRAWN], set(known), accept_new)
    if problems or doubts:
        hint = "; --accept-new accepts new labels" if doubts else ""
        raise ValueError(_problem_message(path, sorted(problems + doubts), unit, hint))
    return Edits(
        {name: "" if label == WITHDRAWN else label for _, name, label in labelled},
        len(set(ids)) - len(rows),
        {label: f"{unit} {line}" for label, line in new.items()},
        {name: f"{unit} {line}" for line, name in rows},
    )


def _match_rows(
    column: "pd.Series[str]", ids: Sequence[str], unit: str
) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Return (line, image id) of each row, and the problems by line."""
    names = [text if isinstance(text, str) else "" for text in column]
    matches = match_names(names, ids)
    if matches.loosely():
        log.warning("image_ids equal those of the run, %s", matches.loosely())
    rows, problems = [], []
    first: dict[str, int] = {}
    for row, (line, name) in enumerate(zip(column.index, names, strict=True)):
        if matches.positions[row] >= 0:
            name = ids[matches.positions[row]]
            if first.setdefault(name, line) != line:
                problems.append((line, f"image_id {name!r} is already in {unit} {first[name]}"))
        elif not name:
            problems.append((line, "has no image_id"))
        else:
            hint = f"; did you mean {matches.unclear[row]!r}?" if row in matches.unclear else ""
            if not hint and len(problems) < SHOWN_PROBLEMS:
                close = difflib.get_close_matches(name, ids, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
            problems.append((line, f"image_id {name!r} is not an image of the run{hint}"))
        rows.append((line, name))
    return rows, problems


def _respell(column: "pd.Series[str]", known: Sequence[str], path: Path) -> list[str]:
    """Return the labels, spelt like known labels that differ only in Unicode form or spaces."""
    labels = [text if isinstance(text, str) else "" for text in column]
    known = [*known, *({WITHDRAWN} - set(known))]
    written = sorted(set(labels) - {""})
    matches = match_names(written, known, SPELLING)
    if matches.loosely():
        log.warning("%s: labels equal known ones, %s", path.name, matches.loosely())
    new = [label for label, index in zip(written, matches.positions, strict=True) if index < 0]
    spelling = dict(zip(new, strip_spaces([*new, *known]), strict=False))
    spelling |= {written[row]: known[index] for row, index in enumerate(matches.positions) if index >= 0}
    return [spelling[label] if label else "" for label in labels]


def _find_new_labels(
    rows: Sequence[tuple[int, str, str]], known: set[str], accept_new: bool
) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """Return the first line of each new label, and the problems of labels that may be mistyped."""
    counts = Counter(label for _, _, label in rows)
    lines: dict[str, int] = {}
    for line, _, label in rows:
        if label not in known:
            lines.setdefault(label, line)
    if accept_new:
        return lines, []
    problems = []
    trusted = list(known)
    for label in sorted(lines, key=lambda name: (-counts[name], lines[name])):
        variant = next((other for other in trusted if _same_spelling(label, other)), None)
        close = [variant] if variant else difflib.get_close_matches(label, trusted, n=1, cutoff=SIMILARITY)
        if close and (variant or _digits(label) == _digits(close[0])):
            problems.append((lines[label], f"label {label!r} is new; did you mean {close[0]!r}?"))
        else:
            trusted.append(label)
    return lines, problems


def _same_spelling(label: str, other: str) -> bool:
    """Return True if two labels differ only in case, spaces or leading zeros."""
    return _normalised(label) == _normalised(other)


def _normalised(label: str) -> str:
    return "".join(label.casefold().replace("_", " ").replace("-", " ").split()).lstrip("0")


def _digits(label: str) -> list[str]:
    """Return the digits: class_1 and class_2 are different labels, not typing mistakes."""
    return [letter for letter in label if letter.isdigit()]


def _problem_message(path: Path, problems: list[tuple[int, str]], unit: str, hint: str) -> str:
    lines = [f"  {unit} {line}: {what}" for line, what in problems[:SHOWN_PROBLEMS]]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"  and {len(problems) - SHOWN_PROBLEMS} more")
    pronoun = "it" if len(problems) == 1 else "them"
    count = counted(len(problems), "problem")
    head = f"FILE={path} has {count}, so nothing was changed; correct {pronoun}{hint}"
    return "\n".join([head, *lines])
