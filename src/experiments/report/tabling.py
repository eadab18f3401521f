"""The tables of a report: figures beside their levels, rankings, previews of every file, and what was run."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from experiments.metric_names import Name
from experiments.report.best import Best
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
LEVELS = ("chance", "ceiling", "supervised")
INTERVAL = "95 % interval"
ABOUT = {
    "chance": "what clusters of these sizes get that know nothing",
    "ceiling": "the best that so many clusters can get",
    "supervised": "what a classifier gets on the same images that was told the labels",
}
ID = "run_id"  # a column of long names, of which the first letters are shown


def headline_table(headlines: Sequence[Headline], upper: Sequence[Headline], *, labelled: bool) -> str:
    """Lay out the headline figures, each with a bar on which its levels are marked."""
    if not headlines and not upper:
        return "<p>No evaluator gave a figure that stands here; the table of metrics below has all.</p>"
    every = [*headlines, *upper]
    levels = _levels_of(every)
    rows = "".join(f"<tr>{_named(each)}{_value(each)}{_levels(each, levels)}</tr>" for each in every)
    head = _head("figure", "value", *levels, "")
    table = f'<table class="figures stacked">{head}<tbody>{rows}</tbody></table>'
    hint = f"<p>{NO_PROBE}</p>" if labelled and not upper else ""
    return f'<div class="wide">{table}</div>{_about(levels)}{hint}'


def best_table(found: Sequence[Best], *, probed: bool) -> str:
    """Lay out which configuration is best by each figure, and how far from the next.

    Parameters
    ----------
    probed
        There is a supervised upper bound; it need not be of the same images as these figures.
    """
    repeated = any(each.seeds > 1 for each in found)
    over = [INTERVAL] if repeated else []
    levels = _levels_of([each.headline for each in found])
    heads = ("figure", "best", "value", *over, "next best", *levels, "")
    rows = "".join(_best(each, repeated, levels) for each in found)
    table = f'<table class="figures stacked">{_head(*heads)}<tbody>{rows}</tbody></table>'
    shares = any(Name.parse(each.headline.name).row.capped for each in found)
    hint = f"<p>{NO_PROBE}</p>" if shares and not probed else ""
    return f'<div class="wide">{table}</div>{_about(levels)}{hint}'


def _levels_of(headlines: Sequence[Headline]) -> list[str]:
    """Name the levels that any of these figures has."""
    return [name for name in LEVELS if any(_level(each, name) is not None for each in headlines)]


def _level(headline: Headline, name: str) -> float | None:
    return {"chance": headline.chance, "ceiling": headline.ceiling, "supervised": headline.supervised}[name]


def _about(levels: Sequence[str]) -> str:
    """Say what the marks of these levels mean."""
    key = "".join(f'<span><u class="{name}"></u> {name}</span> ' for name in levels)
    told = "; ".join(f"{name}: {ABOUT[name]}" for name in levels)
    return f'<p class="key">{key}{told}.</p>' if levels else ""


def _head(*names: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _best(best: Best, repeated: bool, levels: Sequence[str]) -> str:
    figure, ends = best.headline, ""
    if repeated:
        known = best.low == best.low
        ends = f"{_number(best.low)} to {_number(best.high)}" if known else ""
        over = f"{best.seeds} seeds" if best.seeds > 1 else "1 seed"
        ends = f'<td class="number" data-head="{INTERVAL}">{ends}<small>{over}</small></td>'
    after = ", ".join(f"{html.escape(name)}: {_number(value)}" for name, value in best.after)
    after = f'<td data-head="next best">{after}</td>'
    config = f'<td data-head="best"><b>{html.escape(best.config)}</b></td>'
    return f"<tr>{_named(figure)}{config}{_value(figure)}{ends}{after}{_levels(figure, levels)}</tr>"


def _named(headline: Headline) -> str:
    name, about = html.escape(headline.name), html.escape(headline.about)
    return f'<th scope="row">{name}<small>{about}</small></th>'


def _value(headline: Headline) -> str:
    return f'<td class="number" data-head="value"><b>{_number(headline.value)}</b></td>'


def _levels(headline: Headline, levels: Sequence[str]) -> str:
    cells = "".join(
        f'<td class="number" data-head="{name}">{_number(_level(headline, name))}</td>' for name in levels
    )
    return f"{cells}<td>{_bar(headline)}</td>"


def _bar(headline: Headline) -> str:
    """Draw a value between 0 and 1, and a mark for each level."""
    marks = "".join(
        f'<u class="{name}" style="left:{_percent(level)}" title="{name} {_number(level)}"></u>'
        for name in LEVELS
        if (level := _level(headline, name)) is not None
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
    kinds = ["id" if column == ID else "link" if column in linked else "" for column in table]
    head = "".join(
        f'<th scope="col"><button type="button">{html.escape(str(column))}</button></th>' for column in table
    )
    rows = "".join(
        f"<tr>{''.join(map(_cell, row, kinds))}</tr>" for row in islice(table.itertuples(index=False), RANKED)
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
    if '"' in text:
        count = max(sum(1 for _ in csv.reader(io.StringIO(text))) - 1, 0)
    else:
        count = max(text.count("\n") + (not text.endswith("\n")) - 1, 0)
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


def _cell(value: Any, kind: str = "") -> str:
    number = isinstance(value, (int, float))
    shown = _number(value) if isinstance(value, float) else html.escape(str(value))
    if kind == "id":  # as wide as eight letters, but a click selects it whole
        shown = f'<code class="id" title="{shown}: a click selects it whole">{shown}</code>'
    shown = f'<a href="#cluster-{value}">{shown}</a>' if kind == "link" else shown
    return f'<td class="number" data-value="{value}">{shown}</td>' if number else f"<td>{shown}</td>"


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4g}"
