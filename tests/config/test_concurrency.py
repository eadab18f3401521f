"""The cores are divided among parallel jobs."""

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from experiments.config import command_line
from experiments.config import concurrency as share
from experiments.job import context
from experiments.sweep.state import SweepState


def hydra_of(launcher: dict[str, Any], **sweeper: Any) -> DictConfig:
    return OmegaConf.create({"launcher": launcher, "sweeper": sweeper})


JOBLIB = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
LOCAL = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"
RAY = "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher"


@pytest.mark.parametrize(
    ("launcher", "sweeper", "count", "cores", "expected"),
    [
        ({"_target_": BASIC}, {}, 9, 8, 1),
        ({"_target_": JOBLIB, "n_jobs": -1}, {}, 4, 2, 2),
        ({"_target_": JOBLIB, "n_jobs": -1}, {}, 3, 16, 3),
        ({"_target_": JOBLIB, "n_jobs": -2}, {}, 9, 4, 3),
        ({"_target_": JOBLIB, "n_jobs": -9}, {}, 9, 4, 1),
        ({"_target_": JOBLIB, "n_jobs": 8}, {}, 9, 4, 8),
        ({"_target_": JOBLIB, "n_jobs": 8}, {"max_batch_size": 2}, 9, 4, 2),
        ({"_target_": JOBLIB, "n_jobs": -1}, {"n_jobs": 2}, None, 8, 2),
        ({"_target_": LOCAL}, {}, 5, 8, 5),
        ({"_target_": RAY, "ray": {"init": {"num_cpus": None}, "remote": {}}}, {}, 9, 4, 4),
        ({"_target_": RAY, "ray": {"init": {"num_cpus": 6}, "remote": {"num_cpus": 2}}}, {}, 9, 4, 3),
    ],
)
def test_jobs_at_once(
    launcher: dict[str, Any], sweeper: dict[str, Any], count: int | None, cores: int, expected: int
) -> None:
    assert share.count_parallel_jobs(hydra_of(launcher, **sweeper), count, cores) == expected


@pytest.mark.parametrize(
    ("words", "parallel_jobs"),
    [
        (["cluster.k=3,4,5"], 1),
        (["cluster.k=3,4,5", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], 2),
        (["cluster.k=3,4,5", "hydra/launcher=joblib", "hydra.launcher.n_jobs=64"], 3),
    ],
)
def test_a_sweep_is_asked_with_its_share(words: list[str], parallel_jobs: int) -> None:
    request = command_line.parse_request(command_line.parse_arguments(["-m", *words]))
    assert (request.parallel_jobs, request.threads) == (
        parallel_jobs,
        max(1, context.cores() // parallel_jobs),
    )
    assert {plan.settings.threads for plan in request.plans} == {"auto"}, "what was asked is what it was"


def test_what_was_written_down_holds_when_a_sweep_is_resumed(tmp_path: Path) -> None:
    SweepState(["seed=3,4"], [["seed=3"], ["seed=4"]], ["a", "b"], ["seed"], threads=3).save(tmp_path)
    assert SweepState.load(tmp_path).threads == 3
    older = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    del older["threads"]
    (tmp_path / "sweep.json").write_text(json.dumps(older), encoding="utf-8")
    assert SweepState.load(tmp_path).threads == 0
