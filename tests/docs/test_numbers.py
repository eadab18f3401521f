"""Every metric that a document states is a claim, which scripts/reproduce.py holds against a run."""

import re

import pytest
from tests.docs.documents import texts, without_code

from experiments.metrics import CATALOGUE
from experiments.sweep import claims

TIMES = re.compile(r"\b\d+(?:[.,]\d+)? ?(?:s|min|h|minutes|seconds|hours)\b")
DATED = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December) 20\d\d"
)
NAMES = "|".join(name for name in CATALOGUE if "{" not in name)
METRIC = re.compile(rf"\b({NAMES})\b[`:= ]{{0,3}}(?:of |is |was )?(0?\.\d+)", re.IGNORECASE)


def claimed(study: str, source: str) -> dict[tuple[object, str], float]:
    """Return what a study claims of a document, by k and metric."""
    known = claims.read_study(study)
    tables = [name for name, about in known.about().items() if about.source == source]
    rows = [claim for name in tables for claim in known.claims()[name]]
    assert all(claim.claimed for claim in rows)
    return {(claim.job.get("cluster.k"), claim.metric): claim.published for claim in rows}


def table(lines: list[str], edge: str) -> dict[tuple[object, str], float]:
    """Return the numbers of a table whose first column is k, by k and metric."""
    head, *rows = [[cell.strip() for cell in line.strip(f"{edge}┃").split(edge)] for line in lines]
    return {
        (int(cells[0]), name): float(cell)
        for cells in rows
        for name, cell in zip(head[1:], cells[1:], strict=True)
    }


def test_the_readme_shows_what_is_claimed() -> None:
    lines = texts()["README.md"].replace("┃", "│").splitlines()
    shown = table([line for line in lines if line.startswith("│")], "│")
    assert shown == claimed("readme", "README.md")


def test_the_benchmarks_on_photographs_are_claimed() -> None:
    lines = texts()["docs/benchmarks.md"].partition("## Real photographs")[2].splitlines()
    rows = [line for line in lines if line.startswith("|") and not line.startswith("|---")]
    assert table(rows, "|") == claimed("caltech101", "docs/benchmarks.md")


def test_both_protocols_are_claimed() -> None:
    lines = [line for line in texts()["docs/leakage.md"].splitlines() if re.match(r"\| \d+x\d+", line)]
    shown = [float(text) for line in lines for text in re.findall(r"([\d.]+) %", line)]
    studies = [claims.read_study(name).claims() for name in ("caltech101", "caltech101_seeds")]
    rows = [*studies[0]["probe"], *studies[1]["trained"], *studies[1]["untrained"]]
    assert shown == [claim.published for claim in rows]
    assert all(claim.claimed for claim in rows)


@pytest.mark.parametrize("name", [name for name in texts() if not name.startswith("docs/stages/")])
def test_no_metric_is_stated_in_a_sentence(name: str) -> None:
    assert METRIC.findall(without_code(texts()[name])) == [], "put it into conf/claims and a table"


def test_documents_with_times_say_when_they_were_measured() -> None:
    timed = {name for name, text in texts().items() if TIMES.search(without_code(text))}
    written = {name for name in timed if not name.startswith(("docs/stages/", "CHANGELOG"))}
    assert "docs/benchmarks.md" in written
    undated = {name for name in written if not DATED.search(texts()[name])}
    assert undated <= {"docs/tutorial.md"}, "a tutorial's ten minutes are the reader's"
