"""Names of metrics: one printer, one parser, and the list of the main metrics."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from experiments.metrics import CATALOGUE, ROWS, TREATMENTS, VALIDATION, Metric

PLACEHOLDERS = {"probe": ".+", "groups": r"\d+|fine", "components": r"\d+"}  # values of placeholders
UNKNOWN = Metric("", "", ())  # the row of a metric that is not in the catalogue, such as a plugin's
SPACES = {"embeddings": {"backbone"}, "reduced": {"backbone", "reducer"}}  # choices that change the points
SUFFIXED = re.compile(f"(.*?)({'|'.join(TREATMENTS[::-1])})({'|'.join(ROWS[::-1])})", re.DOTALL)


@dataclass(frozen=True)
class Name:
    """The parts of a metric's recorded name.

    `probe_c1_accuracy_test` is the metric `{probe}_accuracy` at `probe_c1` with rows `_test`.

    Parameters
    ----------
    metric
        The catalogue's name.
    at
        Value of the placeholder in it.
    noise, rows
        One of `TREATMENTS`, one of `ROWS`.
    """

    metric: str
    at: str = ""
    noise: str = ""
    rows: str = ""

    def __str__(self) -> str:
        """Return the recorded name."""
        return f"{re.sub('{.*}', lambda _: self.at, self.metric)}{self.noise}{self.rows}"

    @classmethod
    def parse(cls, text: str) -> "Name":
        """Split a recorded name into its parts; only suffixes are split off an unknown metric."""
        suffixed = SUFFIXED.fullmatch(text)
        stem, noise, rows = suffixed.groups() if suffixed else (text, "", "")
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
        """Position among the main metrics; 0 for other metrics."""
        ranks = {"": self.row.rank, VALIDATION: self.row.validation_rank}
        return 0 if self.at or self.noise else ranks.get(self.rows, 0)


LABEL_FREE = ("silhouette_embeddings", "silhouette")  # used if the objective needs labels, in this order

PATTERNS = {  # longest first, as probe_train_accuracy is not the accuracy of a probe called probe_train
    metric: re.compile(re.sub(r"{(\w+)}", lambda match: f"({PLACEHOLDERS[match[1]]})", metric))
    for metric in sorted(CATALOGUE, key=lambda metric: -len(metric))
    if "{" in metric
}
MAIN = sorted(
    (name for metric in CATALOGUE for rows in ROWS if (name := Name(metric, rows=rows)).rank),
    key=lambda name: name.rank,
)


def spelled(metric: str, at: str = "", noise: str = "", rows: str = "") -> str:
    """Return a metric's recorded name."""
    return str(Name(metric, at, noise, rows))


def names_of(by: str, at: Iterable[object] = ("",), rows: Iterable[str] = ROWS) -> tuple[str, ...]:
    """Return the names of all metrics that an evaluator computes.

    Parameters
    ----------
    by
        The evaluator's module.
    at
        Values of the placeholder in the names, such as numbers of groups.
    rows
        The suffixes of the scored rows.
    """
    computed = [row for row in CATALOGUE.values() if by in row.by]
    return tuple(
        spelled(row.name, str(value), noise, part)
        for noise, part, value in product(TREATMENTS, rows, tuple(at))
        for row in computed
        if noise in row.noise and part in row.rows
    )


def comparable(name: str, settings: Collection[str]) -> bool:
    """Return True if jobs that differ in these settings can be compared by a metric.

    A reducer changes distances by itself: averaging over neighbours raises the silhouette even of noise. So
    does a backbone, which may also choose the reducer.
    """
    choices = {"reducer" if key.startswith("reducer.") else key for key in settings}
    return not choices & SPACES.get(Name.parse(name).row.space, set())


def main_metrics(names: Iterable[object]) -> list[str]:
    """Return the main metrics among these, in their order.

    The number of clusters is a main metric only if there is noise; otherwise it equals the setting k.
    """
    known = {str(name) for name in names}
    main = [name for name in map(str, MAIN) if name in known]
    return main if "noise_share" in known else [name for name in main if name != "clusters"]


def main_first(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the same metrics, the main ones first: MLflow shows metrics in the order of recording."""
    return {str(name): metrics[str(name)] for name in MAIN if str(name) in metrics} | dict(metrics)
