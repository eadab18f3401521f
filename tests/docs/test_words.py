"""Documents are written in the words of docs/style.md."""

import re

import pytest
from tests.docs.documents import texts, without_code

PHRASES = re.compile(
    r"\b(tell whether|say wh(at|ere|ether)|give what|what (is|was) (found|told|kept|given)|beside|dear)\b",
    re.IGNORECASE,
)
WRITTEN = [name for name in texts() if not name.startswith("docs/stages/")]


@pytest.mark.parametrize("name", WRITTEN)
def test_no_phrase_that_has_to_be_read_twice(name: str) -> None:
    sentences = without_code(texts()[name])
    assert [match[0] for match in PHRASES.finditer(sentences)] == []


def test_the_readme_is_short() -> None:
    assert texts()["README.md"].count("\n") <= 130
    assert texts()["CONTRIBUTING.md"].count("\n") <= 40
