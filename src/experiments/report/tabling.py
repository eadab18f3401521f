"""The tables of a report as data for its templates: metrics with their levels, rankings, files, facts."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.figures.html.markup import number
from experiments.metric_names import Name
from experiments.report.best import Best
from experiments.report.contents import LEVELS, Headline

if TYPE_CHECKING:
    import pandas as pd

PREVIEWED = 8  # rows of a table that are shown before it is downloaded
COLUMNS = 12
FIRST = 15  # rows of a ranking that are shown before one asks for all
RANKED = 2_000  # rows of it that are in the page at all
LATER = ("command", "times", "versions")  # facts that few want to know at once
ID = "run_id"  # a column of long names, of which the first letters are shown


class Cell(NamedTuple):
    """A cell of a table.

    Parameters
    ----------
    value
        The number by which a column is sorted; None for a text.
    kind
        "id" of a long name, "link" of a cluster whose images are on the page, else "".
    """

    text: str
    value: float | None = None
    kind: str = ""


class Ranking(NamedTuple):
    """A table that a click on a column's head sorts; of more than `first` rows a button shows all."""

    name: str
    columns: list[str]
    rows: list[list[Cell]]
    size: int
    first: int = FIRST


class Preview(NamedTuple):
    """The first rows and columns of a CSV, and how many it has."""

    name: str
    columns: list[str]
    rows: list[list[str]]
    row_count: int
    column_count: int


def headline_table(
    headlines: Sequence[Headline], upper: Sequence[Headline], *, labelled: bool
) -> dict[str, Any]:
    """Return the headline metrics, the levels that any of them has, and whether to suggest a probe."""
    metrics = [*headlines, *upper]
    unprobed = bool(metrics) and labelled and not upper
    return {"metrics": metrics, "levels": _levels(metrics), "unprobed": unprobed}


def best_table(found: Sequence[Best], *, probed: bool) -> dict[str, Any]:
    """Return the best configuration by each metric.

    Parameters
    ----------
    probed
        There is a supervised upper bound; it need not be of the same images as these metrics.
    """
    shares = any(Name.parse(best.headline.name).row.capped for best in found)
    return {
        "bests": found,
        "levels": _levels([best.headline for best in found]),
        "paired": any(best.lead for best in found),
        "repeated": any(best.seeds > 1 for best in found),
        "unprobed": shares and not probed,
    }


def _levels(headlines: Sequence[Headline]) -> list[str]:
    """Return the names of the levels that any of these metrics has."""
    return [name for name in LEVELS if any(name in headline.levels for headline in headlines)]


def ranking(table: "pd.DataFrame", name: str, linked: Sequence[str] = ()) -> Ranking:
    """Return a table whose rows stand in their order.

    Parameters
    ----------
    linked
        Columns that name a cluster, whose images are on the page.
    """
    kinds = ["id" if column == ID else "link" if column in linked else "" for column in table]
    rows = islice(table.itertuples(index=False), RANKED)
    cells = [[_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]
    return Ranking(name, [str(column) for column in table], cells, len(table))


def preview(name: str, text: str) -> Preview:
    """Return the beginning of a CSV."""
    head, *rows = list(islice(csv.reader(io.StringIO(text)), PREVIEWED + 1)) or [[]]
    if '"' in text:
        count = sum(1 for _ in csv.reader(io.StringIO(text))) - 1
    else:
        count = text.count("\n") + (not text.endswith("\n")) - 1
    return Preview(name, head[:COLUMNS], [row[:COLUMNS] for row in rows], max(count, 0), len(head))


def facts(about: Mapping[str, str], config: str) -> dict[str, Any]:
    """Return what was run: first what everybody wants to know, then the rest and all settings."""
    more = {name: about[name] for name in LATER if name in about}
    first = {name: value for name, value in about.items() if name not in more}
    return {"first": first, "more": more, "config": config}


def _cell(value: Any, kind: str) -> Cell:
    text = number(value) if isinstance(value, float) else str(value)
    return Cell(text, value if isinstance(value, (int, float)) else None, kind)
