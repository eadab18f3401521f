"""Every job is held against its data before the first one runs; Hydra is given what was checked."""

import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from tests.config.test_command_line import read
from tests.messages import says
from tests.project import LEAN, Project

from experiments import launch
from experiments.config.command_line import parse_arguments
from experiments.config.invocation import Invocation


def test_what_cannot_be_is_found_before_the_first_job(tmp_path: Path) -> None:
    request = read("cluster.k=10,5000", "backbone=pixels", f"cache.root={tmp_path}")
    with pytest.raises(ValueError) as error:
        launch.check(request)
    says(error, key="cluster.k=5000", use="cluster.k<=1797")


def test_hydra_is_given_the_flags_as_typed_and_the_folder_as_composed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    typed = ["seed=1,2", "-m", "--config-dir", "mine", "cluster.k=range(3,5)"]
    monkeypatch.setattr(sys, "argv", ["run.py", *typed])
    invocation, seen = Invocation(folder="/a folder/${now:%S}"), list[tuple[list[str], Invocation]]()

    def main() -> None:
        seen.append((sys.argv[1:], Invocation.current()))

    launch._run_jobs(
        main, parse_arguments(typed), ["seed=1,2", "cluster.k=3,4"], "hydra.sweep.dir", invocation
    )
    words = ["-m", "--config-dir", "mine", "seed=1,2", "cluster.k=3,4"]
    assert seen == [([*words, r'hydra.sweep.dir="/a folder/\${now:%S}"'], invocation)]
    assert Invocation.current() == Invocation()


def test_hydra_shows_settings_of_steps_as_a_run_takes_them(fresh: Project) -> None:
    shown = fresh.succeed("--cfg", "job", "reducer.steps=[l2,pca]", "reducer.pca.n_components=4")
    assert OmegaConf.create(shown).reducer.pca == {"n_components": 4}
    says(fresh.fail("--cfg", "job", "reducer.steps=l2"), key="reducer.steps=l2", use="reducer.steps=[l2]")


def test_a_sweep_over_chains_runs_a_setting_of_a_step_that_some_jobs_lack(fresh: Project) -> None:
    chains = ["reducer.steps=[l2],[l2,pca]", "reducer.pca.n_components=4"]
    fresh.succeed("-m", *chains, "dataset.limit=60", "backbone=pixels", "evaluator=[internal]", *LEAN)
    assert [run.data.params.get("reducer.pca.n_components") for run in fresh.runs()[1::-1]] == [None, "4"]
