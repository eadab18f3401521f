"""The tables of a report: figures beside their levels, rankings, previews of every file, and what was run."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from experiments.report.best import Best
from experiments.report.contents import Headline
from experiments.report.headlines import CAPPED

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
LEVELS = ("chance", "ceiling", "supervised")
KEY = "".join(f'<span><u class="{name}"></u> {name}</span> ' for name in LEVELS)
ABOUT = (
    f'<p class="key">{KEY}chance: what clusters of these sizes get that know nothing; ceiling: the best that '
    "so many clusters can get; supervised: what a classifier gets that was told the labels.</p>"
)


def headline_table(headlines: Sequence[Headline], upper: Sequence[Headline], *, labelled: bool) -> str:
    """Lay out the headline figures, each with a bar on which its levels are marked."""
    if not headlines and not upper:
        return "<p>No evaluator gave a figure that stands here; the table of metrics below has all.</p>"
    rows = "".join(map(_figure, [*headlines, *upper]))
    table = (
        f'<table class="figures stacked">{_head("figure", "value", *LEVELS, "")}<tbody>{rows}</tbody></table>'
    )
    hint = f"<p>{NO_PROBE}</p>" if labelled and not upper else ""
    return f'<div class="wide">{table}</div>{ABOUT}{hint}'


def best_table(found: Sequence[Best]) -> str:
    """Lay out which configuration is best by each figure, and how far from the next."""
    repeated = any(each.seeds > 1 for each in found)
    over = ["95 % interval"] if repeated else []
    heads = ("figure", "best", "value", *over, "next best", *LEVELS, "")
    rows = "".join(_best(each, repeated) for each in found)
    table = f'<table class="figures">{_head(*heads)}<tbody>{rows}</tbody></table>'
    told = any(each.headline.supervised is not None for each in found)
    hint = "" if told or not any(each.headline.name in CAPPED for each in found) else f"<p>{NO_PROBE}</p>"
    return f'<div class="wide">{table}</div>{ABOUT}{hint}'


def _head(*names: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _figure(headline: Headline) -> str:
    return f"<tr>{_named(headline)}{_value(headline)}{_levels(headline)}</tr>"


def _best(best: Best, repeated: bool) -> str:
    figure, ends = best.headline, ""
    if repeated:
        known = best.low == best.low
        ends = f"{_number(best.low)} to {_number(best.high)}" if known else ""
        ends = f'<td class="number">{ends}<small>{best.seeds} seeds</small></td>'
    after = ", ".join(f"{html.escape(name)}: {_number(value)}" for name, value in best.after)
    config = f"<td><b>{html.escape(best.config)}</b></td>"
    return f"<tr>{_named(figure)}{config}{_value(figure)}{ends}<td>{after}</td>{_levels(figure)}</tr>"


def _named(headline: Headline) -> str:
    name, about = html.escape(headline.name), html.escape(headline.about)
    return f'<th scope="row">{name}<small>{about}</small></th>'


def _value(headline: Headline) -> str:
    return f'<td class="number"><b>{_number(headline.value)}</b></td>'


def _levels(headline: Headline) -> str:
    levels = (headline.chance, headline.ceiling, headline.supervised)
    cells = "".join(f'<td class="number">{_number(level)}</td>' for level in levels)
    return f"{cells}<td>{_bar(headline)}</td>"


def _bar(headline: Headline) -> str:
    """Draw a value between 0 and 1, and a mark for each level."""
    levels = zip(LEVELS, (headline.chance, headline.ceiling, headline.supervised), strict=True)
    marks = "".join(
        f'<u class="{name}" style="left:{_percent(level)}" title="{name} {_number(level)}"></u>'
        for name, level in levels
        if level is not None
    )
    return (
        f'<div class="bar" aria-hidden="true"><s style="width:{_percent(headline.value)}"></s>{marks}</div>'
    )


def _percent(value: float) -> str:
    return f"{100 * min(max(value, 0.0), 1.0):.1f}%"


def ranking(table: "pd.DataFrame", name: str, linked: Sequence[str] = ()) -> str:
    """Lay out a table, worst rows first, that a click on a column's head sorts.

    Parameters
    ----------
    linked
        Columns that name a cluster, whose images are on the page.
    """
    links = [column in linked for column in table]
    head = "".join(
        f'<th scope="col"><button type="button">{html.escape(str(column))}</button></th>' for column in table
    )
    rows = "".join(
        f"<tr>{''.join(map(_cell, row, links))}</tr>" for row in islice(table.itertuples(index=False), RANKED)
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


def _cell(value: Any, link: bool = False) -> str:
    number = isinstance(value, (int, float))
    shown = _number(value) if isinstance(value, float) else html.escape(str(value))
    shown = f'<a href="#cluster-{value}">{shown}</a>' if link else shown
    return f'<td class="number" data-value="{value}">{shown}</td>' if number else f"<td>{shown}</td>"


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4g}"
