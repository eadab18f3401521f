"""The figures that a person reads first, each beside its chance level and its ceiling."""

from collections.abc import Mapping

from experiments.report.contents import Headline

ROWS = {
    "": "",
    "_validation": ", images that the backbone was not trained on",
    "_test": ", unseen images",
}
CHANCE, CEILING = "purity_chance", "purity_ceiling"
LEVELS: dict[str, tuple[str, float | None, float | None]] = {
    "ari": ("agreement with the labels on pairs of images; comparable across k", 0.0, 1.0),
    "ami": ("information shared with the labels; comparable across k", 0.0, 1.0),
    "nmi": ("information shared with the labels; rises with k by itself", None, 1.0),
    "purity": ("share of images in their cluster's majority class; rises with k by itself", None, None),
    "acc": ("accuracy of the best one-to-one match of clusters to classes", None, 1.0),
    "silhouette": ("how much nearer the own cluster is than the next one, from -1 to 1", 0.0, 1.0),
    "noise_share": ("share of images in no cluster", None, None),
}  # what it is, its chance level and its ceiling where they are known beforehand


def headlines(metrics: Mapping[str, float]) -> list[Headline]:
    """Return the main figures that there are, of all rows and then of those kept apart."""
    found = []
    for suffix, rows in ROWS.items():
        for name, (about, chance, ceiling) in LEVELS.items():
            full = name + suffix
            if full not in metrics:
                continue
            if name == "purity":
                chance, ceiling = metrics.get(CHANCE + suffix), metrics.get(CEILING + suffix)
            found.append(Headline(full, metrics[full], about + rows, chance, ceiling))
    return found


def upper_bounds(metrics: Mapping[str, float]) -> list[Headline]:
    """Return what a classifier got on the same embeddings that was told the labels."""
    about = "accuracy of a logistic regression on the same embeddings, told the labels"
    return [
        Headline(name, value, about + _rows(name), None, 1.0)
        for name, value in metrics.items()
        if name.endswith(tuple(f"_accuracy{suffix}" for suffix in ROWS)) and "_train_" not in name
    ]


def _rows(name: str) -> str:
    return next((rows for suffix, rows in ROWS.items() if suffix and name.endswith(suffix)), "")
