"""Errors for overrides that Hydra cannot parse have advice on what to type instead."""

import pytest
from tests.messages import says

from experiments.config.overrides import parse


@pytest.mark.parametrize(
    "words",
    [
        ["'dataset.root=/data/a b'"],
        ['"dataset.root=/data/a b"'],
        ["\"dataset.root='/data/a b'\""],
        ["'dataset.root=/data/a", "b'"],
        ["dataset.root='/data/a", "b'"],
        ['dataset.root="/data/a', 'b"', "seed=0"],
    ],
)
def test_quotes_that_reach_the_program_are_answered_with_how_to_quote(words: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        parse(["seed=1", *words])
    says(error, key="/data/a b", use="type 'dataset.root=\"/data/a b\"'")


@pytest.mark.parametrize("word", ["'dataset.root=/data/a", "dataset.root='/data/a"])
def test_a_quote_that_nothing_closes_is_taken_for_a_letter(word: str) -> None:
    with pytest.raises(ValueError) as error:
        parse([word, "seed=0"])
    says(error, key=word, use="cluster.k=20" if word.startswith("'") else "if it is a text")


def test_quotes_that_hydra_reads_are_no_fault() -> None:
    values = [o.value() for o in parse(["dataset.root='a b'", 'dataset.root="a b"', "dataset.root=a b"])]
    assert values == ["a b"] * 3
