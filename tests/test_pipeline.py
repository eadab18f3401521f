"""A run of the pipeline on digits with raw pixels."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.messages import says

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.store.cache import Store
from experiments.types import Evaluator, Findings, Stages

PIXELS = ["backbone=pixels", "dataset.limit=400", "reducer.n_components=8"]


def stages(*overrides: str) -> Stages:
    return build(compose.compose_config([*PIXELS, *overrides])).stages


def computed(ctx: Context, *overrides: str) -> set[str]:
    """Run with a new store on the same folder; return the kinds of computed values."""
    store = Store(ctx.store.root)  # type: ignore[attr-defined]
    pipeline.run(stages(*overrides), replace(ctx, store=store))
    return {key.rpartition("-")[0] for key in store.computed}


def test_a_run_has_all_outputs_in_their_shapes(ctx: Context) -> None:
    result = pipeline.run(stages(), ctx)
    n = len(result.samples)
    assert n == 400
    assert result.embeddings.shape == (n, 192)
    assert result.reduced.shape == (n, 8)
    assert result.clustering.assignments.shape == (n,)
    assert {"ari", "silhouette"} <= set(result.metrics)
    assert list(result.seconds) == [
        "dataset",
        "backbone",
        "embed",
        "reduce",
        "cluster",
        "external",
        "internal",
    ]


def test_only_steps_affected_by_a_change_are_computed(ctx: Context) -> None:
    assert computed(ctx) >= {"pixels", "embeddings", "pca", "reduced", "faiss_kmeans", "external", "internal"}
    assert computed(ctx) == set()
    assert computed(ctx, "cluster.k=11") == {"faiss_kmeans", "external", "internal"}
    assert "pca" in computed(ctx, "reducer.n_components=5")
    assert computed(ctx, "evaluator.internal.sample=300") == {"internal"}
    assert "embeddings" not in computed(ctx, "dataset.split_seed=7")
    assert "faiss_kmeans" in computed(ctx, "seed=1")


def counting(*metrics: str) -> Evaluator:
    """Return an evaluator of the same class, VERSION and settings, but with other metrics."""

    @dataclass(frozen=True)
    class Counting:
        NEEDS: ClassVar[tuple[str, ...]] = ("samples",)
        LABELLED: ClassVar[bool] = False
        METRICS: ClassVar[tuple[str, ...]] = metrics
        VERSION: ClassVar[int] = 1

        check: ClassVar[Callable[..., None]] = lambda self, samples: None

        def evaluate(self, *, ctx: Context, **needs: Any) -> Findings:
            return Findings(dict.fromkeys(self.METRICS, 1.0))

    return Counting()


def test_a_new_metric_of_a_cached_evaluator_is_computed(ctx: Context) -> None:
    stages_ = stages()
    metrics_ = [
        pipeline.run(replace(stages_, evaluators={"counting": counting(*names)}), ctx).metrics
        for names in (["ones"], ["ones", "twos"], ["twos", "ones"])
    ]
    assert metrics_ == [{"ones": 1}, {"ones": 1, "twos": 1}, {"ones": 1, "twos": 1}]
    assert len([key for key in ctx.store.computed if key.startswith("test_pipeline")]) == 2, (
        "the order of METRICS does not count"
    )


def test_sweeping_the_components_decomposes_once(ctx: Context) -> None:
    computed(ctx)
    folders = {path.name for path in Path(ctx.store.root).glob("*-*")}  # type: ignore[attr-defined]
    computed(ctx, "reducer.n_components=5")
    new = {path.name for path in Path(ctx.store.root).glob("*-*")} - folders  # type: ignore[attr-defined]
    assert sum(name.startswith("pca-") for name in new) == 1, "one projection, and no decomposition"


def test_held_out_fits_the_reducer_only_on_training_rows(ctx: Context) -> None:
    held_out = pipeline.run(stages(), ctx)
    published = pipeline.run(stages("protocol=published"), ctx)
    rows = held_out.samples.rows("training")
    assert np.abs(held_out.reduced[rows].mean(axis=0)).max() < 1e-4
    assert np.abs(held_out.reduced.mean(axis=0)).max() > 1e-3
    assert np.abs(published.reduced.mean(axis=0)).max() < 1e-4


def test_without_a_cache_the_metrics_are_the_same(ctx: Context, tmp_path: Path) -> None:
    without_cache = Context.plain(Store(tmp_path / "off", enabled=False))
    assert pipeline.run(stages(), without_cache).metrics == pipeline.run(stages(), ctx).metrics
    assert not list((tmp_path / "off").glob("[!.]*"))
    assert len(without_cache.store.computed) == len(set(without_cache.store.computed)), (
        "nothing is computed twice in one run"
    )


@pytest.mark.parametrize(
    ("override", "use"),
    [
        ("cluster.k=401", "cluster.k<=400"),
        ("reducer.n_components=200", "reducer.n_components<=192"),
        ("backbone=identity", "backbone=cnn"),
    ],
)
def test_impossible_settings_fail_before_anything_is_computed(ctx: Context, override: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        pipeline.run(stages(override), ctx)
    says(error, key=override, use=use)
    assert not [key for key in ctx.store.computed if not key.startswith("digits")]


@pytest.mark.parametrize(
    ("limit", "key", "use"),
    [
        (5, "cluster=hdbscan", "cluster=agglomerative"),
        (10, "reducer.n_neighbors=15 and reducer.n_components=15", "reducer=identity"),
    ],
)
def test_too_few_images_suggest_another_option(ctx: Context, limit: int, key: str, use: str) -> None:
    few = ["experiment=clip_density", "dataset=digits", "backbone=pixels", "evaluator=[internal]"]
    settings = ["~evaluator.members", "~evaluator.maps", f"dataset.limit={limit}"]
    stages_ = build(compose.compose_config([*few, *settings])).stages
    with pytest.raises(ValueError) as error:
        pipeline.run(stages_, ctx)
    says(error, key=key, use=use)


def test_steps_after_an_unfinished_training_have_other_keys(ctx: Context) -> None:
    stages_ = stages()
    samples = stages_.dataset.load(ctx)
    finished = pipeline.StepKeys.of(stages_, samples, ctx)
    unfinished = pipeline.StepKeys.of(stages_, samples, ctx, "after epoch 3")
    assert finished.embeddings != unfinished.embeddings
    assert finished.for_cluster.input_key != unfinished.for_cluster.input_key


PARALLEL = "evaluator=[external,probe,variance,macro]"


def test_parallel_evaluators_are_timed_and_cached_separately(ctx: Context) -> None:
    result = pipeline.run(stages(PARALLEL), ctx)
    names = ["external", "probe", "variance", "macro"]
    assert list(result.seconds)[-4:] == list(result.findings) == names
    assert all(result.seconds[name] for name in names)
    assert computed(ctx, PARALLEL) == set()
    assert computed(ctx, PARALLEL, "cluster.k=11") == {"faiss_kmeans", "external"}
    assert computed(ctx, PARALLEL, "evaluator.probe.C=1") == {"probe", "logistic"}
    again = pipeline.run(stages(PARALLEL, "evaluator.probe.C=2"), replace(ctx, store=Store(ctx.store.root)))  # type: ignore[attr-defined]
    assert [name for name in names if again.seconds[name] is not None] == ["probe"]


def test_a_failing_evaluator_is_named_and_thread_limits_are_restored(ctx: Context) -> None:
    from threadpoolctl import threadpool_info

    before = [library["num_threads"] for library in threadpool_info()]
    stages_ = stages(PARALLEL)

    class Broken(type(stages_.evaluators["variance"])):  # type: ignore[misc]
        def evaluate(self, **needs: object) -> None:
            raise RuntimeError("no")

    broken = Broken("held_out", (2,), (), 0)
    with pytest.raises(RuntimeError, match="no") as caught:
        pipeline.run(replace(stages_, evaluators=stages_.evaluators | {"mine": broken}), ctx)
    assert caught.value.__notes__ == ["raised by evaluator.mine"]
    assert [library["num_threads"] for library in threadpool_info()][: len(before)] == before


def test_probe_and_macro_share_the_fit_of_the_classes(ctx: Context) -> None:
    pipeline.run(stages(PARALLEL), ctx)
    fits = [key for key in ctx.store.computed if key.startswith("logistic-")]
    assert len(fits) == len(set(fits)) == 2, "5 groups, and the classes, which are 10 groups too"


def test_a_skipped_file_changes_reports_but_no_training(ctx: Context) -> None:
    stages_ = stages()
    samples = stages_.dataset.load(ctx)
    before = pipeline.StepKeys.of(stages_, samples, ctx)
    after = pipeline.StepKeys.of(stages_, replace(samples, skipped=(("a.png", "empty file"),)), ctx)
    assert before.for_evaluators["external"].input_key != after.for_evaluators["external"].input_key
    assert before.for_evaluators["internal"].input_key == after.for_evaluators["internal"].input_key
    assert (before.embeddings, before.for_cluster.input_key) == (
        after.embeddings,
        after.for_cluster.input_key,
    )
