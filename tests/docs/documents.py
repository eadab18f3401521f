"""The Markdown files of the repository, and the blocks, commands, settings and links in them."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "stages"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:python|make|sh|pip) \S.*|\.venv/bin/python .*")
SETTING = re.compile(r"[a-z_]+(?:\.\w+)*=\S+")
FILE_BLOCK = re.compile(r"^`(mine/[\w./]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Command(NamedTuple):
    """A command as a reader types it, and the document that it is from."""

    document: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words; <placeholders> become a name, and settings of the environment are left out."""
        words = shlex.split(re.sub(r"<[^>]+>", "placeholder", self.text), comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        return words


@cache
def texts() -> dict[str, str]:
    """Return every Markdown file that is ours, by its path."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def without_code(text: str) -> str:
    """Return a document without its blocks of code."""
    return FENCE.sub("", text)


def files(name: str) -> dict[str, str]:
    """Return the files that a document shows, by the path that stands above each."""
    return dict(FILE_BLOCK.findall(texts()[name]))


def commands() -> list[Command]:
    """Return every distinct command; generated pages repeat those of conf/, which tests/config types."""
    distinct: dict[str, Command] = {}
    for name, text in texts().items():
        if not name.startswith("docs/stages/"):
            for line in _lines(text):
                distinct.setdefault(line.partition("  #")[0].strip(), Command(name, line))
    return list(distinct.values())


def _lines(text: str) -> Iterator[str]:
    for language, code in FENCE.findall(text):
        if language in ("", "sh"):
            yield from (line for line in code.replace("\\\n", " ").splitlines() if COMMAND.fullmatch(line))
    for words in INLINE.findall(without_code(text)):
        if COMMAND.fullmatch(words.replace("\n", " ")):
            yield words.replace("\n", " ")


def settings() -> list[tuple[str, str]]:
    """Return every setting between backticks, with its document."""
    documents: dict[str, str] = {}
    for name, text in texts().items():
        if not name.startswith("docs/stages/"):
            for words in INLINE.findall(without_code(text)):
                parts = words.replace("\n", " ").split(" ")
                if all(SETTING.fullmatch(part) for part in parts):
                    documents |= dict.fromkeys(parts, name)
    return sorted((name, setting) for setting, name in documents.items())


def slug(heading: str) -> str:
    """Return the anchor that a code host makes of a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of a document."""
    return {slug(heading) for heading in HEADING.findall(without_code(text))}
