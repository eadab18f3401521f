"""README.md and CONTRIBUTING.md are short."""

from tests.docs.documents import texts


def test_the_readme_and_contributing_are_short() -> None:
    assert texts()["README.md"].count("\n") <= 130
    assert texts()["CONTRIBUTING.md"].count("\n") <= 40
