"""What is said of which k."""

from experiments.evaluator.k_methods.verdicts import Verdict, sentence


def test_the_sentence_names_who_disagrees():
    found = [
        Verdict("silhouette", 4, ""),
        Verdict("gap", None, ""),
        Verdict("elbow", 4, ""),
        Verdict("other", 2, ""),
    ]
    assert sentence(found) == "k=4 by 2 of 4 methods; other 2, gap none"
    assert sentence(found[:1] + found[3:]) == "k=2 or 4 by 1 of 2 methods"
