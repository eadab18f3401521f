"""The tables of a report: figures beside their levels, rankings, previews of every file, and what was run."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from experiments.report.contents import Headline

if TYPE_CHECKING:
    import pandas as pd

PREVIEWED = 8  # rows of a table that are shown before it is downloaded
COLUMNS = 12
FIRST = 15  # rows of a ranking that are shown before one asks for all
LATER = ("command", "times", "versions")
RANKED = 2_000  # rows of it that are in the page at all
NO_PROBE = (
    "No supervised upper bound was asked for; <code>evaluator=[external,internal,probe]</code> adds a "
    "logistic regression on the same embeddings."
)
HEADS = ("figure", "value", "chance", "ceiling", "")


def headline_table(headlines: Sequence[Headline], upper: Sequence[Headline]) -> str:
    """Lay out the headline figures, each with a bar on which its chance level and its ceiling are marked."""
    rows = "".join(map(_figure, [*headlines, *upper]))
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
    head = f"<thead><tr>{head}</tr></thead>"
    table = f'<div class="wide"><table class="figures">{head}<tbody>{rows}</tbody></table></div>'
    return table + ("" if upper or not headlines else f"<p>{NO_PROBE}</p>")


def _figure(headline: Headline) -> str:
    levels = "".join(
        f'<td class="number">{_number(level)}</td>' for level in (headline.chance, headline.ceiling)
    )
    name, about = html.escape(headline.name), html.escape(headline.about)
    return (
        f'<tr><th scope="row">{name}<small>{about}</small></th><td class="number"><b>'
        f"{_number(headline.value)}</b></td>{levels}<td>{_bar(headline)}</td></tr>"
    )


def _bar(headline: Headline) -> str:
    """Draw a value between 0 and 1; a mark for chance and one for the ceiling."""
    marks = "".join(
        f'<u class="{name}" style="left:{_percent(level)}" title="{name} {_number(level)}"></u>'
        for name, level in (("chance", headline.chance), ("ceiling", headline.ceiling))
        if level is not None
    )
    return (
        f'<div class="bar" aria-hidden="true"><s style="width:{_percent(headline.value)}"></s>{marks}</div>'
    )


def _percent(value: float) -> str:
    return f"{100 * min(max(value, 0.0), 1.0):.1f}%"


def ranking(table: "pd.DataFrame", name: str) -> str:
    """Lay out a table, worst rows first, that a click on a column's head sorts."""
    head = "".join(
        f'<th scope="col"><button type="button">{html.escape(str(column))}</button></th>' for column in table
    )
    rows = "".join(
        f"<tr>{''.join(_cell(value) for value in row)}</tr>"
        for row in islice(table.itertuples(index=False), RANKED)
    )
    more = (
        f'<button type="button" class="more">show all {len(table):,}</button>' if len(table) > FIRST else ""
    )
    return (
        f'<div class="wide"><table class="ranking" data-first="{FIRST}" aria-label="{html.escape(name)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )


def preview(name: str, text: str) -> str:
    """Lay out the first rows of a CSV, and the button that saves it whole."""
    lines = list(islice(csv.reader(io.StringIO(text)), PREVIEWED + 1))
    count = max(sum(1 for _ in csv.reader(io.StringIO(text))) - 1, 0)
    head, rows = (lines[0], lines[1:]) if lines else ([], [])
    called = html.escape(name)
    cut = f", the first {COLUMNS} of {len(head)} columns" if len(head) > COLUMNS else ""
    cells = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in head[:COLUMNS])
    body = "".join(f"<tr>{''.join(_cell(value) for value in row[:COLUMNS])}</tr>" for row in rows)
    shown = f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
    label = f'class="save" data-table="{called}" aria-label="save {called}.csv"'
    summary = f"<summary>{called} <small>{count:,} rows{cut}</small></summary>"
    save = f'<button type="button" {label}>save CSV</button>'
    return f'<div class="file">{save}<details>{summary}{shown}</details></div>'


def facts(told: Mapping[str, str], config: str) -> str:
    """Lay out what was run; what few want to know at once, and all settings, open with a click."""
    more = {name: told[name] for name in LATER if name in told}
    first = {name: value for name, value in told.items() if name not in more}
    settings = f"<pre>{html.escape(config)}</pre>" if config else ""
    rest = f"{_terms(more)}{settings}"
    return f"{_terms(first)}<details><summary>more of it</summary>{rest}</details>" if rest else _terms(first)


def _terms(told: Mapping[str, str]) -> str:
    rows = (f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in told.items())
    return f"<dl>{''.join(rows)}</dl>"


def _cell(value: Any) -> str:
    number = isinstance(value, (int, float))
    shown = _number(value) if isinstance(value, float) else html.escape(str(value))
    return f'<td class="number" data-value="{value}">{shown}</td>' if number else f"<td>{shown}</td>"


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4g}"
