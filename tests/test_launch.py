"""Every job is held against its data before the first one runs; Hydra is given what was checked."""

import sys
from pathlib import Path

import pytest
from tests.config.test_command_line import read
from tests.messages import says

from experiments import launch
from experiments.config.command_line import arguments
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

    launch._run_jobs(main, arguments(typed), ["seed=1,2", "cluster.k=3,4"], "hydra.sweep.dir", invocation)
    words = ["-m", "--config-dir", "mine", "seed=1,2", "cluster.k=3,4"]
    assert seen == [([*words, r'hydra.sweep.dir="/a folder/\${now:%S}"'], invocation)]
    assert Invocation.current() == Invocation()
