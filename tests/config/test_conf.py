"""Every option in conf/ composes, fits the schema of its class, and has the name of its module."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from omegaconf import DictConfig

from experiments.config import command_line, compose, stage
from experiments.config.build import build

pytestmark = pytest.mark.slow

GROUPS = (*stage.GROUPS, "evaluator")
OPTIONS = [(group, name) for group in GROUPS for name in compose.options(group)]
ALIASES = {"patternmind": "image_folder"}
EXPERIMENTS = compose.options("experiment")
STANDS_FOR = {"<eps>": "2", "...": "dataset=digits"}  # what a person puts there; others are paths


@cache
def composed(position: int) -> DictConfig:
    """Compose the option at this position of each group, and all evaluators, as a composition takes 0.2 s."""
    options = {group: compose.options(group) for group in stage.GROUPS}
    words = [f"{group}={names[position % len(names)]}" for group, names in options.items()]
    return compose.compose_config([*words, f"evaluator=[{','.join(compose.options('evaluator'))}]"])


def built(group: str, name: str) -> object:
    if group == "evaluator":
        return stage.build_stage(group, composed(0).evaluator[name])
    return stage.build_stage(group, composed(compose.options(group).index(name))[group])


def commands() -> Iterator[tuple[str, str]]:
    """Yield the file and the command of each command in a comment of conf/."""
    for group in (*GROUPS, "experiment"):
        for name in compose.options(group):
            for line in (compose.CONF / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines():
                if line.startswith("#"):
                    for command in line.split("python run.py")[1:]:
                        yield f"{group}/{name}", command.partition(" # ")[0].strip()


@pytest.mark.parametrize(("where", "command"), list(commands()))
def test_a_command_in_a_comment_can_be_typed(where: str, command: str, tmp_path: Path) -> None:
    for shown, typed in STANDS_FOR.items():
        command = command.replace(shown, typed)
    (tmp_path / "weights.pth").touch()
    command = re.sub(r"(?<==)\w+\.pth", str(tmp_path / "weights.pth"), command)
    words = shlex.split(re.sub("<[^>]*>", str(tmp_path), command))
    assert command_line.parse_request(command_line.parse_arguments(words)).plans


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_an_option_builds_its_namesake(group: str, name: str) -> None:
    package, module = type(built(group, name)).__module__.rsplit(".", 1)
    assert package == f"experiments.{group}"
    assert ALIASES.get(name, name) == module or name.startswith(f"{module}_")


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_an_option_says_how_to_use_it(group: str, name: str) -> None:
    lines = (compose.CONF / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("# ") and "@package" not in line]
    assert any("python run.py" in line for line in comments)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_builds_and_says_what_it_costs(name: str) -> None:
    build(compose.compose_config([f"experiment={name}"]))
    text = (compose.CONF / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    assert f"python run.py experiment={name}" in text
    assert re.search(r"\d+ (s|min)", text)


def test_there_are_options_of_every_group() -> None:
    assert {group for group, _ in OPTIONS} == set(GROUPS)
    assert EXPERIMENTS


def test_every_module_of_a_stage_has_its_option() -> None:
    for group in GROUPS:
        folder = Path(stage.__file__).parents[1] / group
        for path in folder.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            work = r"^    def (load|fit|evaluate)\(self, (ctx|samples|embeddings|reduced|\*)"
            if re.search(work, text, re.M) and "@abstractmethod" not in text:
                names = [name for name in compose.options(group) if name.startswith(path.stem)]
                assert names, f"{path} has no YAML"
                assert path.parent == folder, f"{path} is a stage among the parts of stages"
