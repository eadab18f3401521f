"""Plain English: a few phrases and names that this project once used for many things, and uses no more."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ["src", "scripts", "tests", "benchmarks", "conf", "docs"]
PHRASES = re.compile(
    r"\bTell whether\b|\bSay (what|where|whether)\b|\bGive what\b"
    r"|\bwhat (is|was) (found|told|kept|given)\b|\bbeside\b|\bdear\b"
    r"|\b(file|name) endings?\b|\busual name of\b",
    re.IGNORECASE,
)
NAMES = {"found", "told", "held", "place", "places", "one", "each"}
NAME = re.compile(rf"\b({'|'.join(sorted(NAMES))})\b(?= *[=:,)]| in )")  # where a name may be bound
QUOTING = {Path(__file__), ROOT / "docs" / "style.md"}
FILES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".md", ".yaml", ".html", ".js"} and path not in QUOTING
] + [ROOT / "run.py", ROOT / "mlflow" / "serve.sh", *sorted(ROOT.glob("*.md"))]


def phrases(path: Path) -> Iterator[str]:
    """Find phrases to replace in the texts of Python, and anywhere in other files."""
    text = path.read_text(encoding="utf-8")
    if not PHRASES.search(" ".join(text.split())):
        return
    if path.suffix != ".py":
        lines = enumerate(text.splitlines(), 1)
    else:
        nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
        strings = [(node.lineno, node.value) for node in nodes if isinstance(node.value, str)]
        comments = [(n, line.partition("#")[2]) for n, line in enumerate(text.splitlines(), 1)]
        lines = iter(strings + comments)
    for number, line in lines:
        for match in PHRASES.finditer(" ".join(line.split())):
            yield f"{path.relative_to(ROOT)}:{number}: {match.group()!r}"


def names(path: Path) -> Iterator[str]:
    """Find local variables and parameters to name by what they hold."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if NAME.search(text) else ():
        name, line = "", 0
        if isinstance(node, ast.arg):
            name, line = node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name, line = node.id, node.lineno
        if name in NAMES:
            yield f"{path.relative_to(ROOT)}:{line}: {name}"


@pytest.mark.parametrize("folder", [*FOLDERS, "."])
def test_texts_and_names_are_plain(folder: str) -> None:
    files = [path for path in FILES if (path.relative_to(ROOT).parts[:-1] or (".",))[0] == folder]
    assert files
    unclear = [line for path in files for line in phrases(path)]
    unclear += [line for path in files if path.suffix == ".py" for line in names(path)]
    assert not unclear, f"see docs/style.md for better words:\n{chr(10).join(unclear)}"
