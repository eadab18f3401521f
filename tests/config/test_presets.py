"""A preset works with other options than its own; settings that do not apply are removed."""

import sys
from pathlib import Path

import hydra
import pytest
from omegaconf import DictConfig
from tests.messages import says

from experiments.config import command_line, compose
from experiments.config.invocation import Invocation
from experiments.job import composed
from experiments.job.perform import Job

pytestmark = pytest.mark.slow

FEWER = ("evaluator=[internal]", "cluster=dbscan")
OTHERS = ("evaluator=[external]", "backbone=pixels", "cluster=gmm", "reducer=l2", "dataset=digits")


STUDIED = {"n_components": 50, "standardize": True, "whiten": False}  # PCA of the published studies
REDUCERS = {
    "caltech101": ("pca", STUDIED),
    "clip_density": ("umap", {"n_components": 15, "n_neighbors": 15, "metric": "cosine", "min_dist": 0.1}),
    "digits_seeds": ("pca", STUDIED),
    "embeddings_csv": ("identity", {}),
    "patternmind": ("pca", STUDIED),
    "patternmind_resnet50": ("pca", STUDIED),
    "photos": ("neighbours", {"n_components": 128, "n_neighbors": 10}),
    "resnet_k_selection": ("pca", STUDIED),
    "tabular_labels": ("standardize", {}),
}


def read(*words: str) -> command_line.Request:
    return command_line.parse_request(command_line.parse_arguments(words))


@pytest.mark.parametrize("name", compose.options("experiment"))
@pytest.mark.parametrize("chosen", [FEWER, OTHERS], ids=["fewer", "others"])
def test_a_preset_works_with_other_options(name: str, chosen: tuple[str, ...]) -> None:
    request = read(f"experiment={name}", *chosen)
    for plan in request.plans:
        assert list(plan.stages.evaluators) == [chosen[0].partition("[")[2].rstrip("]")]
        assert type(plan.stages.cluster).__name__ == ("Dbscan" if chosen is FEWER else "Gmm")
    swept = {key for key in request.swept if key.startswith("cluster.")}
    assert swept <= ({"cluster.k"} if chosen is OTHERS else set())


@pytest.mark.parametrize("name", compose.options("experiment"))
@pytest.mark.parametrize("typed", [[], ["backbone=efficientnet_lite0"]], ids=["as it is", "other backbone"])
def test_a_preset_keeps_its_reducer(name: str, typed: list[str]) -> None:
    cfg = compose.compose_config([f"experiment={name}", *typed], hydra=True)
    option, settings = REDUCERS[name]
    assert cfg.hydra.runtime.choices.reducer == option
    assert cfg.reducer.items() >= settings.items()


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        (["backbone=efficientnet_lite0"], "neighbours"),
        (["backbone=resnet50"], "neighbours"),
        (["backbone=dinov2"], "neighbours"),
        (["backbone=clip"], "neighbours"),
        (["backbone=clip", "reducer=pca"], "pca"),
        (["reducer.steps=[l2,pca]", "backbone=clip"], "chain"),
        (["dataset=table", "backbone=resnet50"], "standardize"),
        (["dataset=embeddings"], "pca"),
        (["backbone=pixels"], "pca"),
        ([], "pca"),
    ],
)
def test_a_pretrained_backbone_chooses_a_reducer_unless_another_is_typed(
    typed: list[str], option: str
) -> None:
    assert compose.compose_config(typed, hydra=True).hydra.runtime.choices.reducer == option


def test_what_is_left_out_is_named(caplog: pytest.LogCaptureFixture) -> None:
    cfg = compose.compose_config(["experiment=tabular_labels", *FEWER])
    assert "n_init" not in cfg.cluster
    assert list(cfg.evaluator) == ["internal"]
    assert (cfg.seed, cfg.dataset.labels.match) == (42, "digits"), "what has its option stays"
    for left_out in ("cluster.k", "cluster.n_init", "evaluator.maps.files.pca"):
        says(caplog.text, key="experiment=tabular_labels", use=f" {left_out},")


@pytest.mark.parametrize(
    ("typed", "key", "use"),
    [
        ("evaluator.k_selection.k_max=9", "evaluator.k_selection.k_max", "~evaluator.k_selection"),
        ("+cluster.k=3", "cluster.k", "cluster=faiss_kmeans"),
    ],
)
def test_what_was_typed_is_not_left_out(typed: str, key: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        read("experiment=resnet_k_selection", *FEWER, typed)
    says(error, key=key, use=use)


def test_the_jobs_are_what_was_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hydra composes each job again with all settings of the preset."""
    request, stages = read("experiment=caltech101", *FEWER, "seed=1,2"), []

    def job(cfg: DictConfig) -> None:
        stages.append(composed.build_plan(cfg, Job(), Invocation(typed=())).stages)

    monkeypatch.setattr(
        sys, "argv", ["run.py", "-m", *request.hydra_overrides, f"hydra.sweep.dir={tmp_path}"]
    )
    hydra.main(version_base="1.3", config_path=str(compose.CONF), config_name="config")(job)()
    assert stages == [plan.stages for plan in request.plans]
