"""The choice of k against data whose answer is known, and what it keeps."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from experiments import compose, config, pipeline
from experiments.cache import Store
from experiments.evaluator.gap import Box, first, gap, spread
from experiments.evaluator.knee import knee
from experiments.evaluator.stability import agreement
from experiments.evaluator.trial import lighter
from experiments.evaluator.verdicts import METHODS, Verdict, sentence
from experiments.types import Context

CORNERS = {
    3: [[0, 0, 0], [10, 0, 0], [5, 8.66, 0]],
    4: [[0, 0, 0], [10, 0, 0], [0, 10, 0], [10, 10, 0]],
    5: [[0, 0, 0], [10, 0, 0], [0, 10, 0], [10, 10, 0], [5, 5, 7]],
}
QUICK = ["k_max=7", "references=10", "seeds=3", "bootstraps=3"]


def stage(*settings, cluster="faiss_kmeans"):
    chosen = [f"evaluator.k_selection.{setting}" for setting in (*QUICK, *settings)]
    cfg = compose.compose_config(["evaluator=[k_selection]", f"cluster={cluster}", *chosen])
    return config.build(cfg).stages.evaluators["k_selection"]


def blobs(k):
    rng = np.random.default_rng(k)
    centres = np.repeat(np.array(CORNERS[k], float), 60, axis=0)
    return (centres + rng.normal(size=centres.shape)).astype(np.float32)


@pytest.mark.parametrize("k", CORNERS)
def test_every_method_finds_groups_that_lie_apart(ctx, k):
    found = stage().evaluate(ctx=ctx.on("blobs"), reduced=blobs(k))
    assert found.metrics == {f"k_{method}": k for method in METHODS}
    assert found.tables["k_agreement"]["verdict"][0] == f"k={k} by 8 of 8 methods"
    assert found.tables["k_selection"]["k"].tolist() == list(range(1, 8))
    assert set(found.figures) == {
        "k_elbow", "k_silhouette", "k_gap", "k_stability", "k_calinski_harabasz", "k_davies_bouldin",
        "k_verdicts",
    }  # fmt: skip


@pytest.mark.parametrize("cluster", ["sklearn_kmeans", "agglomerative", "gmm"])
def test_any_clusterer_with_a_k_can_be_tried(ctx, cluster):
    found = stage("k_max=5", "references=5", cluster=cluster).evaluate(ctx=ctx.on("blobs"), reduced=blobs(3))
    told = dict(zip(found.tables["k_verdicts"]["method"], found.tables["k_verdicts"]["k"], strict=True))
    seeds = told.pop("stability_seeds")
    assert set(told.values()) == {3}
    assert cluster == "agglomerative" or seeds == 3  # it draws nothing, so no seeds can disagree


def test_the_gap_says_one_where_there_are_no_groups(ctx):
    rng = np.random.default_rng(0)
    even = rng.uniform(size=(200, 10))  # as in the paper's own simulation of none
    normal = rng.normal(size=(400, 3)) * [4, 2, 1]
    for name, points in {"even": even, "normal": normal}.items():
        found = stage().evaluate(ctx=ctx.on(name), reduced=points.astype(np.float32))
        assert found.metrics["k_gap"] == 1, name
        assert "gap 1" in found.tables["k_agreement"]["verdict"][0]  # the others know no such answer


def test_equal_points_are_told_and_not_judged(ctx):
    found = stage("k_max=3").evaluate(ctx=ctx.on("equal"), reduced=np.ones((30, 2), np.float32))
    assert "k_silhouette" not in found.metrics
    assert found.tables["k_selection"]["gap"].isna().all()
    assert found.tables["k_agreement"]["verdict"][0] == "no method finds a k"


def test_the_knee_is_where_the_curve_bends():
    x = np.arange(1.0, 11)
    assert knee(x, np.array([100, 60, 30, 8, 7, 6, 5, 4, 3, 2.0])) == 3
    assert knee(x, 10 - x) is None
    assert knee(x, np.full(10, 3.0)) is None
    assert knee(x[:2], x[:2]) is None


def test_the_gap_rule_is_the_published_one_and_not_the_maximum():
    gaps, widths = np.array([0.1, 0.5, 0.52, 0.9]), np.array([0.1, 0.1, 0.05, 0.1])
    assert first(gaps, widths) == 1
    assert first(np.array([0.1, 0.5, 0.9]), np.full(3, 0.01)) is None
    references = np.array([[4.0, 3.0], [6.0, 3.0]])
    found, s = gap(np.array([3.0, 1.0]), references)
    assert found.tolist() == [2, 2]
    assert s.tolist() == [pytest.approx(np.sqrt(1.5)), 0]


def test_references_fill_the_box_along_the_principal_axes():
    rng = np.random.default_rng(1)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    points = (rng.uniform(size=(4000, 2)) * [10, 1] @ turn + [50, -20]).astype(np.float32)
    drawn = Box.around(points).draw(4000, (0, 1))
    assert drawn.dtype == np.float32
    assert drawn.mean(axis=0) == pytest.approx(points.mean(axis=0), abs=0.2)
    assert np.cov(drawn.T) == pytest.approx(np.cov(points.T), abs=0.3)
    assert (Box.around(points).draw(10, (0, 1)) == drawn[:10]).all()


def test_references_of_directions_are_directions():
    points = np.random.default_rng(1).normal(size=(100, 4)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert np.linalg.norm(Box.around(points).draw(50, (0, 0)), axis=1) == pytest.approx(1)


def test_the_spread_is_around_the_clusters_own_means():
    points = np.array([[0, 0], [2, 0], [10, 0], [10, 6]], np.float32)
    assert spread(points, np.array([0, 0, 5, 5])) == (pytest.approx(2 + 18), pytest.approx(2))
    far = points + np.float32(4096)
    assert spread(far, np.array([0, 0, 5, 5])) == (pytest.approx(20), pytest.approx(2))


def test_agreement_is_of_the_rows_that_two_have_in_common():
    rows = np.arange(6)
    halves = np.array([0, 0, 0, 1, 1, 1])
    assert agreement([(rows, halves), (rows, 1 - halves)]) == 1
    assert agreement([(rows[:4], halves[:4]), (rows[2:], 7 - halves[2:])]) == 1
    assert agreement([(rows, halves), (rows, np.array([0, 1, 0, 1, 0, 1]))]) < 0.1
    assert np.isnan(agreement([(rows, halves)]))


def test_the_sentence_names_who_disagrees():
    found = [
        Verdict("silhouette", 4, ""),
        Verdict("gap", None, ""),
        Verdict("elbow", 4, ""),
        Verdict("other", 2, ""),
    ]
    assert sentence(found) == "k=4 by 2 of 4 methods; other 2, gap none"
    assert sentence(found[:1] + found[3:]) == "k=2 or 4 by 1 of 2 methods"


OVERRIDES = [
    "backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "evaluator=[k_selection]",
    "evaluator.k_selection.k_max=4", "evaluator.k_selection.references=2", "evaluator.k_selection.seeds=2",
    "evaluator.k_selection.bootstraps=2",
]  # fmt: skip


def run(store, *overrides):
    stages = config.build(compose.compose_config([*OVERRIDES, *overrides])).stages
    return pipeline.run(stages, Context.plain(store))


def test_a_run_reads_the_clustering_that_the_choice_made_and_a_sweep_chooses_once(store):
    first_run = run(store, "cluster.k=3")
    assert first_run.seconds["cluster"] is not None
    other = run(store, "cluster.k=4")
    assert other.seconds["cluster"] is None
    assert other.seconds["k_selection"] is None
    assert other.keys == first_run.keys


def test_more_k_compute_only_the_new_ones(store):
    run(store)
    again = Store(store.root)
    run(again, "evaluator.k_selection.k_max=5")
    assert sum(key.startswith("trial-") for key in again.computed) == 1
    assert sum(key.startswith("trial-") for key in again.kept) == 4


def test_an_interrupted_choice_goes_on(store, monkeypatch):
    """What was finished before an error is not computed again."""
    points = blobs(3)
    evaluator = stage("k_max=4", "references=3")
    from experiments.evaluator import trial

    def fail(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trial.Trial, "run", fail)
        with pytest.raises(KeyboardInterrupt):
            evaluator.evaluate(ctx=Context.plain(store).on("x"), reduced=points)
    drawn = [key for key in store.computed if key.startswith("reference-")]
    again = Store(store.root)
    found = evaluator.evaluate(ctx=Context.plain(again).on("x"), reduced=points)
    assert drawn
    assert set(drawn) <= set(again.kept)
    fresh = Store(store.root.parent / "other")
    whole = evaluator.evaluate(ctx=Context.plain(fresh).on("x"), reduced=points)
    assert found.tables["k_selection"].equals(whole.tables["k_selection"])
    shutil.rmtree(fresh.root)


def test_the_number_of_threads_changes_nothing(tmp_path):
    tables = []
    for threads in (1, 3):
        ctx = replace(Context.plain(Store(tmp_path / str(threads))), threads=threads).on("x")
        tables.append(stage("k_max=4").evaluate(ctx=ctx, reduced=blobs(3)).tables["k_selection"])
    assert tables[0].equals(tables[1])


def test_light_settings_are_those_that_the_clusterer_has():
    (kmeans,) = stage().clusterers.values()
    light = lighter(kmeans, 3, stage().light)
    assert (light.k, light.n_redo, light.breath) == (3, 3, 0)
    assert lighter(kmeans, 3, {}) == replace(kmeans, k=3)
    assert stage()._light() == "n_redo=3, breath=0, tolerance=0.0001"


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        (["k_min=0"], r"evaluator\.k_selection\.k_min=0 is too few; use 1 or more"),
        (["k_min=7"], r"k_max=7 leaves nothing to choose from k_min=7"),
        (["values=[5,2]"], r"values=\[5, 2\] is no list to choose from; use two or more from 1 on, rising"),
        (["references=0"], r"references=0 is too few"),
        (["within=1"], r"within=1\.0 is no share"),
    ],
)
def test_bad_settings_say_what_to_type(settings, answer):
    with pytest.raises(ValueError, match=answer):
        stage(*settings)


def test_two_clusterers_are_refused():
    cfg = compose.compose_config(
        ["evaluator=[k_selection]", "+evaluator.k_selection.clusterers.b=${cluster}"]
    )
    with pytest.raises(ValueError, match="clusterers names chosen, b; use one"):
        config.build(cfg)


def test_a_clusterer_without_k_says_what_to_choose():
    with pytest.raises(
        ValueError, match=r"clusterers\.chosen=Dbscan has no k to choose; use a clusterer that has"
    ):
        stage(cluster="dbscan")


def test_more_clusters_than_samples_say_what_to_type(store):
    with pytest.raises(
        ValueError, match=r"k_selection\.k_max goes up to 201, more than the 200 samples; use 200"
    ):
        run(store, "evaluator.k_selection.k_max=201")
