"""The contract of evaluators: metrics are finite and repeatable, findings can be saved."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig
from sklearn.metrics import adjusted_rand_score
from tests.messages import numbers

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.config.stage import build_stage
from experiments.context import Context
from experiments.metric_names import Name
from experiments.metrics import CATALOGUE
from experiments.store.cache import Store
from experiments.types import Findings

pytestmark = [pytest.mark.timeout(300), pytest.mark.umap, pytest.mark.slow]  # UMAP may compile
NAMES = [
    name for name in compose.options("evaluator") if name != "names"
]  # test_names.py: it needs a network
BY_PROTOCOL = [
    name
    for name in NAMES
    if "\nprotocol:" in (compose.CONF / "evaluator" / f"{name}.yaml").read_text("utf-8")
]  # the others do not depend on it
VECTORS = ("profiles", "crosstab", "external", "contact_sheets")  # these have other results for a table
CASES = [
    *(("held_out", name) for name in NAMES if name != "profiles"),
    *(("published", name) for name in BY_PROTOCOL),
    *(("vectors", name) for name in VECTORS),
    *(("partly", name) for name in NAMES if name not in ("profiles", "k_selection")),
]
SETTINGS = tuple(dict(CASES))
every_evaluator = pytest.mark.parametrize(("setting", "name"), CASES)
NEEDS = {"samples", "encoder", "embeddings", "reduced", "clustering", "names"}


@cache
def composed() -> DictConfig:
    """Compose every evaluator."""
    return compose.compose_config([f"evaluator=[{','.join(NAMES)}]"])


def run_evaluators(folder, setting: str) -> pipeline.Result:
    """Run the evaluators of a setting on 200 digits, or on 300 vectors.

    In the setting `partly` there are 400 digits, of which half have a label and some are noise.
    """
    names = [name for case, name in CASES if case == setting]
    if setting == "vectors":
        overrides = ["dataset=synthetic_vectors", "dataset.n=300", "dataset.classes=4", "dataset.width=8",
                     "reducer=identity"]  # fmt: skip
    else:
        limit = 400 if setting == "partly" else 200
        overrides = ["backbone=pixels", f"dataset.limit={limit}", "reducer.n_components=8"]
        if setting == "partly":
            overrides += [f"dataset.labels.path={half_of_the_labels(folder)}", "cluster=hdbscan"]
            overrides.append("evaluator.maps.methods=[pca]")  # layouts do not depend on labels or clusters
        else:
            overrides.append(f"protocol={setting}")
        if "k_selection" in names:
            few = ("k_max", "references", "seeds", "bootstraps")
            overrides += [f"evaluator.k_selection.{name}=2" for name in few]
    chosen = f"evaluator=[{','.join(names)}]"
    stages = build(compose.compose_config([*overrides, chosen])).stages
    return pipeline.run(stages, Context.plain(Store(folder)))


def half_of_the_labels(folder: Path) -> Path:
    """Write a file with the labels of every other digit."""
    digits = build(compose.compose_config([])).stages.dataset.load(Context.plain(Store(folder)))
    rows = [f"{digits.ids[row]},class {digits.label_names[row]}" for row in range(0, len(digits), 2)]
    path = folder / "labels.csv"
    path.write_text("\n".join(["image_id,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run_twice(tmp_path_factory) -> Callable[[str], list[pipeline.Result]]:
    """Return a function: setting -> two equal runs with separate caches."""

    @cache
    def run(setting: str) -> list[pipeline.Result]:
        return [run_evaluators(tmp_path_factory.mktemp("cache"), setting) for _ in range(2)]

    return run


@pytest.fixture
def runs(run_twice, setting: str) -> list[pipeline.Result]:
    return run_twice(setting)


@every_evaluator
def test_metrics_are_finite_and_declared(runs, name):
    metrics = runs[0].findings[name].metrics
    assert np.isfinite(list(metrics.values())).all()
    assert all(type(value) is float for value in metrics.values())
    stage = build_stage(f"evaluator.{name}", composed().evaluator[name])
    assert set(metrics) <= set(stage.METRICS)
    assert set(stage.NEEDS) <= NEEDS


@every_evaluator
def test_equal_runs_have_equal_findings(runs, name):
    first, other = (run.findings[name] for run in runs)
    assert first.metrics == other.metrics
    assert list(first.tables) == list(other.tables)
    for table, rows in first.tables.items():
        assert rows.equals(other.tables[table]), table


@every_evaluator
def test_findings_are_the_same_after_saving_and_loading(runs, name, tmp_path):
    findings = runs[0].findings[name]
    findings.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.metrics == findings.metrics
    assert set(again.tables) == set(findings.tables)
    for table, rows in findings.tables.items():
        assert again.tables[table].equals(rows), table
    assert again.figures == findings.figures


@pytest.mark.parametrize("setting", ["partly"])
def test_metrics_of_labels_are_of_the_labelled_samples(runs):
    result = runs[0]
    samples, clusters = result.samples, np.asarray(result.clustering.assignments)
    known = samples.labelled
    assert 0 < len(known) < len(samples) == 400
    ari = adjusted_rand_score(samples.labels[known], clusters[known])
    assert result.metrics["ari"] == pytest.approx(ari)
    assert result.findings["crosstab"].tables["cluster_label_crosstab"].iloc[-1, -1] == len(known)
    assert result.metrics["data_images"] == 400
    assert result.metrics["probe_scored"] == len(np.intersect1d(known, samples.rows("validation")))
    assert numbers(result.warnings[0]) == [str(len(known)), "400"]


@pytest.mark.parametrize("setting", ["partly"])
def test_a_metric_of_two_evaluators_has_one_value(runs):
    assert (runs[0].clustering.assignments < 0).any()
    metrics: dict[str, float] = {}
    for findings in runs[0].findings.values():
        for name, value in findings.metrics.items():
            assert metrics.setdefault(name, value) == value, name
    assert metrics["noise_share"] == np.mean(runs[0].clustering.assignments < 0)


def test_every_metric_of_the_catalogue_is_computed(run_twice):
    names = {name for setting in SETTINGS for name in run_twice(setting)[0].metrics}
    computed = {Name.parse(name).metric for name in names}
    knees = {"k_elbow_distance", "k_elbow_inertia"}  # these need more values of k
    with_network = {"purity_mapped"} | {name for name, row in CATALOGUE.items() if row.by == ("names",)}
    assert set(CATALOGUE) - computed - knees == with_network, "these need a trained network"


@pytest.mark.parametrize("setting", ["held_out", "vectors"])
def test_names_of_metrics_tables_and_figures_are_unique(runs):
    for kind in ("metrics", "tables", "figures"):
        names = [name for findings in runs[0].findings.values() for name in getattr(findings, kind)]
        assert len(names) == len(set(names)), kind


def test_the_number_of_threads_changes_nothing(tmp_path):
    chosen = "evaluator=[probe,variance,macro]"
    overrides = ["backbone=pixels", "dataset.limit=400", "reducer=identity", chosen]
    stages = build(compose.compose_config(overrides)).stages
    single, three = (
        pipeline.run(stages, replace(Context.plain(Store(tmp_path / str(threads))), threads=threads))
        for threads in (1, 3)
    )
    assert list(single.findings) == ["probe", "variance", "macro"]
    assert single.metrics == three.metrics
