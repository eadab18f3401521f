"""List files over 300 lines and functions over 60: guidance, not a limit. Part of make check."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE, FUNCTION = 300, 60


def long_parts(path: Path) -> list[str]:
    """Return a line for a long file, and for each of its long functions."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    name = path.relative_to(ROOT)
    long = [f"{lines:5} lines  {name}"] if lines > FILE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION:
                long.append(f"{length:5} lines  {name}:{node.lineno} {node.name}")
    return long


def main() -> int:
    """Print the list; always succeed."""
    folders = ("src", "tests", "scripts", "benchmarks")
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    for line in [line for path in paths for line in long_parts(path)]:
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
