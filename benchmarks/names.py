"""Count the classes of Caltech-101 whose clusters get the right name, and time the naming of many rows.

    python benchmarks/names.py --photographs caltech101_128.zip    30 photographs of each class, 102 clusters
    python benchmarks/names.py --rows 100000                       random rows of 1,280 values, 1,000 classes

tests/evaluator/caltech_names.csv has the 52 classes that are among ImageNet's 1,000, with the names that are
right: of the same thing, or of a kind of it. The other 50 classes have no right name.
"""

import argparse
import csv
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import compress, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from reducers import PerClass

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.measures.cluster_names import Head, score_classes
from experiments.store.cache import Store

if TYPE_CHECKING:
    import pandas as pd

TABLE = Path(__file__).parents[1] / "tests" / "evaluator" / "caltech_names.csv"
BANDS = (0.0, 0.12, 0.25, 0.5, 1.0)  # of scores


def known_classes() -> dict[str, tuple[str, set[str]]]:
    """Return relation and right names of each class."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["class"]: (row["relation"], set(row["names"].split("|"))) for row in csv.DictReader(file)}


def named(typed: list[str], per_class: int, ctx: Context) -> tuple["pd.DataFrame", float | None]:
    """Return the table of names, and the seconds that they took."""
    stages: Any = build(compose.compose_config(typed), typed).stages
    result = pipeline.run(replace(stages, dataset=PerClass(stages.dataset, per_class)), ctx)
    return result.findings["names"].tables["names"], result.seconds["names"]


def count(table: "pd.DataFrame", known: Mapping[str, tuple[str, set[str]]]) -> None:
    """Print the classes with a right name by relation, and the share of right names by score."""
    right = [
        {label for label in labels.split(", ") if label in known and name in known[label][1]}
        for labels, name in zip(table["label"], table["name"], strict=True)
    ]
    named_by_relation = Counter(known[label][0] for label in set().union(*right))
    total_by_relation = Counter(relation for relation, _ in known.values())
    for relation, total in total_by_relation.items():
        print(f"{relation}: {named_by_relation[relation]} of {total} classes are named")
    print("unnamed clusters:", int((table["name"] == "unnamed").sum()), "of", len(table))
    assigned = (table["name"] != "unnamed").to_numpy()
    for low, high in pairwise(BANDS):
        rows = assigned & (table["score"] >= low).to_numpy() & (table["score"] < high).to_numpy()
        hits = sum(map(bool, compress(right, rows)))
        print(f"score {low} to {high}: {hits} of {int(rows.sum())} names are right")


def time_rows(n: int, shuffles: int) -> None:
    """Print seconds and peak memory of naming 100 clusters of random rows."""
    rng = np.random.default_rng(0)
    rows = rng.random((n, 1280), np.float32)
    head = Head(
        rng.normal(size=(1000, 1280)).astype(np.float32) / 20, np.zeros(1000, np.float32), softmax=True
    )
    groups = np.array_split(rng.permutation(n), 100)
    start = time.perf_counter()
    score_classes(head, rows, groups, shuffles, seed=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{n:,} rows, {shuffles} shuffles: {time.perf_counter() - start:.1f} s, peak {peak:.2f} GB")


def main() -> None:
    """Print the counts of each seed of k-means, or the time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", help="folder or archive of class folders: Caltech-101")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--per-class", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, help="folder of the cache; by default a temporary one")
    options = parser.parse_args()
    if options.rows:
        time_rows(options.rows, shuffles=100)
    if not options.photographs:
        return
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            typed = [
                "dataset=image_folder", f"dataset.root={options.photographs}", "backbone=efficientnet_lite0",
                "backbone.image_size=160", "cluster.k=102", "evaluator=[names]",
                "evaluator.names.min_score=0", f"seed={seed}",
            ]  # fmt: skip
            ctx = Context.plain(Store(options.cache or Path(folder)))
            table, seconds = named(typed, options.per_class, ctx)
            print(f"\nseed {seed}; {'cached' if seconds is None else f'{seconds:.1f} s'}")
            count(table, known_classes())


if __name__ == "__main__":
    main()
