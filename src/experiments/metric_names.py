"""How the names of metrics are spelled: one printer, one parser; and which of them are the main ones."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from experiments.metrics import CATALOGUE, ROWS, TREATMENTS, VALIDATION, Metric

OPEN = {"probe": ".+", "groups": r"\d+|fine", "components": r"\d+"}  # what a row's name leaves open
UNKNOWN = Metric("", "", ())  # stands for a metric of somebody's own evaluator
SPELLED = re.compile(f"(.*?)({'|'.join(TREATMENTS[::-1])})({'|'.join(ROWS[::-1])})", re.DOTALL)


@dataclass(frozen=True)
class Name:
    """The name that a metric is recorded by, in its parts: `probe_c1_accuracy_test` has all but noise.

    Parameters
    ----------
    metric
        The catalogue's name.
    at
        What that leaves open.
    noise, rows
        One of `TREATMENTS`, one of `ROWS`.
    """

    metric: str
    at: str = ""
    noise: str = ""
    rows: str = ""

    def __str__(self) -> str:
        """Spell it."""
        return f"{re.sub('{.*}', lambda _: self.at, self.metric)}{self.noise}{self.rows}"

    @classmethod
    def parse(cls, text: str) -> "Name":
        """Take a name apart; what is in no catalogue is all metric but for its suffixes."""
        found = SPELLED.fullmatch(text)
        stem, noise, rows = found.groups() if found else (text, "", "")
        if stem not in CATALOGUE:
            for metric, pattern in PATTERNS.items():
                if match := pattern.fullmatch(stem):
                    return cls(metric, match[1], noise, rows)
        return cls(stem, "", noise, rows)

    @property
    def row(self) -> Metric:
        """Its row in the catalogue."""
        return CATALOGUE.get(self.metric, UNKNOWN)

    @property
    def rank(self) -> int:
        """Place among the main metrics; 0: it is none."""
        ranks = {"": self.row.rank, VALIDATION: self.row.validation_rank}
        return 0 if self.at or self.noise else ranks.get(self.rows, 0)


PATTERNS = {  # the longest first: probe_train_accuracy is no accuracy of a probe_train
    metric: re.compile(re.sub(r"{(\w+)}", lambda found: f"({OPEN[found[1]]})", metric))
    for metric in sorted(CATALOGUE, key=lambda metric: -len(metric))
    if "{" in metric
}
MAIN = sorted(
    (name for metric in CATALOGUE for rows in ROWS if (name := Name(metric, rows=rows)).rank),
    key=lambda name: name.rank,
)


def spelled(metric: str, at: str = "", noise: str = "", rows: str = "") -> str:
    """Return the name that a metric is recorded by."""
    return str(Name(metric, at, noise, rows))


def names_of(by: str, at: Iterable[object] = ("",), rows: Iterable[str] = ROWS) -> tuple[str, ...]:
    """Return the names of all metrics that an evaluator gives.

    Parameters
    ----------
    at
        What the names leave open, such as numbers of groups.
    rows
        The parts that it scores.
    """
    given = [row for row in CATALOGUE.values() if by in row.by]
    return tuple(
        spelled(row.name, str(value), noise, part)
        for noise, part, value in product(TREATMENTS, rows, tuple(at))
        for row in given
        if noise in row.noise and part in row.rows
    )


def main_metrics(given: Iterable[object]) -> list[str]:
    """Return the main metrics among those given, the first to read first.

    The number of clusters is one only where there is noise; else it is the k that was asked for.
    """
    known = {str(name) for name in given}
    shown = [name for name in map(str, MAIN) if name in known]
    return shown if "noise_share" in known else [name for name in shown if name != "clusters"]


def main_first(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the same metrics, the main ones first: MLflow shows them in the order in which they came."""
    return {str(name): metrics[str(name)] for name in MAIN if str(name) in metrics} | dict(metrics)
