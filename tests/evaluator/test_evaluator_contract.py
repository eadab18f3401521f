"""What every evaluator of conf/ keeps: its figures are finite, repeat, and survive being kept."""

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

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("umap")]  # UMAP may compile
NAMES = compose.options("evaluator")
BY_PROTOCOL = [
    name
    for name in NAMES
    if "\nprotocol:" in (compose.CONF / "evaluator" / f"{name}.yaml").read_text("utf-8")
]  # the others cannot know of it
VECTORS = ("profiles", "crosstab", "external", "contact_sheets")  # these say more, or less, of a table
CASES = [
    *(("held_out", name) for name in NAMES if name != "profiles"),
    *(("published", name) for name in BY_PROTOCOL),
    *(("vectors", name) for name in VECTORS),
    *(("partly", name) for name in NAMES if name not in ("profiles", "k_selection")),
]
SETTINGS = tuple(dict(CASES))
every_evaluator = pytest.mark.parametrize(("setting", "name"), CASES)
NEEDS = {"samples", "encoder", "embeddings", "reduced", "clustering"}


@cache
def composed() -> DictConfig:
    """Compose every evaluator."""
    return compose.compose_config([f"evaluator=[{','.join(NAMES)}]"])


def judged(folder, setting: str) -> pipeline.Result:
    """Let evaluators judge one run on 200 digits, or those of vectors one on 300 of these.

    In the setting `partly` there are 400 digits, of which half have a label, and some are noise.
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
            overrides.append("evaluator.maps.methods=[pca]")  # no layout knows labels or clusters
        else:
            overrides.append(f"protocol={setting}")
        if "k_selection" in names:
            few = ("k_max", "references", "seeds", "bootstraps")
            overrides += [f"evaluator.k_selection.{name}=2" for name in few]
    chosen = f"evaluator=[{','.join(names)}]"
    stages = build(compose.compose_config([*overrides, chosen])).stages
    return pipeline.run(stages, Context.plain(Store(folder)))


def half_of_the_labels(folder: Path) -> Path:
    """Write a file of labels that knows every other digit."""
    digits = build(compose.compose_config([])).stages.dataset.load(Context.plain(Store(folder)))
    rows = [f"{digits.ids[row]},class {digits.label_names[row]}" for row in range(0, len(digits), 2)]
    path = folder / "labels.csv"
    path.write_text("\n".join(["image_id,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run_twice(tmp_path_factory) -> Callable[[str], list[pipeline.Result]]:
    """Give a function that gives the same run twice, in stores of their own."""

    @cache
    def made(setting: str) -> list[pipeline.Result]:
        return [judged(tmp_path_factory.mktemp("cache"), setting) for _ in range(2)]

    return made


@pytest.fixture
def runs(run_twice, setting: str) -> list[pipeline.Result]:
    return run_twice(setting)


@every_evaluator
def test_the_figures_are_finite_and_those_that_were_promised(runs, name):
    metrics = runs[0].findings[name].metrics
    assert np.isfinite(list(metrics.values())).all()
    assert all(type(value) is float for value in metrics.values())
    stage = build_stage(f"evaluator.{name}", composed().evaluator[name])
    assert set(metrics) <= set(stage.METRICS)
    assert set(stage.NEEDS) <= NEEDS


@every_evaluator
def test_the_same_run_finds_the_same(runs, name):
    one, other = (run.findings[name] for run in runs)
    assert one.metrics == other.metrics
    assert list(one.tables) == list(other.tables)
    for table, rows in one.tables.items():
        assert rows.equals(other.tables[table]), table


@every_evaluator
def test_what_was_found_survives_being_kept(runs, name, tmp_path):
    found = runs[0].findings[name]
    found.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.metrics == found.metrics
    assert set(again.tables) == set(found.tables)
    for table, rows in found.tables.items():
        assert again.tables[table].equals(rows), table
    assert again.figures == found.figures


@pytest.mark.parametrize("setting", ["partly"])
def test_figures_of_labels_are_about_the_samples_that_have_one(runs):
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
def test_two_evaluators_that_give_a_figure_of_one_name_agree(runs):
    assert (runs[0].clustering.assignments < 0).any()
    found: dict[str, float] = {}
    for findings in runs[0].findings.values():
        for name, value in findings.metrics.items():
            assert found.setdefault(name, value) == value, name
    assert found["noise_share"] == np.mean(runs[0].clustering.assignments < 0)


def test_no_row_of_the_catalogue_is_dead(run_twice):
    found = {name for setting in SETTINGS for name in run_twice(setting)[0].metrics}
    seen = {Name.parse(name).metric for name in found}
    knees = {"k_elbow_distance", "k_elbow_inertia"}  # of more values of k than are tried here
    assert set(CATALOGUE) - seen - knees == {"purity_mapped"}, "that one needs a backbone that was trained"


@pytest.mark.parametrize("setting", ["held_out", "vectors"])
def test_no_two_evaluators_give_a_figure_or_a_table_of_one_name(runs):
    for kind in ("metrics", "tables", "figures"):
        names = [name for found in runs[0].findings.values() for name in getattr(found, kind)]
        assert len(names) == len(set(names)), kind


def test_the_number_of_threads_changes_nothing(tmp_path):
    chosen = "evaluator=[probe,variance,macro]"
    overrides = ["backbone=pixels", "dataset.limit=400", "reducer=identity", chosen]
    stages = build(compose.compose_config(overrides)).stages
    one, three = (
        pipeline.run(stages, replace(Context.plain(Store(tmp_path / str(threads))), threads=threads))
        for threads in (1, 3)
    )
    assert list(one.findings) == ["probe", "variance", "macro"]
    assert one.metrics == three.metrics
