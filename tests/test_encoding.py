"""Every text file is opened with an explicit encoding, whatever the locale's default is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
TEXT = {"read_text": 0, "write_text": 1, "FileHandler": 1}  # position of the argument `encoding`
PROCESSES = ("run", "Popen", "check_output")
NOT_FILES = (
    "os",
    "Image",
    "tarfile",
    "zipfile",
    "member",
    "self",
    "tab",
    "tracker",
)  # whose `open` is another


def calls_without_encoding(tree: ast.AST) -> Iterator[int]:
    """Yield the lines of calls that read or write text in the locale's encoding."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and is_text(call):
            yield call.lineno


def is_text(call: ast.Call) -> bool:
    named = {str(keyword.arg): keyword.value for keyword in call.keywords}
    if "encoding" in named:
        return False
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in TEXT:
        return len(call.args) <= TEXT[name]
    if name in PROCESSES:
        return {"text", "universal_newlines"} & set(named) != set()
    owner = getattr(call.func, "value", None)
    if name != "open" or getattr(owner, "id", "") in NOT_FILES:
        return False
    given = call.args[0 if owner else 1 :]
    mode = given[0] if given else named.get("mode", ast.Constant("r"))
    return isinstance(mode, ast.Constant) and set(str(mode.value)) <= set("rwax+t")


@pytest.mark.parametrize("folder", ["src", "scripts", "benchmarks", "tests", "run.py"])
def test_text_files_are_opened_with_an_encoding(folder: str) -> None:
    root = REPOSITORY / folder
    for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        lines = list(calls_without_encoding(ast.parse(path.read_text(encoding="utf-8"))))
        assert not lines, f'{path.relative_to(REPOSITORY)}: encoding="utf-8" is missing in lines {lines}'


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("path.read_text(); path.write_text(text); open(path); path.open(); path.open('a')", 5),
        ("open(path, 'rb'); path.open('wb'); os.open(path, 0); tarfile.open(path); path.read_bytes()", 0),
        ("open(path, mode='w'); subprocess.run(['git'], text=True); subprocess.run(['git'])", 2),
        ("path.read_text(encoding='utf-8'); open(path, encoding='utf-8')", 0),
    ],
)
def test_the_rule_finds_calls_without_encoding(code: str, count: int) -> None:
    assert len(list(calls_without_encoding(ast.parse(code)))) == count
