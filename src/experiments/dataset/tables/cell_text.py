"""One field of a table: a text, a number in one of its spellings, or what a spreadsheet would run."""

import re

GUARD = re.compile(r"^'(?='*[=+\-@\t\r\n])")  # what keeps a spreadsheet from running a text
RUNS = re.compile(r"'*[=+\-@\t\r\n]")  # how a text begins that it would run, or that looks guarded
COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")  # a number as half of Europe writes it
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")  # in groups; of one comma, it may be of decimals
POINTS = re.compile(r"[-+]?\d{1,3}((\.\d{3})+,\d+|(,\d{3})+\.\d+)")  # one with both

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "<NA>")


def unescape_formula(text: str) -> str:
    """Return a text without what keeps a spreadsheet from running it."""
    return GUARD.sub("", text, count=1) if text.startswith("'") else text


def clean(text: str) -> str:
    """Return a text without spaces around it, and without what keeps a spreadsheet from running it."""
    return unescape_formula(text.strip())


def escape_formula(text: str) -> str:
    """Write a text so that no spreadsheet runs it; `unguarded` reads it back."""
    return f"'{text}" if RUNS.match(text) and not is_number(text) else text


def has_value(text: str) -> bool:
    """Return False for a gap, be it spelt `?` or `-`."""
    return text not in MISSING and any(map(str.isalnum, text))


def has_comma(text: str) -> bool:
    """Tell a number that has commas, of decimals or of thousands."""
    return any(kind.fullmatch(text) for kind in (COMMA, THOUSANDS, POINTS))


def is_number(text: str) -> bool:
    """Tell a finite number that Python reads."""
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity")
