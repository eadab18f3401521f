"""Gather what the report of a run tells, from the run and from what it left in its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.centres import distances
from experiments.evaluator.pictures.thumbnails import thumbnails
from experiments.figures import Drawing, Grid, Map, Sheets, Space
from experiments.figures.html import tiles
from experiments.figures.specs import Figure
from experiments.figures.training import training_curves
from experiments.pipeline import Result
from experiments.report.contents import Contents
from experiments.report.crosstab import NAME as CROSSTAB
from experiments.report.crosstab import TABLE, counted, crosstab
from experiments.report.headlines import alike, headlines, upper_bounds
from experiments.report.images import Pictured, fitting
from experiments.report.maps import maps, why_pca
from experiments.report.page import page
from experiments.report.tables import csv_text
from experiments.tracking.environment import environment
from experiments.types import step_name

if TYPE_CHECKING:
    import pandas as pd

NAME = "report.html"
STAGES = ("dataset", "backbone", "reducer", "cluster")
SHEETS = "contact_sheets"  # the evaluator of what the clusters of each report show anyway


def write(
    result: Result,
    folder: Path,
    ctx: Context,
    *,
    name: str,
    run_id: str,
    seconds: float,
    drawings: Mapping[str, Drawing] | None = None,
) -> Path:
    """Write report.html into the folder of a run that has its tables already; return its path.

    Parameters
    ----------
    seconds
        How long the run took in all.
    drawings
        PNGs of the figures that were drawn before, by name.
    """
    facts = {"name": name, "run": run_id, "took": f"{seconds:,.1f} s"}
    path = folder / NAME
    path.write_text(page(contents(result, folder, ctx, facts), drawings), encoding="utf-8")
    return path


def contents(result: Result, folder: Path, ctx: Context, facts: Mapping[str, str]) -> Contents:
    """Gather the report of a run; `folder` has its config.yaml and its tables, `facts` come first in it."""
    import yaml

    config = (folder / "config.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(config)
    stages, method = _stages(settings), settings.get("map", "auto")
    samples, clusters = result.samples, np.asarray(result.clustering.assignments)
    shown = members(result)
    rows, images = shown["row"].to_numpy(), tiles.none(tiles.SMALLEST)
    if samples.content.has_images:
        images = thumbnails(samples, rows, tiles.side(len(shown)), ctx)
    figures, pictures, others = _drawn(result)
    held, without = fitting(pictures)
    crossed = crosstab(result)
    if crossed is not None:
        figures[CROSSTAB] = crossed[0]
    count = len(np.unique(clusters[clusters >= 0]))
    summary = f"{len(samples):,} samples of {samples.name} by {' → '.join(stages.values())}: {count} clusters"
    noise = float((clusters < 0).mean())
    planes = maps(result, rows, ctx, method)
    classes, per_cluster = (_worst(result, key) for key in ("classes", "clusters"))
    upper = upper_bounds(result.metrics, result.encoder.history if result.encoder.trained else ())
    return Contents(
        title=f"{samples.name}: {count} clusters",
        summary=summary + (f" and {noise:.1%} noise" if noise else ""),
        facts={**facts, **_surroundings(result, ctx)},
        config=config,
        headlines=headlines(result.metrics, upper, alike(result)),
        upper=upper,
        members=shown.drop(columns=["row", "distance"]),
        maps=planes,
        left_out=len(samples) - len(shown),
        images=images,
        classes=classes,
        clusters=per_cluster,
        figures=figures,
        notes={CROSSTAB: crossed[1] if crossed else "", "map": why_pca(planes, len(samples), method)},
        pictures=held,
        verdict=_verdict(result),
        unseen=[*others, *without],
        tables=_tables(result, folder),
        warnings=result.warnings,
    )


def _stages(chosen: Mapping[str, Any]) -> dict[str, str]:
    options = {name: chosen[name]["_target_"].split(".")[-2] for name in STAGES}
    return {name: step_name(option, chosen[name].get("model")) for name, option in options.items()}


def _surroundings(result: Result, ctx: Context) -> dict[str, str]:
    """Tell of the data, the code and the machine."""
    samples, known = result.samples, environment()
    dirty = " and changes that are not committed" if known["git.dirty"] == "true" else ""
    times = {step: "kept" if value is None else f"{value:.2f} s" for step, value in result.seconds.items()}
    return {
        "data": f"{samples.source}, key {samples.data_key}",
        "samples": f"{len(samples):,}, {len(samples.skipped):,} left out",
        "commit": known["git.commit"] + dirty,
        "command": known["command"],
        "device": f"{ctx.device}, {ctx.dtype}, {ctx.threads} threads",
        "times": ", ".join(f"{step} {value}" for step, value in times.items()),
        "versions": ", ".join(
            [f"python {known['python']}"]
            + [
                f"{name.removeprefix('version.')} {value}"
                for name, value in known.items()
                if "version." in name
            ]
        ),
    }


def members(result: Result, most: int = tiles.MOST) -> "pd.DataFrame":
    """Return the samples that a page has room for, by cluster, noise last; the nearest to it first."""
    import pandas as pd

    clusters = np.asarray(result.clustering.assignments)
    away = distances(result.reduced, clusters)
    order = np.lexsort((np.nan_to_num(away), clusters, clusters < 0))
    if len(order) > most:  # of each cluster as many as fit
        turn = pd.Series(clusters[order]).groupby(clusters[order]).cumcount().to_numpy()
        order = order[np.sort(np.argsort(turn, kind="stable")[:most])]
    columns = {"row": order, "id": result.samples.ids[order].astype(str), "cluster": clusters[order]}
    columns["distance"] = away[order]
    labels = result.samples.label_names
    return pd.DataFrame(columns if labels is None else columns | {"label": labels[order]})


def _verdict(result: Result) -> str:
    """Return the sentence about the k of all methods, if they were asked."""
    tables = [
        found.tables["k_agreement"] for found in result.findings.values() if "k_agreement" in found.tables
    ]
    return str(tables[0]["verdict"].iloc[0]) if tables else ""


def _worst(result: Result, name: str) -> "pd.DataFrame":
    """Return what was found of each class or cluster, those that came out worst first."""
    import pandas as pd

    for found in result.findings.values():
        if name in found.tables and "share" in found.tables[name]:
            return found.tables[name].sort_values("share", kind="stable").reset_index(drop=True)
    return pd.DataFrame()


def _tables(result: Result, folder: Path) -> dict[str, str]:
    """Return every table as CSV: all metrics, who is where, and what the run left in its folder."""
    import pandas as pd

    metrics = pd.DataFrame(result.metrics.items(), columns=["metric", "value"])
    columns = {"id": result.samples.ids.astype(str), "cluster": np.asarray(result.clustering.assignments)}
    labels = result.samples.label_names
    everyone = pd.DataFrame(columns if labels is None else columns | {"label": labels})
    found = {"metrics": csv_text(metrics), "assignments": csv_text(everyone)}
    if (crossed := counted(result)) is not None:
        found[TABLE] = csv_text(crossed)
    return found | {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}


def _drawn(result: Result) -> tuple[dict[str, Figure], dict[str, Pictured], list[str]]:
    """Return what plotly draws, what are images, and the names of what is left out."""
    figures: dict[str, Figure] = dict(training_curves(result.encoder.history))
    pictures: dict[str, Pictured] = {}
    others = []
    for evaluator, found in result.findings.items():
        for name, figure in found.figures.items():
            if isinstance(figure, Space):
                others.append(name)
            elif isinstance(figure, Map) or evaluator == SHEETS:
                continue  # the map and the clusters show it
            elif isinstance(figure, (Grid, Sheets)):
                pictures[name] = figure
            else:
                figures[name] = figure
    return figures, pictures, others
