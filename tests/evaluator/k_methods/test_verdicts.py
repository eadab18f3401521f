"""The summary of the methods' choices of k."""

from tests.messages import numbers, says

from experiments.evaluator.k_methods.verdicts import Verdict, sentence


def test_the_sentence_names_methods_that_disagree():
    choices = [
        Verdict("silhouette", 4, ""),
        Verdict("gap", None, ""),
        Verdict("elbow", 4, ""),
        Verdict("other", 2, ""),
    ]
    first, _, others = sentence(choices).partition(";")
    assert numbers(first) == ["4", "2", "4"]
    assert numbers(says(others, key="other", use="gap")) == ["2"]
    assert numbers(sentence(choices[:1] + choices[3:])) == ["2", "4", "1", "2"]
