"""The figures that a person reads first, beside their chance level, ceiling and what labels would give."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from experiments.comparison.probes import probe_names
from experiments.metric_names import MAIN, Name, spelled
from experiments.metrics import ROWS, TEST, VALIDATION
from experiments.pipeline import Result
from experiments.report.contents import Headline

ABOUT = {"": "", VALIDATION: ", images that the backbone was not trained on", TEST: ", unseen images"}
SCORED = {
    "": " that it was not fitted on",
    VALIDATION: " of the validation part",
    TEST: " of the test part",
}  # the images that a probe is scored on
ACCURACY, TRAINED = "{probe}_accuracy", "val_accuracy"


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
    headlined = [name for name in MAIN if name.row.headlined and not name.rows]
    for suffix in ROWS:
        for name in (replace(main, rows=suffix) for main in headlined):
            if (value := metrics.get(str(name))) is None:
                continue
            chance, ceiling = _levels(name, metrics, suffix in alike)
            supervised = _best(upper, suffix) if name.row.capped else None
            about = name.row.about + ABOUT[suffix]
            found.append(Headline(str(name), value, about, chance, ceiling, supervised))
    return found


def alike(result: Result) -> list[str]:
    """Return the suffixes of the rows that have as many clusters as classes; noise is one more cluster."""
    labels, clusters = result.samples.labels, np.asarray(result.clustering.assignments)
    if labels is None:
        return []
    labels = np.asarray(labels)
    rows = {"": result.samples.labelled}
    for suffix, part in {VALIDATION: "validation", TEST: "test"}.items():
        own = result.samples.rows(part)
        rows[suffix] = own[labels[own] >= 0]
    return [
        suffix for suffix, own in rows.items() if len(np.unique(labels[own])) == len(np.unique(clusters[own]))
    ]


def _levels(name: Name, metrics: Mapping[str, float], alike: bool) -> tuple[float | None, float | None]:
    """Return a metric's chance level and its ceiling; None where it is not known."""

    def level(value: float | str | None) -> float | None:
        return metrics.get(str(replace(name, metric=value))) if isinstance(value, str) else value

    ceiling = level(name.row.ceiling)
    fewer = ceiling is not None and ceiling < 1  # clusters than classes: each may match one
    # of more clusters than classes some match none, and how few that may be is not known
    reached = alike or fewer or not name.row.matched
    return level(name.row.chance), ceiling if reached else None


def upper_bounds(metrics: Mapping[str, float], history: Sequence[Mapping[str, float]] = ()) -> list[Headline]:
    """Return what was reached by classifiers that were told the labels: probes, and the backbone itself.

    Parameters
    ----------
    history
        The epochs of the backbone's own training; empty if it learnt from no labels.
    """
    found = [
        _bound(probe, suffix, metrics)
        for probe in probe_names(metrics)
        for suffix in _told_apart(probe, metrics)
    ]
    reached = [row[TRAINED] for row in history if TRAINED in row]
    if reached:
        about = "accuracy of the backbone's own classifier, told the labels, in its best epoch"
        name = spelled(ACCURACY, "backbone", rows=VALIDATION)
        found.append(Headline(name, max(reached), about + ABOUT[VALIDATION], None, 1.0))
    return found


def _told_apart(probe: str, metrics: Mapping[str, float]) -> list[str]:
    """Return the suffixes of the rows that a probe is scored on, each rows once.

    All that it was not fitted on are those of the one part that there is besides training, if it is one.
    """
    parts = [suffix for suffix in ROWS if spelled(ACCURACY, probe, rows=suffix) in metrics]
    return parts[1:] if len(parts) == 2 and not parts[0] else parts


def _bound(probe: str, suffix: str, metrics: Mapping[str, float]) -> Headline:
    name, count = spelled(ACCURACY, probe, rows=suffix), metrics.get(spelled("{probe}_scored", probe))
    alone = not suffix or len(_told_apart(probe, metrics)) == 1  # then they are all that it is scored on
    told = f"{count:,.0f} " if count is not None and alone else ""
    about = "accuracy of a logistic regression on the same embeddings, told the labels; of the "
    return Headline(name, metrics[name], f"{about}{told}images{SCORED[suffix]}", None, 1.0)


def _best(upper: Sequence[Headline], suffix: str) -> float | None:
    """Return the highest of the same rows; none is of all rows, as a classifier was fitted on some."""
    same = [each.value for each in upper if suffix and Name.parse(each.name).rows == suffix]
    return max(same, default=None)
