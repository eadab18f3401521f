"""Did a run give again what it gave before? Two traces in, a verdict out; nothing is run or recorded here."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.job.trace import STEPS, Trace

IDENTICAL, WITHIN, DIFFERS = "identical", "within tolerance", "differs"
NOT_RECORDED = "not recorded"
UNSPEAKING = {  # circumstances whose values are digests
    "code": "the code of the package",
    "backbone.origin": "the weights or the preprocessing of the backbone",
}
TOLERANCE = 1e-6  # the one tolerance: of each metric, relative; the clusters have to be the same
ZERO = 1e-12  # what is so near to it has no relative difference
FEW = 3  # things that a line names


@dataclass(frozen=True)
class Row:
    """One thing compared, as it was and as it is."""

    what: str
    then: str
    now: str
    difference: float
    verdict: str


@dataclass(frozen=True)
class Verdict:
    """How far two runs are the same.

    Parameters
    ----------
    first
        The first step, metric, table or picture that differs, be it in one bit; "" if none does.
    ari
        Adjusted Rand index of the two clusterings.
    agreement
        Share of the samples that are in the same cluster after the clusters were matched one to one.
    """

    word: str
    first: str
    ari: float
    agreement: float
    rows: tuple[Row, ...]

    @property
    def line(self) -> str:
        """Say it in one line."""
        if self.word == IDENTICAL:
            metrics = sum(row.what.startswith("metric ") and row.verdict == IDENTICAL for row in self.rows)
            unknown = [row.what for row in self.rows if row.verdict == NOT_RECORDED]
            more = f" and {len(unknown) - FEW} more" if len(unknown) > FEW else ""
            but = f" ({', '.join(unknown[:FEW])}{more} were not recorded then)" if unknown else ""
            return f"identical: every stage{but}, all {metrics} metrics, every table and picture, bit by bit"
        same = f"ARI of both clusterings {self.ari:.6g}, {self.agreement:.2%} in the same cluster"
        if self.word == WITHIN:
            return (
                f"within tolerance: the same clusters, and each metric to {TOLERANCE:g} of its value; "
                f"in its bits the first to differ is {self.first} ({same})"
            )
        return f"differs: the first to differ is {self.first} ({same})"


def compare(then: Trace, now: Trace, clusters_then: np.ndarray, clusters_now: np.ndarray) -> Verdict:
    """Compare two runs of one config on one data set.

    Tables and pictures are held to the bit where all that is before them is the same. Where it is not, they
    follow from it, and the metrics say by how much.

    Parameters
    ----------
    clusters_then, clusters_now
        int64 (n,), the assignments in the order of the same samples; -1 is noise.
    """
    from sklearn.metrics import adjusted_rand_score

    steps = [_step(name, then.steps.get(name, ""), now.steps.get(name, "")) for name in STEPS]
    metrics, shown = list(_metrics(then, now)), list(_shown(then, now))
    ari = float(adjusted_rand_score(clusters_then, clusters_now))
    agreement = agreeing(clusters_then, clusters_now)
    if any(row.verdict in (WITHIN, DIFFERS) for row in [*steps, *metrics]):
        shown = [row for row in shown if row.verdict != DIFFERS]
    rows = (*steps, *metrics, *shown)
    differing = [row for row in rows if row.verdict in (WITHIN, DIFFERS)]
    word = WITHIN if differing else IDENTICAL
    if agreement < 1 or any(row.verdict == DIFFERS for row in [*metrics, *shown]):
        word = DIFFERS
    first = differing[0].what if differing else "" if word == IDENTICAL else "clustering"
    return Verdict(word, first, ari, agreement, rows)


def agreeing(then: np.ndarray, now: np.ndarray) -> float:
    """Return the share of samples in the same cluster once clusters are matched; noise is matched to noise.

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
    """Say which circumstances are not what they were, one a line."""
    found = []
    for name in _names(then, now):
        before, after = then.get(name, "none"), now.get(name, "none")
        if before != after and name in UNSPEAKING:
            found.append(f"{UNSPEAKING[name]} changed: {before} then, {after} now")
        elif before != after:
            found.append(f"{name} was {before} and is {after}")
    return found


def data_changes(then: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say how a data set differs from the recorded one; each is (content hash, label) by id."""
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
    """Pair the ids that are gone with new ones of the same content."""
    new: dict[str, list[str]] = {}
    for name, (content, _) in now.items():
        if name not in then:
            new.setdefault(content, []).append(name)
    gone = [(name, content) for name, (content, _) in then.items() if name not in now]
    return {name: new[content].pop(0) for name, content in gone if new.get(content)}


def _step(name: str, then: str, now: str) -> Row:
    if not then and now:
        return Row(name, then, now, math.nan, NOT_RECORDED)
    return Row(name, then, now, math.nan, IDENTICAL if then == now else DIFFERS)


def _metrics(then: Trace, now: Trace) -> Iterator[Row]:
    for evaluator in _names(then.metrics, now.metrics):
        before, after = then.metrics.get(evaluator, {}), now.metrics.get(evaluator, {})
        for name in _names(before, after):
            yield _metric(f"metric {evaluator} {name}", before.get(name), after.get(name))


def _metric(what: str, then: float | None, now: float | None) -> Row:
    if then is None or now is None:  # a measure that is new says nothing of what was there
        return Row(what, str(then), str(now), math.nan, NOT_RECORDED if then is None else DIFFERS)
    difference = now - then
    if then == now or (math.isnan(then) and math.isnan(now)):
        verdict, difference = IDENTICAL, 0.0
    elif math.isclose(then, now, rel_tol=TOLERANCE, abs_tol=ZERO):
        verdict = WITHIN
    else:
        verdict = DIFFERS
    return Row(what, repr(then), repr(now), difference, verdict)


def _shown(then: Trace, now: Trace) -> Iterator[Row]:
    for evaluator in _names(then.shown, now.shown):
        before, after = then.shown.get(evaluator, {}), now.shown.get(evaluator, {})
        for name in _names(before, after):
            yield _step(f"{evaluator} {name}", before.get(name, ""), after.get(name, ""))


def _names(then: Mapping[str, object], now: Mapping[str, object]) -> Sequence[str]:
    return [*then, *(name for name in now if name not in then)]
