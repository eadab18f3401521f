"""The figures that a person reads first, beside their chance level, ceiling and what labels would give."""

from collections.abc import Mapping, Sequence

from experiments.report.contents import Headline

ROWS = {
    "": "",
    "_validation": ", images that the backbone was not trained on",
    "_test": ", unseen images",
}
ALIKE = "1 only where there are as many clusters as classes"
LEVELS: dict[str, tuple[str, float | None, float | None]] = {
    "ari": (f"agreement with the labels on pairs of images; comparable across k; {ALIKE}", 0.0, 1.0),
    "ami": (f"information shared with the labels; comparable across k; {ALIKE}", 0.0, 1.0),
    "nmi": (f"information shared with the labels; rises with k by itself; {ALIKE}", None, 1.0),
    "purity": ("share of images in their cluster's majority class; rises with k by itself", None, None),
    "acc": ("accuracy of the best one-to-one match of clusters to classes", None, None),
    "silhouette": ("how much nearer the own cluster is than the next one, from -1 to 1", 0.0, 1.0),
    "noise_share": ("share of images in no cluster", None, None),
}  # what it is, its chance level and its ceiling where they are known beforehand
CAPPED = ("purity", "acc")  # by the k largest classes; and a classifier's accuracy is of the same kind
TRAINED, FITTED, GAP = "val_accuracy", "_train_accuracy", "_gap"


def headlines(metrics: Mapping[str, float], upper: Sequence[Headline] = ()) -> list[Headline]:
    """Return the main figures that there are, of all rows and then of those kept apart.

    Parameters
    ----------
    upper
        What labels would give; the best of them stands beside each share of images that are right.
    """
    found = []
    for suffix, rows in ROWS.items():
        for name, (about, chance, ceiling) in LEVELS.items():
            full = name + suffix
            if full not in metrics:
                continue
            supervised = _best(upper, suffix) if name in CAPPED else None
            chance = metrics.get(f"{name}_chance{suffix}", chance)
            ceiling = metrics.get(f"purity_ceiling{suffix}") if name in CAPPED else ceiling
            found.append(Headline(full, metrics[full], about + rows, chance, ceiling, supervised))
    return found


def upper_bounds(metrics: Mapping[str, float], history: Sequence[Mapping[str, float]] = ()) -> list[Headline]:
    """Return what was reached by classifiers that were told the labels: probes, and the backbone itself.

    Parameters
    ----------
    history
        The epochs of the backbone's own training; empty if it learnt from no labels.
    """
    about = "accuracy of a logistic regression on the same embeddings, told the labels"
    probes = [name.removesuffix(FITTED) for name in metrics if name.endswith(FITTED)]
    found = [
        Headline(name, metrics[name], about + rows, None, 1.0)
        for probe in probes
        for suffix, rows in ROWS.items()
        if f"{probe}{GAP}" in metrics and (name := f"{probe}_accuracy{suffix}") in metrics
    ]
    reached = [row[TRAINED] for row in history if TRAINED in row]
    if reached:
        about = "accuracy of the backbone's own classifier, told the labels, in its best epoch"
        name = "backbone_accuracy_validation"
        found.append(Headline(name, max(reached), about + ROWS["_validation"], None, 1.0))
    return found


def _best(upper: Sequence[Headline], suffix: str) -> float | None:
    """Return the highest of the same rows; for all rows, of any that a classifier was not fitted on."""
    plain = [each.value for each in upper if not each.name.endswith(tuple(filter(None, ROWS)))]
    own = [each.value for each in upper if suffix and each.name.endswith(suffix)]
    left = [each.value for each in upper] if not suffix else []
    return max(own or plain or left, default=None)
