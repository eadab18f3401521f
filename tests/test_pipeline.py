"""The story of one run, on the digits with raw pixels."""

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
    """Run in a store of its own on the same folder; name the kinds of what was computed."""
    store = Store(ctx.store.root)  # type: ignore[attr-defined]
    pipeline.run(stages(*overrides), replace(ctx, store=store))
    return {key.rpartition("-")[0] for key in store.computed}


def test_a_run_gives_everything_in_its_shape(ctx: Context) -> None:
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


def test_only_what_a_change_touches_is_computed(ctx: Context) -> None:
    assert computed(ctx) >= {"pixels", "embeddings", "pca", "reduced", "faiss_kmeans", "external", "internal"}
    assert computed(ctx) == set()
    assert computed(ctx, "cluster.k=11") == {"faiss_kmeans", "external", "internal"}
    assert "pca" in computed(ctx, "reducer.n_components=5")
    assert computed(ctx, "evaluator.internal.sample=300") == {"internal"}
    assert "embeddings" not in computed(ctx, "dataset.split_seed=7")
    assert "faiss_kmeans" in computed(ctx, "seed=1")


def counting(*metrics: str) -> Evaluator:
    """Make an evaluator of one class, version and setting, as it is before and after a commit."""

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
    chosen = stages()
    counts = [
        pipeline.run(replace(chosen, evaluators={"counting": counting(*names)}), ctx).metrics
        for names in (["ones"], ["ones", "twos"], ["twos", "ones"])
    ]
    assert counts == [{"ones": 1}, {"ones": 1, "twos": 1}, {"ones": 1, "twos": 1}]
    assert len([key for key in ctx.store.computed if key.startswith("test_pipeline")]) == 2, (
        "the order is none"
    )


def test_sweeping_the_components_decomposes_once(ctx: Context) -> None:
    computed(ctx)
    folders = {path.name for path in Path(ctx.store.root).glob("*-*")}  # type: ignore[attr-defined]
    computed(ctx, "reducer.n_components=5")
    new = {path.name for path in Path(ctx.store.root).glob("*-*")} - folders  # type: ignore[attr-defined]
    assert sum(name.startswith("pca-") for name in new) == 1, "one projection, and no decomposition"


def test_held_out_fits_the_reducer_on_training_rows_alone(ctx: Context) -> None:
    held_out = pipeline.run(stages(), ctx)
    published = pipeline.run(stages("protocol=published"), ctx)
    rows = held_out.samples.rows("training")
    assert np.abs(held_out.reduced[rows].mean(axis=0)).max() < 1e-4
    assert np.abs(held_out.reduced.mean(axis=0)).max() > 1e-3
    assert np.abs(published.reduced.mean(axis=0)).max() < 1e-4


def test_without_a_cache_the_figures_are_the_same(ctx: Context, tmp_path: Path) -> None:
    off = Context.plain(Store(tmp_path / "off", enabled=False))
    assert pipeline.run(stages(), off).metrics == pipeline.run(stages(), ctx).metrics
    assert not list((tmp_path / "off").glob("[!.]*"))
    assert len(off.store.computed) == len(set(off.store.computed)), "nothing is computed twice in one run"


@pytest.mark.parametrize(
    ("override", "use"),
    [
        ("cluster.k=401", "cluster.k<=400"),
        ("reducer.n_components=200", "reducer.n_components<=192"),
        ("backbone=identity", "backbone=cnn"),
    ],
)
def test_what_cannot_be_stops_before_anything_is_computed(ctx: Context, override: str, use: str) -> None:
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
def test_too_few_images_for_the_study_of_groups_have_one_answer(
    ctx: Context, limit: int, key: str, use: str
) -> None:
    few = ["experiment=clip_density", "dataset=digits", "backbone=pixels", "evaluator=[internal]"]
    settings = ["~evaluator.members", "~evaluator.maps", f"dataset.limit={limit}"]
    chosen = build(compose.compose_config([*few, *settings])).stages
    with pytest.raises(ValueError) as error:
        pipeline.run(chosen, ctx)
    says(error, key=key, use=use)


def test_what_follows_an_unfinished_training_is_kept_apart(ctx: Context) -> None:
    chosen = stages()
    samples = chosen.dataset.load(ctx)
    finished = pipeline.Places.of(chosen, samples, ctx)
    unfinished = pipeline.Places.of(chosen, samples, ctx, "after epoch 3")
    assert finished.embedded != unfinished.embedded
    assert finished.points.input_key != unfinished.points.input_key


BESIDE = "evaluator=[external,probe,variance,macro]"


def test_evaluators_beside_each_other_are_timed_and_kept_each_for_itself(ctx: Context) -> None:
    result = pipeline.run(stages(BESIDE), ctx)
    names = ["external", "probe", "variance", "macro"]
    assert list(result.seconds)[-4:] == list(result.findings) == names
    assert all(result.seconds[name] for name in names)
    assert computed(ctx, BESIDE) == set()
    assert computed(ctx, BESIDE, "cluster.k=11") == {"faiss_kmeans", "external"}
    assert computed(ctx, BESIDE, "evaluator.probe.C=1") == {"probe", "logistic"}
    again = pipeline.run(stages(BESIDE, "evaluator.probe.C=2"), replace(ctx, store=Store(ctx.store.root)))  # type: ignore[attr-defined]
    assert [name for name in names if again.seconds[name] is not None] == ["probe"]


def test_a_failing_evaluator_is_named_and_the_others_are_limited_no_longer(ctx: Context) -> None:
    from threadpoolctl import threadpool_info

    before = [library["num_threads"] for library in threadpool_info()]
    chosen = stages(BESIDE)

    class Broken(type(chosen.evaluators["variance"])):  # type: ignore[misc]
        def evaluate(self, **needs: object) -> None:
            raise RuntimeError("no")

    broken = Broken("held_out", (2,), (), 0)
    with pytest.raises(RuntimeError, match="no") as caught:
        pipeline.run(replace(chosen, evaluators=chosen.evaluators | {"mine": broken}), ctx)
    assert caught.value.__notes__ == ["raised by evaluator.mine"]
    assert [library["num_threads"] for library in threadpool_info()][: len(before)] == before


def test_the_probe_and_macro_share_the_fine_fit(ctx: Context) -> None:
    pipeline.run(stages(BESIDE), ctx)
    fits = [key for key in ctx.store.computed if key.startswith("logistic-")]
    assert len(fits) == len(set(fits)) == 2, "5 groups, and the classes, which are 10 groups too"


def test_a_file_left_out_is_told_anew_and_trains_nothing_again(ctx: Context) -> None:
    chosen = stages()
    samples = chosen.dataset.load(ctx)
    before = pipeline.Places.of(chosen, samples, ctx)
    after = pipeline.Places.of(chosen, replace(samples, skipped=(("a.png", "empty file"),)), ctx)
    assert before.needs["external"].input_key != after.needs["external"].input_key
    assert before.needs["internal"].input_key == after.needs["internal"].input_key
    assert (before.embedded, before.points.input_key) == (after.embedded, after.points.input_key)
