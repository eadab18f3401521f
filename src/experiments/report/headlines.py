"""The figures that a person reads first, beside their chance level, ceiling and what labels would give."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from experiments.pipeline import Result
from experiments.report.contents import Headline

ROWS = {
    "": "",
    "_validation": ", images that the backbone was not trained on",
    "_test": ", unseen images",
}
SCORED = {
    "": " that it was not fitted on",
    "_validation": " of the validation part",
    "_test": " of the test part",
}  # the images that a probe is scored on
ALIKE = "1 needs as many clusters as classes"
LEVELS: dict[str, tuple[str, float | None, float | None]] = {
    "ari": (f"agreement with the labels on pairs of images; comparable across k; {ALIKE}", 0.0, 1.0),
    "ami": (f"information shared with the labels; comparable across k; {ALIKE}", 0.0, 1.0),
    "nmi": (f"information shared with the labels; rises with k by itself; {ALIKE}", None, 1.0),
    "purity": ("share of images in their cluster's majority class; rises with k by itself", None, None),
    "acc": (f"accuracy of the best one-to-one match of clusters to classes; {ALIKE}", None, None),
    "silhouette": ("how much nearer the own cluster is than the next one, from -1 to 1", 0.0, 1.0),
    "noise_share": ("share of images in no cluster", None, None),
}  # what it is, its chance level and its ceiling where they are known beforehand
MATCHED = ("ari", "ami", "nmi")  # 1 can be reached only where there are as many clusters as classes
CAPPED = ("purity", "acc")  # by the k largest classes; and a classifier's accuracy is of the same kind
TRAINED, FITTED, GAP = "val_accuracy", "_train_accuracy", "_gap"


def headlines(
    metrics: Mapping[str, float], upper: Sequence[Headline] = (), alike: Collection[str] = ()
) -> list[Headline]:
    """Return the main figures that there are, of all rows and then of those kept apart.

    Parameters
    ----------
    upper
        What labels would give; the best of them stands beside each share of the same images that are right.
    alike
        The suffixes of rows of which it is known that they have as many clusters as classes.
    """
    found = []
    for suffix, rows in ROWS.items():
        for name, (about, chance, ceiling) in LEVELS.items():
            full = name + suffix
            if full not in metrics:
                continue
            supervised = _best(upper, suffix) if name in CAPPED else None
            chance = metrics.get(f"{name}_chance{suffix}", chance)
            ceiling = _ceiling(name, metrics.get(f"purity_ceiling{suffix}"), ceiling, suffix in alike)
            found.append(Headline(full, metrics[full], about + rows, chance, ceiling, supervised))
    return found


def alike(result: Result) -> list[str]:
    """Return the suffixes of the rows that have as many clusters as classes; noise is one more cluster."""
    labels, clusters = result.samples.labels, np.asarray(result.clustering.assignments)
    if labels is None:
        return []
    labels = np.asarray(labels)
    rows = {"": result.samples.labelled}
    for part in ("validation", "test"):
        own = result.samples.rows(part)
        rows[f"_{part}"] = own[labels[own] >= 0]
    return [
        suffix for suffix, own in rows.items() if len(np.unique(labels[own])) == len(np.unique(clusters[own]))
    ]


def _ceiling(name: str, capped: float | None, usual: float | None, alike: bool) -> float | None:
    """Return the best that so many clusters can get; None where one would have to know their number."""
    if name == "purity":
        return capped
    if name == "acc":  # of more clusters than classes some match none, and how few that may be is not known
        return capped if alike or (capped is not None and capped < 1) else None
    return usual if alike or name not in MATCHED else None


def upper_bounds(metrics: Mapping[str, float], history: Sequence[Mapping[str, float]] = ()) -> list[Headline]:
    """Return what was reached by classifiers that were told the labels: probes, and the backbone itself.

    Parameters
    ----------
    history
        The epochs of the backbone's own training; empty if it learnt from no labels.
    """
    probes = [name.removesuffix(FITTED) for name in metrics if name.endswith(FITTED)]
    found = [
        _probed(probe, suffix, metrics)
        for probe in probes
        if f"{probe}{GAP}" in metrics
        for suffix in _told_apart(probe, metrics)
    ]
    reached = [row[TRAINED] for row in history if TRAINED in row]
    if reached:
        about = "accuracy of the backbone's own classifier, told the labels, in its best epoch"
        name = "backbone_accuracy_validation"
        found.append(Headline(name, max(reached), about + ROWS["_validation"], None, 1.0))
    return found


def _told_apart(probe: str, metrics: Mapping[str, float]) -> list[str]:
    """Return the suffixes of the rows that a probe is scored on, each rows once.

    All that it was not fitted on are those of the one part that there is besides training, if it is one.
    """
    parts = [suffix for suffix in ROWS if f"{probe}_accuracy{suffix}" in metrics]
    return parts[1:] if len(parts) == 2 and not parts[0] else parts


def _probed(probe: str, suffix: str, metrics: Mapping[str, float]) -> Headline:
    name, count = f"{probe}_accuracy{suffix}", metrics.get(f"{probe}_scored")
    alone = not suffix or len(_told_apart(probe, metrics)) == 1  # then they are all that it is scored on
    told = f"{count:,.0f} " if count is not None and alone else ""
    about = "accuracy of a logistic regression on the same embeddings, told the labels; of the "
    return Headline(name, metrics[name], f"{about}{told}images{SCORED[suffix]}", None, 1.0)


def _best(upper: Sequence[Headline], suffix: str) -> float | None:
    """Return the highest of the same rows; none is of all rows, as a classifier was fitted on some."""
    return max((each.value for each in upper if suffix and each.name.endswith(suffix)), default=None)
