"""What is said of which k."""

from tests.messages import numbers, says

from experiments.evaluator.k_methods.verdicts import Verdict, sentence


def test_the_sentence_names_who_disagrees():
    found = [
        Verdict("silhouette", 4, ""),
        Verdict("gap", None, ""),
        Verdict("elbow", 4, ""),
        Verdict("other", 2, ""),
    ]
    first, _, others = sentence(found).partition(";")
    assert numbers(first) == ["4", "2", "4"]
    assert numbers(says(others, key="other", use="gap")) == ["2"]
    assert numbers(sentence(found[:1] + found[3:])) == ["2", "4", "1", "2"]
