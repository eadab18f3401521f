"""A sweep records the model of its best job, or warns that it cannot."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.messages import says
from tests.options import option
from tests.running import composed, run_typed

from experiments import tracking
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.external import External
from experiments.evaluator.internal import Internal
from experiments.evaluator.label_free import LabelFree
from experiments.job import logged_model
from experiments.job.model import Model
from experiments.job.perform import Outcome
from experiments.reducer.l2 import L2
from experiments.reducer.neighbours import Neighbours
from experiments.sweep import best_model

pytestmark = pytest.mark.slow

FEW = [
    "backbone=pixels",
    "dataset.limit=100",
    "reducer.n_components=5",
    "evaluator=[internal]",
    "figures=none",
]


class Sweep:
    """A parent run and one finished job with a cache of their own."""

    swept: Sequence[str] = ("cluster.k",)

    def __init__(self, root: Path, uri: str, *overrides: str) -> None:
        self.folder = root / "0"
        typed = [*FEW, f"cache.root={root}/cache", f"tracking.uri={uri}", *overrides]
        self.plan = build(composed(typed), typed)
        self.tracker = tracking.connect(self.plan.tracking, "digits")
        self.parent = self.tracker.open("sweep", root, params={}, tags={})
        above = tracking.Parent(self.tracker.uri, self.tracker.experiment_id, self.parent.id)
        self.outcome = run_typed(typed, self.folder, parent=above).outcome

    def close(self, **changed: str) -> bool:
        """Record the best job's model; return True if it is recorded."""
        plan = replace(self.plan, settings=replace(self.plan.settings, **changed))
        jobs = {self.folder: self.outcome}
        best = best_model.find_best(jobs, plan.settings.objective, self.swept)
        return best_model.record_best(best, jobs, plan, self.swept, self.parent)

    def models(self) -> int:
        """Count the models that the job recorded."""
        return len(self.tracker.client.get_run(self.outcome.run_id).outputs.model_outputs)

    def best(self) -> str | None:
        """Return the id of the best job in the sweep's tag."""
        tags = self.tracker.client.get_run(self.parent.id).data.tags
        return tags.get(tracking.BEST)


def test_the_best_jobs_model_is_made_of_what_the_store_kept(uri: str, tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, uri, "objective=silhouette")
    assert (sweep.models(), sweep.best()) == (0, None)
    assert not (sweep.folder / logged_model.FOLDER).exists()
    assert sweep.close()
    assert (sweep.models(), sweep.best()) == (1, sweep.outcome.run_id)
    model = Model.load(sweep.folder / logged_model.FOLDER / "data")
    assert len(model.clustering.assignments) == 100


def test_a_job_leaves_its_model_where_nothing_is_kept(uri: str, tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, uri, "objective=silhouette", "cache.enabled=false")
    assert sweep.models() == 0
    assert (sweep.folder / logged_model.FOLDER / "data" / "model.json").exists()
    sweep.close()
    assert (sweep.models(), sweep.best()) == (1, sweep.outcome.run_id)


def test_the_best_job_is_shown_from_the_cache(uri: str, tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, uri, "cluster.k=4", "map=pca", "objective=silhouette")
    best = best_model.find_best({sweep.folder: sweep.outcome}, "silhouette", ["cluster.k"])
    assert best
    shown = best_model.best_job_report(best, ["cluster.k"])
    assert (shown.name, shown.seeds) == ("k=4", 1)
    assert shown.contents is not None
    assert shown.contents.members["cluster"].nunique() == 4
    assert len(shown.contents.images) == len(shown.contents.members) == 100
    assert shown.contents.facts["run"] == sweep.outcome.run_id
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    assert best_model.best_job_report(best, []).contents is None


def test_each_job_or_none_records_its_own_if_asked(uri: str, tmp_path: Path) -> None:
    for wanted, count in (("all", 1), ("none", 0)):
        sweep = Sweep(tmp_path, uri, "objective=silhouette", f"tracking.log_model={wanted}")
        sweep.close()
        assert (sweep.models(), sweep.best()) == (count, None)
        sweep.folder.rename(tmp_path / wanted)


def test_a_sweep_without_its_objective_or_its_store_says_what_to_type(
    uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sweep = Sweep(tmp_path, uri)
    assert not sweep.close(objective="davies_bouldin_test")
    says(caplog.text, key="objective=davies_bouldin_test", use="tracking.log_model=all")
    caplog.clear()
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING):
        assert not sweep.close(objective="silhouette")
    says(caplog.text, key="cache.root", use="tracking.log_model=all")
    assert (sweep.models(), sweep.best()) == (0, None)


def test_without_labels_the_best_job_has_the_best_silhouette(
    uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sweep = Sweep(tmp_path, uri)
    with caplog.at_level(logging.INFO):
        assert sweep.close(objective="ari")
    says(caplog.text, key="objective=ari", use="silhouette")
    assert sweep.best() == sweep.outcome.run_id


def test_a_silhouette_of_each_reducers_space_chooses_no_job(
    uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sweep = Sweep(tmp_path, uri, "label_free=true")
    sweep.swept = ["reducer.n_components"]
    assert sweep.close(objective="silhouette")
    says(caplog.text, key="objective=silhouette cannot compare reducers", use="silhouette_embeddings")
    sweep.swept = ["backbone"]
    assert not sweep.close(objective="silhouette")
    says(caplog.text, key="silhouette cannot compare backbones", use="objective=ari")
    sweep.swept = ["reducer"]
    sweep.outcome = replace(sweep.outcome, metrics={"silhouette": 0.5})
    assert not sweep.close(objective="silhouette")
    says(caplog.text, key="silhouette cannot compare reducers", use="label_free=true")


def test_averaging_noise_over_neighbours_does_not_win(ctx: Context) -> None:
    noise = np.random.default_rng(0).normal(size=(600, 32)).astype(np.float32)
    metrics = []
    for reducer in (L2(), Neighbours(32, 0.5, 10)):
        reduced = reducer.fit(noise, ctx).transform(noise)
        clustering = option("cluster", "faiss_kmeans").fit(reduced, ctx.with_input(str(reducer)))
        own = Internal(1000, 0).evaluate(ctx=ctx, reduced=reduced, clustering=clustering)
        common = LabelFree(1000, 0).evaluate(ctx=ctx, embeddings=noise, clustering=clustering)
        metrics.append(own.metrics | common.metrics)
    assert metrics[1]["silhouette"] > 1.2 * metrics[0]["silhouette"], "averaging alone raises its own"
    outcomes, swept = jobs(*metrics), ["reducer"]
    for objective in ("ari", "silhouette"):
        chosen = best_model.usable_objective(outcomes, objective, swept)
        assert chosen == "silhouette_embeddings"
        assert best_model.best_folder(outcomes, chosen, swept) == Path("0")
    assert best_model.best_folder(outcomes, "silhouette", swept) is None
    assert best_model.usable_objective(outcomes, "ari", ["cluster.k"]) == "silhouette_embeddings"


def jobs(*figures: dict[str, float]) -> dict[Path, Outcome]:
    """Return finished jobs with these metrics."""
    return {
        Path(str(number)): Outcome([], status="FINISHED", metrics=metrics)
        for number, metrics in enumerate(figures)
    }


NOISY = {"clusters": 3.0, "noise_share": 0.2, "silhouette": 0.1, "silhouette_no_noise": 0.4}
NOISY |= {"silhouette_noise_singletons": -0.1, "acc_test": 0.5, "acc_no_noise_test": 0.6}
NOISY |= {"noise_share_test": 0.1}
CLEAR = {"clusters": 4.0, "silhouette": 0.5, "acc_test": 0.7}


@pytest.mark.parametrize(
    "objective",
    [
        "noise_share", "noise_share_test", "silhouette_no_noise", "silhouette_noise_singletons",
        "acc_no_noise_test",
    ],
)  # fmt: skip
def test_a_job_without_noise_has_the_figures_of_noise_too(objective: str) -> None:
    assert best_model.best_folder(jobs(NOISY, CLEAR, NOISY), objective) == Path("1")
    worse = CLEAR | {"silhouette": -0.5, "acc_test": 0.1}
    chosen = best_model.best_folder(jobs(worse, NOISY), objective)
    assert chosen == Path("0" if objective.startswith("noise") else "1")


def test_noise_that_leaves_a_figure_undefined_does_not_become_another_figure() -> None:
    undefined = {"clusters": 1.0, "noise_share": 0.9, "silhouette": 0.9}
    assert best_model.best_folder(jobs(undefined, NOISY), "silhouette_no_noise") == Path("1")
    assert best_model.best_folder(jobs(undefined), "silhouette_no_noise") is None


def test_without_a_judge_there_is_no_share_of_noise() -> None:
    assert best_model.best_folder(jobs({"probe_acc": 0.9}), "noise_share") is None
    assert best_model.best_folder(jobs({"clusters": 2.0}), "noise_share_test") is None


def test_the_best_job_is_one_of_the_settings_with_the_best_mean_over_the_seeds() -> None:
    scores = {(5, 0): 0.6, (5, 1): 0.7, (9, 0): 0.1, (9, 1): 0.9}
    seeds = {
        Path(f"{k}-{seed}"): Outcome(
            [f"cluster.k={k}", f"seed={seed}"], status="FINISHED", metrics={"ari": ari}
        )
        for (k, seed), ari in scores.items()
    }
    best = best_model.find_best(seeds, "ari", ["cluster.k", "seed"])
    assert best
    assert (best.folder, best.value, best.seeds) == (Path("5-1"), 0.7, 2)


def test_few_points_below_zero_are_better() -> None:
    below = [{"silhouette_below_zero": value} for value in (0.3, 0.1, 0.2)]
    assert best_model.best_folder(jobs(*below), "silhouette_below_zero") == Path("1")


def test_a_smaller_error_of_the_silhouette_is_better() -> None:
    errors = [{"silhouette_error": value} for value in (0.003, 0.001, 0.002)]
    assert best_model.best_folder(jobs(*errors), "silhouette_error") == Path("1")


def test_a_share_of_noise_is_known_by_metrics_that_evaluators_give() -> None:
    assert set(best_model.WITH_NOISE) <= {*Internal.METRICS, *External.METRICS}
    assert best_model.NOISE in Internal.METRICS
