"""Match names of two lists: equal ones first, then by looser rules where the match is unique."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", re.ASCII)
GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)


def nfc(name: str) -> str:
    """Return a name in Unicode's composed form (NFC), as file systems and editors differ in it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def trimmed(name: str) -> str:
    """Return a name without surrounding spaces, in composed form, with line breaks as newlines."""
    return nfc(name.replace("\r\n", "\n").replace("\r", "\n").strip())


def folded(name: str) -> str:
    """Return a trimmed name in lower case."""
    return nfc(trimmed(name).casefold())


def canonical_number(name: str) -> str:
    """Return the shortest spelling of a number; "" for any other text.

    Spreadsheets and pandas turn 007 into 7, 1 into 1.0, 1000 into 1e3 or 1,000.
    """
    name = trimmed(name)
    if GROUPED.fullmatch(name):
        name = name.replace(",", "")
    if not NUMBER.fullmatch(name):
        return ""
    value = Decimal(name)
    return str(int(value)) if value == value.to_integral_value() else f"{value.normalize():f}"


Rules = Mapping[str, Callable[[str], str]]
EXACT = "exactly"
SPELLING: Rules = {"ignoring the Unicode form": nfc, "ignoring surrounding spaces": trimmed}
LOOSE: Rules = {**SPELLING, "ignoring capitals": folded, "as a number": canonical_number}


@dataclass(frozen=True, eq=False)
class Matches:
    """The matches of n names in a list of known names.

    Parameters
    ----------
    positions
        int64 (n,): index of the known name, -1 for none.
    rules
        The names that each rule matched, in the order of the rules; rules without a match are missing.
    unclear
        For a name without a match, by its index: a known name that it resembles, but not uniquely.
    """

    positions: np.ndarray
    rules: dict[str, list[str]]
    unclear: dict[int, str]

    def loosely(self) -> str:
        """Describe the matches by looser rules: number and an example of each; "" if there are none."""
        return ", ".join(
            f"{len(names)} {rule} (such as {names[0]!r})"
            for rule, names in self.rules.items()
            if rule != EXACT
        )


def match_names(names: Sequence[str], known: Sequence[str], rules: Rules = LOOSE) -> Matches:
    """Match names to known ones.

    A looser rule matches two names only if the match is unique in `names` and in `known`.
    """
    first: dict[str, int] = {}
    for position, name in enumerate(known):
        first.setdefault(name, position)
    positions = np.array([first.get(name, -1) for name in names], np.int64)
    by_rule = {EXACT: [name for name in names if name in first]}
    unclear: dict[int, str] = {}
    for rule, form in rules.items():
        rest = np.flatnonzero(positions < 0)
        if not len(rest) or len(set(positions.tolist()) - {-1}) == len(first):
            break
        forms, known_forms = [form(name) for name in names], [form(name) for name in known]
        times, known_times = Counter(forms), Counter(known_forms)
        position_of = {form: position for position, form in enumerate(known_forms) if form}
        similar = [row for row in rest.tolist() if forms[row] in position_of]
        single = [row for row in similar if times[forms[row]] == known_times[forms[row]] == 1]
        unclear |= {row: known[position_of[forms[row]]] for row in similar if row not in unclear}
        positions[single] = [position_of[forms[row]] for row in single]
        by_rule[rule] = [names[row] for row in single]
    unclear = {row: name for row, name in unclear.items() if positions[row] < 0}
    return Matches(positions, {rule: rows for rule, rows in by_rule.items() if rows}, unclear)


def resolve_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that equals this name up to Unicode form and spaces; else the name itself."""
    known = list(known)
    if name in known:
        return name
    position = int(match_names([name], known, SPELLING).positions[0])
    return known[position] if position >= 0 else name


def strip_spaces(texts: Sequence[str]) -> list[str]:
    """Return texts without surrounding spaces, except texts that differ only in these."""
    stripped = [text.strip() for text in texts]
    distinct = {text for text, name in zip(texts, stripped, strict=True) if name}
    times = Counter(text.strip() for text in distinct)
    if len(times) == len(distinct):
        return stripped
    return [text if times[name] > 1 else name for text, name in zip(texts, stripped, strict=True)]


def group_similar(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of names that differ only in capitals, spaces or Unicode form."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(" ".join(folded(name).split()), []).append(name)
    return [group for group in groups.values() if len(group) > 1]
