"""The clusters of a single run on the terminal, and the commands that go on with them."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from experiments.config import commands
from experiments.evaluator.measures.vocabulary import UNNAMED
from experiments.job import console
from experiments.job.artifacts import ASSIGNMENTS
from experiments.messages import command, setting

if TYPE_CHECKING:
    import pandas as pd

MOST = 12  # clusters shown, the largest
UNSURE = 0.5  # of a network with a head: most names with a lower score are wrong, docs/benchmarks.md
NOISE = "noise"


def print_clusters(folder: Path) -> None:
    """Print the largest clusters of a run: images, share, and name and score if they have names."""
    table = cluster_table(folder)
    if not len(table):
        return
    title = f"the largest {MOST} of {len(table):,} clusters" if len(table) > MOST else "clusters"
    if "score" in table and (table["score"] < UNSURE).any():
        title += f"; look at the images before you use a name with a score below {UNSURE}"
    rows = [[_cell(value) for value in row] for row in table.head(MOST).itertuples(index=False, name=None)]
    console.table(title, [str(column) for column in table], rows)


def cluster_table(folder: Path) -> "pd.DataFrame":
    """Return a row per cluster and for noise: images, share, and name and score if there are names.

    The largest cluster is first, and noise last.
    """
    import pandas as pd

    if not (folder / ASSIGNMENTS).exists():
        return pd.DataFrame()
    clusters = pd.read_parquet(folder / ASSIGNMENTS, columns=["cluster"])["cluster"]
    sizes = clusters.value_counts()
    table = pd.DataFrame({"cluster": sizes.index, "images": sizes.to_numpy()})
    table["share"] = table["images"] / len(clusters)
    if (folder / "names.csv").exists():
        names = pd.read_csv(folder / "names.csv", keep_default_na=False, na_values=[""])
        table = table.merge(names[["cluster", "name", "score"]], on="cluster", how="left")
        table["name"] = table["name"].fillna("")
        table["score"] = table["score"].where(table["name"] != UNNAMED)
    noise = table["cluster"] < 0
    order = pd.DataFrame({"noise": noise, "images": -table["images"], "cluster": table["cluster"]})
    table = table.loc[order.sort_values(["noise", "images", "cluster"]).index]
    table["cluster"] = [NOISE if cluster < 0 else str(cluster) for cluster in table["cluster"]]
    return table


def next_commands(folder: Path, run_id: str, uri: str) -> Iterator[str]:
    """Yield the commands that go on with a run on image files; none for other data."""
    path = folder / "config.yaml"
    if not run_id or not path.exists() or not OmegaConf.select(OmegaConf.load(path), "dataset.root"):
        return
    store = [] if uri == commands.DEFAULT_STORE else [setting("tracking.uri", uri)]
    for purpose, script, *words in (
        ("a folder of each cluster", "export", run_id, "clusters"),
        ("give or correct labels", "labels", "page", run_id),
        ("assign new images", "assign", run_id, "new_images"),
    ):
        yield f"{purpose}: {command('python', f'scripts/{script}.py', *words, *store)}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
