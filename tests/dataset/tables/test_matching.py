"""Matching of names: equal ones first, looser rules only if the match is unique."""

import unicodedata

import pytest

from experiments.dataset.tables.matching import (
    LOOSE,
    SPELLING,
    canonical_number,
    group_similar,
    match_names,
    resolve_name,
    strip_spaces,
)

NFC, NFD = (unicodedata.normalize(form, "café.png") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("names", "known", "positions"),
    [
        (["a", "b"], ["b", "a"], [1, 0]),
        ([NFC], [NFD], [0]),
        ([NFC, NFD], [NFD, NFC], [1, 0]),
        ([NFC, NFD], [NFD], [-1, 0]),
        ([" a "], ["a"], [0]),
        ([" a"], ["a", " a"], [1]),
        (["a"], ["a ", " a"], [-1]),
        (["a ", " a"], ["a"], [-1, -1]),
        (["IMG_1.PNG"], ["img_1.png"], [0]),
        (["Cat", "cat"], ["cat"], [-1, 0]),
        (["Cat"], ["cat", "CAT"], [-1]),
        (["7", "8.0", "1e3", "1,200"], ["007", "8", "1000", "1200"], [0, 1, 2, 3]),
        (["1", "001"], ["001", "1"], [1, 0]),
        (["1"], ["001", "01"], [-1]),
        (["1.50", "150"], ["150", "1.5"], [1, 0]),
        (["a\r\nb"], ["a\nb"], [0]),
        (["", "x"], ["", "x"], [0, 1]),
        (["a", "a"], ["a"], [0, 0]),
        (["x" * 5000], [f" {'x' * 5000}"], [0]),
    ],
)
def test_names_are_matched(names: list[str], known: list[str], positions: list[int]) -> None:
    assert match_names(names, known).positions.tolist() == positions


def test_what_a_rule_matched_is_counted_and_what_was_unclear_is_named() -> None:
    matches = match_names(["a", NFC, "b ", "C", "7", "d", "E"], ["a", NFD, "b", "c", "007", "e", "é", "E "])
    assert {rule: len(names) for rule, names in matches.rules.items()} == dict.fromkeys(
        ["exactly", *LOOSE], 1
    ) | {"ignoring surrounding spaces": 2}
    assert "1 as a number (such as '7')" in matches.loosely()
    assert match_names(["A"], ["a", " A"]).positions.tolist() == [1]
    assert match_names(["A"], ["a", "\u00a0a"]).unclear == {0: "\u00a0a"}
    assert match_names(["a"], ["a"]).loosely() == ""


def test_fewer_rules_match_less() -> None:
    assert match_names(["Cat", " dog", "1.0"], ["cat", "dog", "1"], SPELLING).positions.tolist() == [
        -1,
        1,
        -1,
    ]
    assert resolve_name(NFC, [NFD, "x"]) == NFD
    assert resolve_name("Cat", ["cat"]) == "Cat"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("007", "7"), ("1.0", "1"), ("1.", "1"), ("1e3", "1000"), ("1E+05", "100000"), ("1.50", "1.5"),
        ("12,345", "12345"), ("1,5", ""), ("-0", "0"), ("-3.0", "-3"), ("1_0", ""), ("nan", ""), ("", ""),
        ("7a", ""), ("\u0667", ""), ("1e999", ""),
    ],
)  # fmt: skip
def test_numbers_have_one_spelling(text: str, value: str) -> None:
    assert canonical_number(text) == value


def test_texts_are_stripped_unless_spaces_tell_them_apart() -> None:
    assert strip_spaces([" a", "a", " b", "b ", "c ", "c ", " ", ""]) == [
        " a",
        "a",
        " b",
        "b ",
        "c",
        "c",
        "",
        "",
    ]
    assert group_similar(["cat", " cat", "Cat", "dog", NFC, NFD]) == [["cat", " cat", "Cat"], [NFC, NFD]]
    assert group_similar(["a  cat", "a cat", "acat"]) == [["a  cat", "a cat"]]
