"""Write a table twice: as CSV for programs, as Markdown for people."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def write(rows: "pd.DataFrame", folder: Path, name: str) -> None:
    """Leave `<name>.csv` and `<name>.md` in `folder`."""
    rows.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(markdown(rows), encoding="utf-8")


def markdown(rows: "pd.DataFrame") -> str:
    """Return a Markdown table, fractions to five figures: each job has many, and tabulate is slow."""
    lines = [list(rows.columns), ["---"] * rows.shape[1], *rows.itertuples(index=False, name=None)]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.5g}"
    return str(value).replace("|", r"\|").replace("\n", " ")
