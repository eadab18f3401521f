"""From a command line to checked jobs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments import compose, launch


def read(*overrides: str, multirun: bool = True) -> launch.Request:
    with compose.output_folder():
        return launch.read(SimpleNamespace(overrides=overrides, multirun=multirun, config_dir=None))


def ks(request: launch.Request) -> list[tuple[int, int]]:
    return [(plan.stages.cluster.k, plan.settings.seed) for plan in request.plans]  # type: ignore[attr-defined]


def test_every_job_of_a_sweep_is_built() -> None:
    request = read("cluster.k=10,50", "seed=0,1")
    assert ks(request) == [(10, 0), (10, 1), (50, 0), (50, 1)]
    assert [plan.stages.cluster.seed for plan in request.plans] == [0, 1, 0, 1]  # type: ignore[attr-defined]
    assert request.swept == ["cluster.k", "seed"]


def test_a_key_is_the_same_however_it_was_typed() -> None:
    request = read("++cluster.k=10,50")
    assert ks(request) == [(10, 0), (50, 0)]
    assert request.swept == ["cluster.k"]


def test_options_can_be_swept() -> None:
    request = read("backbone=cnn,pixels", "cluster.k=range(2,4)")
    assert [type(plan.stages.backbone).__name__ for plan in request.plans] == [
        "Cnn",
        "Cnn",
        "Pixels",
        "Pixels",
    ]
    assert [k for k, _ in ks(request)] == [2, 3, 2, 3]
    assert request.swept == ["backbone", "cluster.k"]


def test_a_preset_is_a_sweep_by_itself_and_the_command_line_wins() -> None:
    request = read("experiment=digits_seeds", "seed=7", multirun=False)
    assert request.multirun
    assert ks(request) == [(10, 7), (50, 7), (233, 7)]
    assert request.swept == ["cluster.k"]


def test_a_single_run_is_one_job() -> None:
    request = read("cluster.k=20", multirun=False)
    assert not request.multirun
    assert ks(request) == [(20, 0)]


def test_jobs_have_folders_of_their_own() -> None:
    with pytest.raises(ValueError, match=r"^hydra\.sweep\.subdir=jobs puts all 2 jobs into one folder; "):
        read("cluster.k=10,20", "hydra.sweep.subdir=jobs")
    assert len(read("cluster.k=10", "hydra.sweep.subdir=jobs").jobs) == 1
    read("cluster.k=10,20", "hydra.sweep.subdir=k${cluster.k}")


def test_the_first_bad_value_of_a_sweep_is_named() -> None:
    with pytest.raises(ValueError, match=r"cluster\.k=0 is less than one"):
        read("cluster.k=10,0")
    with pytest.raises(ValueError, match=r"backbone=cnnn is not an option.*did you mean cnn\?"):
        read("backbone=cnn,cnnn")


def test_an_optimiser_needs_its_objective() -> None:
    sweeper = ["hydra.sweeper._target_=an.Optimiser", "evaluator=[internal]"]
    with pytest.raises(ValueError, match="objective=ari is given by none of the evaluators chosen"):
        read(*sweeper)
    assert read(*sweeper, "objective=silhouette").optimiser


def test_what_cannot_be_is_found_before_the_first_job(tmp_path: Path) -> None:
    request = read("cluster.k=10,5000", "backbone=pixels", f"cache.root={tmp_path}")
    with pytest.raises(ValueError, match=r"cluster\.k=5000 exceeds the 1797 samples"):
        launch.check(request)
