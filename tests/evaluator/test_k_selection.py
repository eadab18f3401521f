"""The choice of k for data with a known answer, and its caching."""

import shutil
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from tests.evaluator.stand_ins import vector_samples
from tests.messages import numbers, says

from experiments import pipeline
from experiments.cluster.sklearn_kmeans import SklearnKMeans
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator import k_selection
from experiments.evaluator.k_methods.gap import Box
from experiments.evaluator.k_methods.reference import Reference
from experiments.evaluator.k_methods.trial import lighter
from experiments.numerics import parallel
from experiments.store.cache import Store

pytestmark = pytest.mark.slow

CORNERS = {
    3: [[0, 0, 0], [10, 0, 0], [5, 8.66, 0]],
    4: [[0, 0, 0], [10, 0, 0], [0, 10, 0], [10, 10, 0]],
    5: [[0, 0, 0], [10, 0, 0], [0, 10, 0], [10, 10, 0], [5, 5, 7]],
}
QUICK = ["k_max=7", "references=5", "seeds=2", "bootstraps=2"]


@cache
def stage(*settings, cluster="faiss_kmeans"):
    overrides = [f"evaluator.k_selection.{setting}" for setting in (*QUICK, *settings)]
    cfg = compose.compose_config(["evaluator=[k_selection]", f"cluster={cluster}", *overrides])
    return build(cfg).stages.evaluators["k_selection"]


def blobs(k):
    rng = np.random.default_rng(k)
    centres = np.repeat(np.array(CORNERS[k], float), 60, axis=0)
    return (centres + rng.normal(size=centres.shape)).astype(np.float32)


@pytest.mark.parametrize("k", CORNERS)
def test_every_method_finds_separate_groups(ctx, k):
    findings = stage().evaluate(ctx=ctx.with_input("blobs"), reduced=blobs(k))
    assert findings.metrics == dict.fromkeys(stage().METRICS, k)
    assert numbers(findings.tables["k_agreement"]["verdict"][0]) == [str(k), "8", "8"]
    assert findings.tables["k_selection"]["k"].tolist() == list(range(1, 8))
    assert numbers(findings.figures["k_selection"].title) == ["8"]
    assert len(findings.tables["k_verdicts"]) == 8
    titles = [panel.title.lower() for panel in findings.figures["k_selection"].panels]
    panels = ("each method", "elbow", "silhouette", "gap", "stability", "calinski", "davies")
    assert [any(name in title for title in (panel,)) for name, panel in zip(panels, titles, strict=True)]


@pytest.mark.parametrize("cluster", ["sklearn_kmeans", "agglomerative", "gmm"])
def test_any_clusterer_with_k_can_be_used(ctx, cluster):
    findings = stage("k_max=5", "references=5", cluster=cluster).evaluate(
        ctx=ctx.with_input("blobs"), reduced=blobs(3)
    )
    choices = dict(
        zip(findings.tables["k_verdicts"]["method"], findings.tables["k_verdicts"]["k"], strict=True)
    )
    seeds = choices.pop("stability_seeds")
    assert set(choices.values()) == {3}
    assert cluster == "agglomerative" or seeds == 3  # it has no seed


def test_the_gap_chooses_one_if_there_are_no_groups(ctx):
    rng = np.random.default_rng(0)
    even = rng.uniform(size=(200, 10))  # as in the paper's simulation without clusters
    normal = rng.normal(size=(400, 3)) * [4, 2, 1]
    for name, points in {"even": even, "normal": normal}.items():
        findings = stage().evaluate(ctx=ctx.with_input(name), reduced=points.astype(np.float32))
        assert findings.metrics["k_gap"] == 1, name
        says(
            findings.tables["k_agreement"]["verdict"][0], key="gap", use="1"
        )  # the other methods cannot choose 1


@pytest.mark.parametrize("k_max", [3, 5])
def test_three_repeated_points_are_three_clusters(ctx, k_max):
    points = np.repeat(np.array([[0.1, 0.7], [5, 0], [2, 9]], np.float32), 21, axis=0)
    findings = stage(f"k_max={k_max}", "references=3").evaluate(ctx=ctx.with_input("three"), reduced=points)
    assert findings.metrics["k_gap"] == 3
    assert findings.tables["k_selection"]["gap"].iloc[2] == np.inf
    (curve,) = [panel for panel in findings.figures["k_selection"].panels if panel.title == "Gap statistic"]
    drawn = np.array(curve.series["gap"])
    assert np.isnan(drawn[2:]).all()
    assert np.isfinite(drawn[:2]).all()


def test_equal_points_have_no_k(ctx):
    findings = stage("k_max=3").evaluate(ctx=ctx.with_input("equal"), reduced=np.ones((30, 2), np.float32))
    assert "k_silhouette" not in findings.metrics
    assert findings.tables["k_selection"]["gap"].isna().all()
    assert numbers(findings.tables["k_agreement"]["verdict"][0]) == []


OVERRIDES = [
    "backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "evaluator=[k_selection]",
    "evaluator.k_selection.k_max=4", "evaluator.k_selection.references=2", "evaluator.k_selection.seeds=2",
    "evaluator.k_selection.bootstraps=2",
]  # fmt: skip


def run(store, *overrides):
    stages = build(compose.compose_config([*OVERRIDES, *overrides])).stages
    return pipeline.run(stages, Context.plain(store))


def test_a_run_reuses_the_clustering_of_k_selection_and_a_sweep_selects_once(store):
    first_run = run(store, "cluster.k=3")
    assert first_run.seconds["cluster"] is not None
    other = run(store, "cluster.k=4")
    assert other.seconds["cluster"] is None
    assert other.seconds["k_selection"] is None
    assert other.finding_keys == first_run.finding_keys


def test_a_larger_range_computes_only_the_new_k(store):
    run(store)
    again = Store(store.root)
    run(again, "evaluator.k_selection.k_max=5")
    assert sum(key.startswith("trial-") for key in again.computed) == 1
    assert sum(key.startswith("trial-") for key in again.reused) == 4


def test_an_interrupted_selection_resumes(store, monkeypatch):
    """Values finished before an error are not computed again."""
    points = blobs(3)
    evaluator = stage("k_max=4", "references=3")
    from experiments.evaluator.k_methods import trial

    def fail(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trial.Trial, "run", fail)
        with pytest.raises(KeyboardInterrupt):
            evaluator.evaluate(ctx=Context.plain(store).with_input("x"), reduced=points)
    drawn = [key for key in store.computed if key.startswith("reference-")]
    again = Store(store.root)
    findings = evaluator.evaluate(ctx=Context.plain(again).with_input("x"), reduced=points)
    assert drawn
    assert set(drawn) <= set(again.reused)
    fresh = Store(store.root.parent / "other")
    whole = evaluator.evaluate(ctx=Context.plain(fresh).with_input("x"), reduced=points)
    assert findings.tables["k_selection"].equals(whole.tables["k_selection"])
    shutil.rmtree(fresh.root)


def test_the_number_of_threads_changes_nothing(tmp_path):
    tables = []
    for threads in (1, 3):
        ctx = replace(Context.plain(Store(tmp_path / str(threads))), threads=threads).with_input("x")
        tables.append(stage("k_max=4").evaluate(ctx=ctx, reduced=blobs(3)).tables["k_selection"])
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize("breath", [16, 0])
def test_references_are_fitted_as_well_as_the_points(ctx, breath):
    """Worse fits would raise the gap: three starts without breathing are 1 % worse here."""
    chosen = stage("k_max=8", "references=4")
    (kmeans,) = chosen.clusterers.values()
    kmeans = replace(kmeans, breath=breath)
    points = np.random.default_rng(0).normal(size=(120, 30)).astype(np.float32)
    box = Box.around(points)
    squares = []
    for settings in (chosen.reference_settings(kmeans), {}, chosen.light):
        fits = tuple(lighter(kmeans, k, settings) for k in chosen.ks)
        squares.append(
            np.exp([Reference(fits, number, 0).run(box, 120, ctx.with_input("x")) for number in range(4)])
        )
    reference, whole, light = squares
    assert reference.mean() == pytest.approx(whole.mean(), rel=1e-3)
    assert breath == 0 or light.mean() > 1.005 * whole.mean()


def test_light_settings_are_those_that_the_clusterer_has():
    (kmeans,) = stage().clusterers.values()
    light = lighter(kmeans, 3, stage().light)
    assert (light.k, light.n_redo, light.breath) == (3, 3, 0)
    assert lighter(kmeans, 3, {}) == replace(kmeans, k=3)
    assert stage()._light() == "n_redo=3, breath=0, tolerance=0.0001"


def zeros_and_lengths(zeros):
    """Return rows of three directions and any length; the first `zeros` are zero."""
    points = np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32) + np.repeat(
        np.eye(3, dtype=np.float32) * 9, 40, axis=0
    )
    points[:zeros] = 0
    return points


def test_spherical_clusters_need_rows_of_length_one(ctx):
    quick = stage("k_max=5", "references=3", cluster="spherical_kmeans")
    with pytest.raises(ValueError) as error:
        quick.evaluate(ctx=ctx.with_input("raw"), reduced=zeros_and_lengths(0))
    says(error, key="SphericalKMeans", use="reducer=l2")
    with pytest.raises(ValueError) as error:
        quick.evaluate(ctx=ctx.with_input("zero"), reduced=zeros_and_lengths(4))
    assert numbers(says(error, key="SphericalKMeans", use="cluster=faiss_kmeans")) == ["4", "120"]
    assert not [key for key in ctx.store.computed if key.startswith("trial-")]
    points = zeros_and_lengths(0)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert quick.evaluate(ctx=ctx.with_input("unit"), reduced=points).metrics["k_silhouette"] == 3


@dataclass(frozen=True)
class Picky:
    """k-means that accepts at most `most` points, and no repeated ones."""

    k: int
    most: int

    def check(self, n):
        if n > self.most:
            raise ValueError(f"cluster=picky accepts {self.most} points, not {n}; use fewer")

    def fit(self, reduced, ctx):
        if len(np.unique(reduced, axis=0)) < len(reduced):
            raise ValueError("cluster=picky got a repeated row")
        return SklearnKMeans(self.k, 1, 100, 1e-4, 0).fit(reduced, ctx)


def picky(most):
    return replace(stage("k_max=5", "references=2"), clusterers={"chosen": Picky(5, most)})


def test_if_a_bootstrap_sample_cannot_be_clustered_its_metric_is_missing(ctx, caplog):
    findings = picky(10**6).evaluate(ctx=ctx.with_input("blobs"), reduced=blobs(3))
    assert "k_stability_bootstrap" not in findings.metrics
    assert findings.metrics["k_silhouette"] == 3
    assert findings.tables["k_selection"]["stability_bootstrap"].isna().all()
    says(caplog.text, key="stability_bootstrap of k=3", use="cluster=picky")


@pytest.mark.parametrize(("most", "workers"), [(359, 1), (360, 2)])
def test_fits_run_in_parallel_only_if_they_fit_in_memory(ctx, monkeypatch, most, workers):
    worker_counts = []

    def run_in_threads(functions, workers, done):
        worker_counts.append(workers)
        return parallel.run_in_threads(functions, workers, done)

    monkeypatch.setattr(k_selection, "run_in_threads", run_in_threads)
    findings = picky(most).evaluate(ctx=ctx.with_input("blobs"), reduced=blobs(3))
    assert worker_counts == [workers]
    assert findings.metrics["k_silhouette"] == 3


def test_the_clusterer_checks_the_number_of_samples():
    picky(60).check(vector_samples(60))
    with pytest.raises(ValueError) as error:
        picky(60).check(vector_samples(61))
    says(error, key="cluster=picky", use="61")


@pytest.mark.parametrize(
    ("settings", "key", "use"),
    [
        (["k_min=0"], "k_min=0", "1 or more"),
        (["k_min=7"], "k_max=7", "k_min=7"),
        (["values=[5,2]"], "values=[5, 2]", "[2,5,10,20,50]"),
        (["references=0"], "references=0", "1 or more"),
        (["within=1"], "within=1.0", "0 to 1"),
    ],
)
def test_invalid_settings_are_refused(settings, key, use):
    with pytest.raises(ValueError) as error:
        stage(*settings)
    says(error, key=f"evaluator.k_selection.{key}", use=use)


def test_two_clusterers_are_refused():
    cfg = compose.compose_config(
        ["evaluator=[k_selection]", "+evaluator.k_selection.clusterers.b=${cluster}"]
    )
    with pytest.raises(ValueError) as error:
        build(cfg)
    says(error, key="clusterers", use="{chosen: ${cluster}}")


def test_a_clusterer_without_k_is_refused_with_advice():
    with pytest.raises(ValueError) as error:
        stage(cluster="dbscan")
    says(error, key="evaluator.k_selection.clusterers.chosen=Dbscan", use="cluster=faiss_kmeans")


def test_more_clusters_than_samples_are_refused(store):
    with pytest.raises(ValueError) as error:
        run(store, "evaluator.k_selection.k_max=201")
    assert numbers(says(error, key="evaluator.k_selection.k_max", use="200")) == ["201", "200", "200"]
