"""Text of a table's cells: missing values, spellings of numbers, and escaping of spreadsheet formulas."""

import re

ESCAPE = re.compile(r"^'(?='*[=+\-@\t\r\n])")  # an apostrophe, so that a spreadsheet does not evaluate a text
FORMULA = re.compile(
    r"'*[=+\-@\t\r\n]"
)  # start of a text that a spreadsheet would evaluate, or that looks escaped
COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")  # a decimal comma
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")  # commas between thousands; a lone one may be decimal
POINTS = re.compile(r"[-+]?\d{1,3}((\.\d{3})+,\d+|(,\d{3})+\.\d+)")  # separators of thousands and of decimals

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "<NA>")


def unescape_formula(text: str) -> str:
    """Return a text without the apostrophe that `escape_formula` adds."""
    return ESCAPE.sub("", text, count=1) if text.startswith("'") else text


def clean(text: str) -> str:
    """Return a text without surrounding spaces and without the apostrophe of `escape_formula`."""
    return unescape_formula(text.strip())


def escape_formula(text: str) -> str:
    """Prefix a text with an apostrophe if a spreadsheet would evaluate it; inverse of `unescape_formula`."""
    return f"'{text}" if FORMULA.match(text) and not is_number(text) else text


def has_value(text: str) -> bool:
    """Return True unless a cell is empty or a placeholder such as `NA`, `?` or `-`."""
    return text not in MISSING and any(map(str.isalnum, text))


def has_comma(text: str) -> bool:
    """Return True for a number with commas, decimal or between thousands."""
    return any(kind.fullmatch(text) for kind in (COMMA, THOUSANDS, POINTS))


def is_number(text: str) -> bool:
    """Return True for a finite number that `float` accepts."""
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity")
