"""What is printed can be typed: the shell, Hydra and OmegaConf give the text back."""

import shlex

import pytest
from omegaconf import OmegaConf

from experiments.config import commands, compose
from experiments.messages import command, setting

EVIL = [
    "my photos", " led", "trailed ", "it's", 'say "no"', '"\'', "back\\slash", "end\\", "end\\\\", 'a\\"b',
    "C:\\", "a$b", "$HOME", "${HOME}", "a${b}c", "${seed}", "a\\${b}", "a${b}\\", "${open", "100%", "a;b",
    "a*b", "what?", "{a}", "{a:1}", "a:b", "a: b", "фото", "猫", "é", "-dash", "--help", "~", "~/photos",
    "1e3", "1_000", "0x10", "007", "1.50", "-1", "null", "true", "False", "nan", "inf", "a=b", "a,b",
    "a, b", "my (photos)", "(", ")", "f(x)", "choice(a,b)", "glob(*)", "range(1,3)", "[a]", "[", "a]b",
    "a#b", "#", "a & b", "|", "<a>", "`a`", "!", "^", "+a", "@a", "a@b", "", "\ttab", "line\nbreak", "..",
    "../up", "./here", ".hidden", ".5", "/", "/a/b.csv", "/1/2", "sqlite:////a/b.db",
    "http://localhost:5000",
]  # fmt: skip


@pytest.mark.parametrize("value", EVIL)
def test_a_printed_setting_is_read_back_as_it_was(value: str) -> None:
    (word,) = shlex.split(setting("dataset.root", value))
    (override,) = compose.parse([word])
    cfg = OmegaConf.create({"seed": 0, "root": override.value()})
    assert (override.key_or_group, cfg.root) == ("dataset.root", value)
    assert not override.is_sweep_override()


def test_a_printed_list_is_read_back_as_it_was() -> None:
    (word,) = shlex.split(setting("dataset.exclude", EVIL))
    (override,) = compose.parse([word])
    assert list(OmegaConf.create({"seed": 0, "all": override.value()}).all) == EVIL


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("/data/photos", "key=/data/photos"),
        ("my photos", "'key=\"my photos\"'"),
        ("sqlite:////a/b.db", "key=sqlite:////a/b.db"),
        ("it's", "'key=\"it'\"'\"'s\"'"),
        (["a", "b c"], "'key=[a,\"b c\"]'"),
    ],
)
def test_only_what_needs_them_has_quotes(value: str | list[str], typed: str) -> None:
    assert setting("key", value) == typed


@pytest.mark.parametrize("value", EVIL)
def test_a_printed_command_is_read_back_as_it_was(value: str) -> None:
    assert shlex.split(command("python", value)) == ["python", value] or value == "<a>"


@pytest.mark.parametrize("folder", EVIL)
def test_a_printed_script_finds_the_store_again(folder: str) -> None:
    uri = f"sqlite:////{folder}/a.db"
    *words, last = shlex.split(commands.script_command("verify.py", "abc", uri=uri))
    assert words == ["python", "scripts/verify.py", "abc"]
    assert OmegaConf.create({"uri": compose.parse([last])[0].value()}).uri == uri


def test_a_gap_to_be_filled_in_stays_readable() -> None:
    assert command("assign.py", "a b", "<new images>") == "assign.py 'a b' <new images>"
