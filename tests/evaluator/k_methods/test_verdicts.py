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
    first, others, larger = sentence(choices, 9).split("; ")
    assert numbers(first) == ["4", "2", "4"]
    assert first.endswith("(silhouette, elbow)")
    assert "evaluator.k_selection.k_max than 9" in larger, "as the gap statistic chooses none"
    assert numbers(says(others, key="other", use="gap")) == ["2"]
    assert numbers(sentence(choices[:1] + choices[3:], 9)) == ["2", "4", "1", "2"]
    assert sentence(choices[:1], 4) == (
        "k=4 by 1 of 1 methods; a larger evaluator.k_selection.k_max than 4 may change this"
    )
