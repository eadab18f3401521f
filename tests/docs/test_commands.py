"""Commands of documents are composed and checked, so that what a reader types is understood."""

import importlib
import re

import pytest
from tests.docs.documents import ROOT, Command, commands, settings

from experiments import script
from experiments.config import command_line, compose
from experiments.recorded.samples import split_data_paths

pytestmark = pytest.mark.slow

COMMANDS = commands()
OURS = "mine"  # the folder of docs/extend, whose commands test_examples.py executes
HYDRA = ("hydra", "hydra/launcher")
PLACEHOLDERS = ("", "…", "<option>", "<name>", "mine")
TRAPS = "docs/traps.md"  # which has mistakes on purpose
PIP = ("pip", "install", "-e", ".")


def words_after(command: Command, program: str) -> list[str]:
    words = command.words
    return words[words.index(program) + 1 :]


def named(kind: str) -> list[Command]:
    return [command for command in COMMANDS if kind in command.text and OURS not in command.words]


@pytest.mark.parametrize("command", named("run.py "), ids=lambda command: command.text[:60])
def test_run_py_composes_it(command: Command) -> None:
    words = [
        word.replace("range(10)", "range(2)") for word in words_after(command, "run.py")
    ]  # as good, and faster
    if words in (["--help"], ["--cfg", "job"]):
        return
    request = command_line.parse_request(command_line.parse_arguments(words))
    assert request.multirun == ("-m" in words or len(request.jobs) > 1), "a sweep needs -m or a preset's list"


@pytest.mark.parametrize("command", named("scripts/"), ids=lambda command: command.text[:60])
def test_a_script_parses_it(command: Command) -> None:
    path = next(word for word in command.words if word.startswith("scripts/"))
    assert (ROOT / path).exists()
    words = words_after(command, path)
    if path.startswith("scripts/make/") or words == ["--help"]:
        return
    program = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    rest, typed = script.separated(words)
    program.parser().parse_args(rest)
    if path == "scripts/compare.py":  # of two configurations, whose keys a sweep has
        assert len(typed) + len(rest) == 3
    else:
        script.plan(split_data_paths(typed)[1])


def test_other_commands_name_what_is_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for command in COMMANDS:
        first, *rest = command.words
        if first == "make":
            assert rest[0] in targets, command
        elif first == "sh":
            assert (ROOT / rest[0]).exists(), command
        elif first == "pip":
            assert tuple(command.words) == PIP, command
        else:
            assert rest[0].startswith(("run.py", "scripts/", "benchmarks/", OURS, "-m")), command


def test_settings_in_the_text_exist() -> None:
    keys = {*compose.known_keys(), *compose.flatten(compose.without_hydra(compose.compose_config([])))}
    groups = [path.name for path in compose.CONF.iterdir() if path.is_dir()]
    wrong = []
    for document, setting in settings():
        key, _, value = setting.partition("=")
        if key in groups:
            options = {*compose.options(key), *PLACEHOLDERS}
            known = set(value.strip("[]").split(",")) <= options
        else:
            known = key.startswith(HYDRA) or any(f"{other}.".startswith(f"{key}.") for other in keys)
        if not known and document != TRAPS:
            wrong.append((document, setting))
    assert wrong == []


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) > 80
