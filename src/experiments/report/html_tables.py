"""Template values of a report's tables: metrics with their levels, rankings, files, facts."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.figures.html.markup import format_number
from experiments.metric_names import Name
from experiments.report.best import BestConfig
from experiments.report.contents import LEVELS, Headline

if TYPE_CHECKING:
    import pandas as pd

PREVIEW_ROWS = 8  # rows of a file's preview
PREVIEW_COLUMNS = 12
SHOWN_ROWS = 15  # rows of a ranking that are shown before a click on `show all`
MAX_ROWS = 2_000  # rows of a ranking in the page
MORE_FACTS = ("command", "times", "versions")  # facts that are folded away
ID_COLUMN = "run_id"  # a column of long ids, whose first letters are shown


class Cell(NamedTuple):
    """A cell of a table.

    Parameters
    ----------
    value
        The number to sort by; None for a text.
    kind
        "id" for a long id, "link" for a cluster whose images are on the page, else "".
    """

    text: str
    value: float | None = None
    kind: str = ""


class Ranking(NamedTuple):
    """A sortable table; a button shows all rows if it has more than `first`."""

    name: str
    columns: list[str]
    rows: list[list[Cell]]
    size: int
    first: int = SHOWN_ROWS


class Preview(NamedTuple):
    """The first rows and columns of a CSV, and its numbers of rows and columns."""

    name: str
    columns: list[str]
    rows: list[list[str]]
    row_count: int
    column_count: int


def headline_table(
    headlines: Sequence[Headline], upper: Sequence[Headline], *, labelled: bool
) -> dict[str, Any]:
    """Return the headline metrics, the levels that occur, and whether to suggest a probe."""
    metrics = [*headlines, *upper]
    unprobed = bool(metrics) and labelled and not upper
    return {"metrics": metrics, "levels": _levels(metrics), "unprobed": unprobed}


def best_table(bests: Sequence[BestConfig], *, probed: bool) -> dict[str, Any]:
    """Return the best configuration by each metric.

    Parameters
    ----------
    probed
        A supervised accuracy exists, possibly of other images than these metrics.
    """
    capped = any(Name.parse(best.headline.name).row.capped for best in bests)
    return {
        "bests": bests,
        "levels": _levels([best.headline for best in bests]),
        "several": any(best.runners_up for best in bests),
        "paired": any(best.lead for best in bests),
        "repeated": any(best.seeds > 1 for best in bests),
        "unprobed": capped and not probed,
    }


def _levels(headlines: Sequence[Headline]) -> list[str]:
    """Return the names of the levels that occur in these metrics."""
    return [name for name in LEVELS if any(name in headline.levels for headline in headlines)]


def ranking(table: "pd.DataFrame", name: str, link_columns: Sequence[str] = ()) -> Ranking:
    """Return a table with its rows in the given order.

    Parameters
    ----------
    link_columns
        Columns of cluster numbers that become links to the cluster's images.
    """
    kinds = ["id" if column == ID_COLUMN else "link" if column in link_columns else "" for column in table]
    rows = islice(table.itertuples(index=False), MAX_ROWS)
    cells = [[_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]
    return Ranking(name, [str(column) for column in table], cells, len(table))


def preview(name: str, text: str) -> Preview:
    """Return the preview of a CSV."""
    head, *rows = list(islice(csv.reader(io.StringIO(text)), PREVIEW_ROWS + 1)) or [[]]
    if '"' in text:
        count = sum(1 for _ in csv.reader(io.StringIO(text))) - 1
    else:
        count = text.count("\n") + (not text.endswith("\n")) - 1
    return Preview(
        name, head[:PREVIEW_COLUMNS], [row[:PREVIEW_COLUMNS] for row in rows], max(count, 0), len(head)
    )


def split_facts(facts: Mapping[str, str], config: str) -> dict[str, Any]:
    """Return the facts of a run in two groups, the second one folded away, and its settings."""
    more = {name: facts[name] for name in MORE_FACTS if name in facts}
    first = {name: value for name, value in facts.items() if name not in more}
    return {"first": first, "more": more, "config": config}


def _cell(value: Any, kind: str) -> Cell:
    text = format_number(value) if isinstance(value, float) else str(value)
    return Cell(text, value if isinstance(value, (int, float)) else None, kind)
