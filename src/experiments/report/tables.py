"""Write tables as CSV for programs and as Markdown for people."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.dataset.tables.cell_text import escape_formula

if TYPE_CHECKING:
    import pandas as pd


def write(rows: "pd.DataFrame", folder: Path, name: str) -> None:
    """Write `<name>.csv` and `<name>.md` into `folder`."""
    to_csv(rows, folder / f"{name}.csv")
    (folder / f"{name}.md").write_text(markdown(rows), encoding="utf-8")


def to_csv(rows: "pd.DataFrame", path: Path, *, new: bool = False, encoding: str = "utf-8") -> None:
    """Write a CSV, with texts escaped that a spreadsheet would run as formulas.

    Parameters
    ----------
    new
        Raise FileExistsError instead of replacing a file.
    """
    _escape_formulas(rows).to_csv(path, index=False, mode="x" if new else "w", encoding=encoding)


def csv_text(rows: "pd.DataFrame") -> str:
    """Return the text that `to_csv` writes."""
    return str(_escape_formulas(rows).to_csv(index=False))


def markdown(rows: "pd.DataFrame") -> str:
    """Return a Markdown table with five digits of fractions; tabulate would be slow for many tables."""
    lines = [list(rows.columns), ["---"] * rows.shape[1], *rows.itertuples(index=False, name=None)]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _escape_formulas(rows: "pd.DataFrame") -> "pd.DataFrame":
    from pandas.api.types import is_numeric_dtype

    escaped = rows.copy(deep=False)
    for column, dtype in enumerate(rows.dtypes):
        if not is_numeric_dtype(dtype):
            escaped.isetitem(column, [_escape_cell(cell) for cell in rows.iloc[:, column]])
    escaped.columns = [_escape_cell(name) for name in rows.columns]
    return escaped


def _escape_cell(cell: Any) -> Any:
    """Escape a text; carriage returns become newlines, as they would start a new row."""
    return (
        escape_formula("\n".join(cell.splitlines()) if "\r" in cell else cell)
        if isinstance(cell, str)
        else cell
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.5g}"
    return str(value).replace("|", r"\|").replace("\n", " ")
