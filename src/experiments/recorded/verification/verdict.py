"""Compare the traces of two runs; nothing is run or recorded here."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.job.trace import CODE_OF, STEPS, Trace

IDENTICAL, WITHIN, DIFFERS = "identical", "within tolerance", "differs"
NOT_RECORDED = "not recorded"
DIGESTS = {  # circumstances whose values are digests, and their names in messages
    "code": "the code of the package",
    "backbone.origin": "the weights or the preprocessing of the backbone",
}
TOLERANCE = 1e-6  # relative, of each metric; the clusters must be equal
ZERO = 1e-12  # absolute tolerance of metrics near 0
SHOWN_NAMES = 3  # in the summary


@dataclass(frozen=True)
class Row:
    """A compared value: recorded, recomputed, and the verdict on it."""

    output: str
    recorded: str
    recomputed: str
    difference: float
    verdict: str


@dataclass(frozen=True)
class Verdict:
    """How far the results of two runs agree.

    Parameters
    ----------
    word
        `identical`, `within tolerance` or `differs`.
    first
        The first step, metric, table or figure that differs in any bit; "" if none does.
    ari
        Adjusted Rand index of the two clusterings.
    agreement
        Share of the samples that are in the same cluster after matching the clusters one to one.
    """

    word: str
    first: str
    ari: float
    agreement: float
    rows: tuple[Row, ...]

    @property
    def line(self) -> str:
        """Return the verdict in one line."""
        if self.word == IDENTICAL:
            metrics = sum(row.output.startswith("metric ") and row.verdict == IDENTICAL for row in self.rows)
            names = [row.output for row in self.rows if row.verdict == NOT_RECORDED]
            more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
            gap = f" ({', '.join(names[:SHOWN_NAMES])}{more} not recorded by the first run)" if names else ""
            outputs = f"every stage{gap}, all {metrics} metrics, every table and figure"
            return f"identical: {outputs}, bit by bit"
        same = f"ARI of both clusterings {self.ari:.6g}, {self.agreement:.2%} in the same cluster"
        if self.word == WITHIN:
            return (
                f"within tolerance: the same clusters, and each metric to {TOLERANCE:g} of its value; "
                f"the first difference in any bit is in {self.first} ({same})"
            )
        return f"differs: the first difference is in {self.first} ({same})"


def compare(then: Trace, now: Trace, clusters_then: np.ndarray, clusters_now: np.ndarray) -> Verdict:
    """Compare two runs of the same config on the same data set.

    Tables and figures must be equal to the bit if all steps and metrics are. Otherwise their differences are
    consequences, and are not listed.

    Parameters
    ----------
    clusters_then, clusters_now
        int64 (n,), the assignments in the order of the same samples; -1 is noise.
    """
    from sklearn.metrics import adjusted_rand_score

    steps = [_compare_digests(name, then.steps.get(name, ""), now.steps.get(name, "")) for name in STEPS]
    metrics, shown = list(_compare_metrics(then, now)), list(_compare_outputs(then, now))
    ari = float(adjusted_rand_score(clusters_then, clusters_now))
    agreement = matched_share(clusters_then, clusters_now)
    if any(row.verdict in (WITHIN, DIFFERS) for row in [*steps, *metrics]):
        shown = [row for row in shown if row.verdict != DIFFERS]
    rows = (*steps, *metrics, *shown)
    differing = [row for row in rows if row.verdict in (WITHIN, DIFFERS)]
    word = WITHIN if differing else IDENTICAL
    if agreement < 1 or any(row.verdict == DIFFERS for row in [*metrics, *shown]):
        word = DIFFERS
    first = differing[0].output if differing else "" if word == IDENTICAL else "clustering"
    return Verdict(word, first, ari, agreement, rows)


def matched_share(then: np.ndarray, now: np.ndarray) -> float:
    """Return the share of samples in the same cluster after matching clusters; noise is matched to noise.

    Source
    ------
    Kuhn, "The Hungarian method for the assignment problem", 1955.
    """
    from scipy.optimize import linear_sum_assignment

    if not len(then):
        return 1.0
    inside = (then >= 0) & (now >= 0)
    noise = int(((then < 0) & (now < 0)).sum())
    table = np.zeros((int(then.max()) + 1 if inside.any() else 0, int(now.max()) + 1 if inside.any() else 0))
    np.add.at(table, (then[inside], now[inside]), 1)
    matched = table[linear_sum_assignment(table, maximize=True)].sum() if table.size else 0
    return float((matched + noise) / len(then))


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a line for each circumstance that has changed."""
    lines = []
    for name in _union(then, now):
        before, after = then.get(name, "none"), now.get(name, "none")
        title = DIGESTS.get(name, f"the {name}" if name.startswith(CODE_OF) else "")
        if before != after and title:
            lines.append(f"{title} changed: {before} then, {after} now")
        elif before != after:
            lines.append(f"{name} was {before} and is {after}")
    return lines


def data_changes(then: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the differences of a data set from the recorded one, both {id: (content hash, label)}."""
    both = [name for name in then if name in now]
    renamed = _renamed(then, now)
    kinds = {
        "renamed": [f"{before}, now {after}" for before, after in renamed.items()],
        "more": [name for name in now if name not in then and name not in renamed.values()],
        "fewer": [name for name in then if name not in now and name not in renamed],
        "with other content": [name for name in both if then[name][0] != now[name][0]],
        "with another label": [name for name in both if then[name][1] != now[name][1]],
    }
    return [f"{len(names)} {kind} (such as {names[0]})" for kind, names in kinds.items() if names]


def _renamed(then: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Match missing ids to new ids of the same content."""
    new: dict[str, list[str]] = {}
    for name, (content, _) in now.items():
        if name not in then:
            new.setdefault(content, []).append(name)
    missing = [(name, content) for name, (content, _) in then.items() if name not in now]
    return {name: new[content].pop(0) for name, content in missing if new.get(content)}


def _compare_digests(name: str, then: str, now: str) -> Row:
    if not then and now:
        return Row(name, then, now, math.nan, NOT_RECORDED)
    return Row(name, then, now, math.nan, IDENTICAL if then == now else DIFFERS)


def _compare_metrics(then: Trace, now: Trace) -> Iterator[Row]:
    for evaluator in _union(then.metrics, now.metrics):
        before, after = then.metrics.get(evaluator, {}), now.metrics.get(evaluator, {})
        for name in _union(before, after):
            yield _compare_metric(f"metric {evaluator} {name}", before.get(name), after.get(name))


def _compare_metric(name: str, then: float | None, now: float | None) -> Row:
    if then is None or now is None:  # a new metric cannot be compared
        return Row(name, str(then), str(now), math.nan, NOT_RECORDED if then is None else DIFFERS)
    difference = now - then
    if then == now or (math.isnan(then) and math.isnan(now)):
        verdict, difference = IDENTICAL, 0.0
    elif math.isclose(then, now, rel_tol=TOLERANCE, abs_tol=ZERO):
        verdict = WITHIN
    else:
        verdict = DIFFERS
    return Row(name, repr(then), repr(now), difference, verdict)


def _compare_outputs(then: Trace, now: Trace) -> Iterator[Row]:
    for evaluator in _union(then.shown, now.shown):
        before, after = then.shown.get(evaluator, {}), now.shown.get(evaluator, {})
        for name in _union(before, after):
            yield _compare_digests(f"{evaluator} {name}", before.get(name, ""), after.get(name, ""))


def _union(then: Mapping[str, object], now: Mapping[str, object]) -> Sequence[str]:
    return [*then, *(name for name in now if name not in then)]
