"""Write a table twice: as CSV for programs, as Markdown for people."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.dataset.tables.cell_text import escape_formula

if TYPE_CHECKING:
    import pandas as pd


def write(rows: "pd.DataFrame", folder: Path, name: str) -> None:
    """Leave `<name>.csv` and `<name>.md` in `folder`."""
    to_csv(rows, folder / f"{name}.csv")
    (folder / f"{name}.md").write_text(markdown(rows), encoding="utf-8")


def to_csv(rows: "pd.DataFrame", path: Path, *, new: bool = False, encoding: str = "utf-8") -> None:
    """Write a CSV whose texts no spreadsheet runs as formulas; numbers stay as they are.

    Parameters
    ----------
    new
        Raise FileExistsError rather than write over a file.
    """
    _guarded(rows).to_csv(path, index=False, mode="x" if new else "w", encoding=encoding)


def csv_text(rows: "pd.DataFrame") -> str:
    """Return a table as `to_csv` writes it."""
    return str(_guarded(rows).to_csv(index=False))


def markdown(rows: "pd.DataFrame") -> str:
    """Return a Markdown table, fractions to five figures: each job has many, and tabulate is slow."""
    lines = [list(rows.columns), ["---"] * rows.shape[1], *rows.itertuples(index=False, name=None)]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _guarded(rows: "pd.DataFrame") -> "pd.DataFrame":
    from pandas.api.types import is_numeric_dtype

    safe = rows.copy(deep=False)
    for place, kind in enumerate(rows.dtypes):
        if not is_numeric_dtype(kind):
            safe.isetitem(place, [_safe(cell) for cell in rows.iloc[:, place]])
    safe.columns = [_safe(name) for name in rows.columns]
    return safe


def _safe(cell: Any) -> Any:
    """Guard a text; its line breaks become newlines, as a carriage return alone would begin another row."""
    return (
        escape_formula("\n".join(cell.splitlines()) if "\r" in cell else cell)
        if isinstance(cell, str)
        else cell
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.5g}"
    return str(value).replace("|", r"\|").replace("\n", " ")
