"""The figures that a person reads first come first, and none is lost."""

from experiments.metrics import main_first


def test_the_main_figures_come_first_in_their_order() -> None:
    found = {"completeness": 0.4, "purity": 0.3, "silhouette": 0.2, "ari": 0.1}
    assert list(main_first(found).items()) == [
        ("ari", 0.1),
        ("purity", 0.3),
        ("silhouette", 0.2),
        ("completeness", 0.4),
    ]
