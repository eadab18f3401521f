"""Gather what the report of a run tells, from the run and from what it left in its folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.environment import environment
from experiments.evaluator.measures.metrics import contingency
from experiments.evaluator.pictures.centres import distances
from experiments.evaluator.pictures.layouts import TITLES, Pca, place
from experiments.evaluator.pictures.thumbnails import label_names, thumbnails
from experiments.figures import Grid, Heatmap, Map, Sheets, tiles
from experiments.kept import Figure
from experiments.pipeline import Result
from experiments.report.contents import Contents
from experiments.report.headlines import headlines, upper_bounds
from experiments.report.page import page
from experiments.tables import csv_text
from experiments.training_curves import training_curves
from experiments.types import Context

if TYPE_CHECKING:
    import pandas as pd

NAME = "report.html"
STAGES = ("dataset", "backbone", "reducer", "cluster")
MAPS = ("umap", "tsne", "pca")  # of which the first that an evaluator made is shown
DENSE = 150  # classes and clusters up to which their crosstab is a picture


def write(result: Result, folder: Path, ctx: Context, *, name: str, run_id: str, seconds: float) -> Path:
    """Write report.html into the folder of a run that has its tables already; return its path.

    Parameters
    ----------
    seconds
        How long the run took in all.
    """
    facts = {"name": name, "run": run_id, "took": f"{seconds:,.1f} s"}
    path = folder / NAME
    path.write_text(page(contents(result, folder, ctx, facts)), encoding="utf-8")
    return path


def contents(result: Result, folder: Path, ctx: Context, facts: Mapping[str, str]) -> Contents:
    """Gather the report of a run; `folder` has its config.yaml and its tables, `facts` come first in it."""
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    stages = _stages(config)
    samples, clusters = result.samples, np.asarray(result.clustering.assignments)
    everyone, axes = _everyone(result, ctx)
    shown = _fitting(everyone)
    images = tiles.none(tiles.SMALLEST)
    if samples.content.pictured:
        images = thumbnails(samples, shown["row"].to_numpy(), tiles.side(len(shown)), ctx)
    count = len(np.unique(clusters[clusters >= 0]))
    told = f"{len(samples):,} samples of {samples.name} by {' → '.join(stages.values())}: {count} clusters"
    noise = float((clusters < 0).mean())
    classes, per_cluster = (_worst(result, key) for key in ("classes", "clusters"))
    doubts = [f"left out: {reason}" for reason in result.left_out.values()]
    return Contents(
        title=f"{samples.name}: {count} clusters",
        told=told + (f" and {noise:.1%} noise" if noise else ""),
        facts={**facts, **_surroundings(result, ctx)},
        config=config,
        headlines=headlines(result.metrics),
        upper=upper_bounds(result.metrics),
        members=shown.drop(columns=["row", "distance"]),
        axes=axes,
        left_out=len(samples) - len(shown),
        images=images,
        classes=classes,
        clusters=per_cluster,
        figures=dict(_figures(result)),
        tables=_tables(result, folder),
        warnings=[*doubts, *(doubt for found in result.findings.values() for doubt in found.warnings)],
    )


def _stages(config: str) -> dict[str, str]:
    import yaml

    chosen = yaml.safe_load(config)
    return {stage: chosen[stage]["_target_"].split(".")[-2] for stage in STAGES}


def _surroundings(result: Result, ctx: Context) -> dict[str, str]:
    """Tell of the data, the code and the machine."""
    samples, known = result.samples, environment()
    dirty = " and changes that are not committed" if known["git.dirty"] == "true" else ""
    times = {step: "kept" if value is None else f"{value:.2f} s" for step, value in result.seconds.items()}
    return {
        "data": f"{samples.source}, key {samples.key}",
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


def _everyone(result: Result, ctx: Context) -> "tuple[pd.DataFrame, tuple[str, str]]":
    """Return a row for each sample, by cluster and the nearest to the centre first, and the map's axes."""
    import pandas as pd

    clusters = np.asarray(result.clustering.assignments)
    x, y, method = _places(result, ctx)
    columns = {"row": np.arange(len(clusters)), "id": result.samples.ids.astype(str), "cluster": clusters}
    columns |= {"x": x, "y": y, "distance": distances(result.reduced, clusters)}
    labels = label_names(result.samples)
    table = pd.DataFrame(columns if labels is None else columns | {"label": labels})
    order = np.lexsort((table["distance"].fillna(0), clusters, clusters < 0))
    return table.iloc[order].reset_index(drop=True), (f"{TITLES[method]} 1", f"{TITLES[method]} 2")


def _places(result: Result, ctx: Context) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the map that an evaluator made, or that of the principal components."""
    made = {name: table for found in result.findings.values() for name, table in found.tables.items()}
    for method in MAPS:
        table = made.get(f"map_{method}")
        if table is not None and len(table) == len(result.samples):
            return table["x"].to_numpy(), table["y"].to_numpy(), method
    points = place(Pca(0), result.reduced, ctx)
    return points[:, 0], points[:, 1], "pca"


def _fitting(everyone: "pd.DataFrame", most: int = tiles.MOST) -> "pd.DataFrame":
    """Return the rows that a page has room for: of each cluster as many as fit, the nearest first."""
    if len(everyone) <= most:
        return everyone
    turn = everyone.groupby("cluster").cumcount().to_numpy()
    return everyone.iloc[np.sort(np.argsort(turn, kind="stable")[:most])]


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
    labels = label_names(result.samples)
    everyone = pd.DataFrame(columns if labels is None else columns | {"label": labels})
    found = {"metrics": csv_text(metrics), "assignments": csv_text(everyone)}
    return found | {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}


def _figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """Give the pictures that are no images: the crosstab, the training, and what evaluators drew."""
    crosstab = _crosstab(result)
    if crosstab is not None:
        yield "crosstab", crosstab
    yield from training_curves(result.encoder.history).items()
    for found in result.findings.values():
        for name, figure in found.figures.items():
            if not isinstance(figure, (Grid, Map, Sheets)):
                yield name, figure


def _crosstab(result: Result) -> Heatmap | None:
    """Draw which share of each cluster each class has; clusters stand by their majority class."""
    samples, clusters = result.samples, np.asarray(result.clustering.assignments)
    if samples.labels is None:
        return None
    labels = np.asarray(samples.labels)
    counts = contingency(labels, clusters)
    if max(counts.shape) > DENSE:
        return None
    names = [samples.class_names[label] for label in np.unique(labels)]
    columns = ["noise" if cluster < 0 else str(cluster) for cluster in np.unique(clusters)]
    order = np.argsort(counts.argmax(axis=0), kind="stable")
    shares = counts / counts.sum(axis=0)
    title = f"Classes in each cluster of {samples.name}"
    return Heatmap(
        title, names, [columns[place] for place in order], shares[:, order], "share of the cluster"
    )
