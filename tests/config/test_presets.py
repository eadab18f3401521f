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
