"""Links of documents lead to a file that is there, and to a heading of it."""

import re

import pytest
from tests.docs.documents import LINK, ROOT, anchors, texts, without_code

PATH = re.compile(r"`((?:src|conf|tests|scripts|docs|benchmarks|mlflow)/[\w./-]+)`")
MADE = ("mlflow/mlflow.db", "mlflow/artifacts")  # by the first run
MOST = 300_000  # bytes of a picture


@pytest.mark.parametrize("name", texts())
def test_links_lead_to_something(name: str) -> None:
    dead = []
    for link in LINK.findall(without_code(texts()[name])):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (ROOT / name).parent / path if path else ROOT / name
        known = not anchor or (target.suffix == ".md" and anchor in anchors(target.read_text("utf-8")))
        if not (target.exists() and known):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("name", texts())
def test_paths_in_the_text_exist(name: str) -> None:
    paths = [path for path in PATH.findall(texts()[name]) if not path.startswith(MADE)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in texts():
            continue
        reached.add(name)
        links = [link.partition("#")[0] for link in LINK.findall(texts()[name])]
        paths = [((ROOT / name).parent / link).resolve() for link in links if link and ":" not in link]
        waiting += [path.relative_to(ROOT).as_posix() for path in paths if path.is_relative_to(ROOT)]
    assert sorted(set(texts()) - reached) == []


def test_pictures_are_small_and_shown() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > MOST] == []
    shown = "".join(texts().values())
    assert [path.name for path in pictures if path.name not in shown] == []
