"""The main metrics with their chance level, ceiling and supervised accuracy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from experiments.comparison.probes import probe_names
from experiments.metric_names import MAIN, Name, spelled
from experiments.metrics import ROWS, TEST, VALIDATION
from experiments.pipeline import Result
from experiments.report.contents import Headline

ABOUT = {"": "", VALIDATION: ", images that the backbone was not trained on", TEST: ", unseen images"}
SCORED_ON = {
    "": " that it was not fitted on",
    VALIDATION: " of the validation part",
    TEST: " of the test part",
}  # the images that a probe is scored on
ACCURACY, TRAINED_METRIC = "{probe}_accuracy", "val_accuracy"


def headlines(
    metrics: Mapping[str, float], upper: Sequence[Headline] = (), equal_counts: Collection[str] = ()
) -> list[Headline]:
    """Return the recorded main metrics of all rows, then of validation and test rows.

    Parameters
    ----------
    upper
        Supervised accuracies. A metric that is a share of correct images gets the best of those on its rows.
    equal_counts
        Suffixes of the rows with equal numbers of clusters and classes.
    """
    results = []
    names = [name for name in MAIN if name.row.headlined and not name.rows]
    for suffix in ROWS:
        for name in (replace(main, rows=suffix) for main in names):
            if (value := metrics.get(str(name))) is None:
                continue
            chance, ceiling = _levels(name, metrics, suffix in equal_counts)
            supervised = _best_supervised(upper, suffix) if name.row.capped else None
            about = name.row.about + ABOUT[suffix]
            results.append(Headline(str(name), value, about, chance, ceiling, supervised))
    return results


def equal_count_suffixes(result: Result) -> list[str]:
    """Return the suffixes of rows with equal numbers of clusters (noise is one) and classes."""
    labels, clusters = result.samples.labels, np.asarray(result.clustering.assignments)
    if labels is None:
        return []
    labels = np.asarray(labels)
    rows_of = {"": result.samples.labelled}
    for suffix, part in {VALIDATION: "validation", TEST: "test"}.items():
        part_rows = result.samples.rows(part)
        rows_of[suffix] = part_rows[labels[part_rows] >= 0]
    return [
        suffix
        for suffix, part_rows in rows_of.items()
        if len(np.unique(labels[part_rows])) == len(np.unique(clusters[part_rows]))
    ]


def _levels(
    name: Name, metrics: Mapping[str, float], equal_counts: bool
) -> tuple[float | None, float | None]:
    """Return a metric's chance level and ceiling; None if unknown."""

    def level(value: float | str | None) -> float | None:
        return metrics.get(str(replace(name, metric=value))) if isinstance(value, str) else value

    ceiling = level(name.row.ceiling)
    # Fewer clusters than classes can all match a class. Of more, some match none: the ceiling is unknown.
    fewer = ceiling is not None and ceiling < 1
    reachable = equal_counts or fewer or not name.row.matched
    return level(name.row.chance), ceiling if reachable else None


def upper_bounds(metrics: Mapping[str, float], history: Sequence[Mapping[str, float]] = ()) -> list[Headline]:
    """Return the supervised accuracies: the probes' and the backbone's own.

    Parameters
    ----------
    history
        The backbone's training epochs; empty if it was not trained on labels.
    """
    results = [
        _probe_headline(probe, suffix, metrics)
        for probe in probe_names(metrics)
        for suffix in _probe_suffixes(probe, metrics)
    ]
    accuracies = [row[TRAINED_METRIC] for row in history if TRAINED_METRIC in row]
    if accuracies:
        about = "accuracy of the backbone's own classifier, trained on labels, in its best epoch"
        name = spelled(ACCURACY, "backbone", rows=VALIDATION)
        results.append(Headline(name, max(accuracies), about + ABOUT[VALIDATION], None, 1.0))
    return results


def _probe_suffixes(probe: str, metrics: Mapping[str, float]) -> list[str]:
    """Return the suffixes of the rows that a probe is scored on, without duplicates.

    With one part besides training, the rows of `""` are those of that part.
    """
    parts = [suffix for suffix in ROWS if spelled(ACCURACY, probe, rows=suffix) in metrics]
    return parts[1:] if len(parts) == 2 and not parts[0] else parts


def _probe_headline(probe: str, suffix: str, metrics: Mapping[str, float]) -> Headline:
    name, count = spelled(ACCURACY, probe, rows=suffix), metrics.get(spelled("{probe}_scored", probe))
    complete = not suffix or len(_probe_suffixes(probe, metrics)) == 1  # these are all scored images
    number = f"{count:,.0f} " if count is not None and complete else ""
    about = "accuracy of a logistic regression on the same embeddings, trained on labels; of the "
    return Headline(name, metrics[name], f"{about}{number}images{SCORED_ON[suffix]}", None, 1.0)


def _best_supervised(upper: Sequence[Headline], suffix: str) -> float | None:
    """Return the best accuracy on these rows; None for all rows, which include training rows."""
    values = [headline.value for headline in upper if suffix and Name.parse(headline.name).rows == suffix]
    return max(values, default=None)
