"""Which configuration of a sweep is best, by each figure that a person reads first."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.comparison.intervals import mean_interval
from experiments.comparison.paired import paired
from experiments.comparison.seeds import SEED, configuration
from experiments.metric_names import Name
from experiments.report.contents import Headline
from experiments.report.headlines import headlines, upper_bounds

if TYPE_CHECKING:
    import pandas as pd

FOLLOW = 2  # configurations that are named behind the best
K = "cluster.k"


@dataclass(frozen=True)
class Lead:
    """How far the best configuration is ahead of the next one, paired over the seeds that both have.

    Parameters
    ----------
    low, high
        Student's 95 % interval of the mean difference.
    p
        Of the paired t test; nan of a difference that is the same with each seed.
    """

    difference: float
    low: float
    high: float
    p: float
    seeds: int

    @property
    def differs(self) -> bool:
        """True if the interval shows that the best is ahead."""
        return self.low > 0

    def __str__(self) -> str:
        """Return whether the two differ, and by how much."""
        if self.p != self.p:
            return (
                f"ahead by {self.difference:.2g} with each of {self.seeds} seeds"
                if self.difference
                else "equal"
            )
        shown = "differs from it" if self.differs else "no difference shown"
        interval = f"{self.low:.2g} to {self.high:.2g}"
        return f"{shown}: ahead by {self.difference:.2g} ({interval}), p = {self.p:.2g}, {self.seeds} seeds"


@dataclass(frozen=True)
class Best:
    """The best configuration by one figure.

    Parameters
    ----------
    config
        Its settings; `1 seed` behind them where others have several, as its mean is that one's figure.
    low, high
        The 95 % interval of its mean over the seeds; nan of one seed.
    after
        Those behind it, with their means.
    lead
        Over the first of those; None without two seeds in common.
    """

    headline: Headline
    config: str
    low: float
    high: float
    seeds: int
    after: Sequence[tuple[str, float]]
    lead: Lead | None = None


def bests(
    rows: "pd.DataFrame",
    swept: Sequence[str],
    main: Sequence[str],
    objective: str,
    alike: Sequence[Collection[str]] = (),
) -> list[Best]:
    """Return the best configuration by the objective and by each main figure, of which more is better.

    Parameters
    ----------
    rows
        One per job, as `summary.to_frame` makes them.
    main
        The columns of it that a person reads first.
    alike
        For each of the rows the suffixes of the samples of which that job has as many clusters as classes.
    """
    done = rows[rows["status"] == "FINISHED"]
    matching = {row: frozenset(suffixes) for row, suffixes in zip(rows.index, alike, strict=False)}
    asked = [Name.parse(name) for name in dict.fromkeys([objective, *main]) if name in done]
    shown = [str(name) for name in asked if name.row.chooses and not name.noise]
    keys = configuration(swept)
    told = [key for key in keys if done[key].nunique(dropna=False) > 1]
    jobs = {_named(told, each): each for _, each in done.groupby(keys, sort=False, dropna=False) if len(each)}
    return [_best(name, jobs, matching, name == objective) for name in shown if done[name].notna().any()]


def verdict(found: Sequence[Best], swept: Sequence[str]) -> str:
    """Return which configuration is best by which metrics, in a sentence; "" of a single configuration.

    Over k those metrics alone choose that are comparable across k. Where the seeds show no difference from
    the next best, it says so.
    """
    if not any(best.after for best in found):
        return ""
    names: dict[str, list[str]] = {}
    changing = []
    for best in found:
        name = best.headline.name
        if K in swept and Name.parse(name).row.across_k not in ("comparable", ""):
            changing.append(name)
        else:
            names.setdefault(best.config, []).append(name)
    parts = ["; ".join(f"{config} by {', '.join(by)}" for config, by in names.items())]
    if changing:
        verbs = (
            "change with k by themselves and choose"
            if len(changing) > 1
            else "changes with k by itself and chooses"
        )
        parts.append(f"{', '.join(changing)} {verbs} none")
    leads = {name: best.lead for best in found if (name := best.headline.name) not in changing}
    if unclear := [name for name, lead in leads.items() if lead and not lead.differs]:
        parts.append(f"The seeds show no difference from the next best by {', '.join(unclear)}")
    return ". ".join(part for part in parts if part)


def _named(told: Sequence[str], jobs: "pd.DataFrame") -> str:
    return " ".join(f"{key.rpartition('.')[2]}={jobs[key].iloc[0]}" for key in told) or "all runs"


def _best(
    name: str, jobs: "Mapping[str, pd.DataFrame]", alike: Mapping[Hashable, frozenset[str]], objective: bool
) -> Best:
    counts = {config: int(each[name].notna().sum()) for config, each in jobs.items()}
    means = {config: float(jobs[config][name].mean()) for config, count in counts.items() if count}
    first, *others = sorted(means, key=lambda config: -means[config])
    own = jobs[first]
    metrics = {str(key): value for key, value in own.mean(numeric_only=True).dropna().items()}
    common = frozenset.intersection(*(alike.get(row, frozenset()) for row in own.index[own[name].notna()]))
    (headline,) = (each for each in headlines(metrics, upper_bounds(metrics), common) if each.name == name)
    if objective:
        headline = replace(headline, about=f"the objective: {headline.about}")
    values = own[name].dropna().to_numpy()
    interval = mean_interval(values)
    repeated = max(counts.values()) > 1
    told = {config: f"{config} (1 seed)" if repeated and counts[config] == 1 else config for config in means}
    after = [(told[config], means[config]) for config in others[:FOLLOW]]
    lead = _lead(name, own, jobs[others[0]]) if others else None
    return Best(headline, told[first], interval.low, interval.high, len(values), after, lead)


def _lead(name: str, best: "pd.DataFrame", other: "pd.DataFrame") -> Lead | None:
    """Return how far one configuration is ahead of another; None without two seeds in common."""
    if SEED not in best:
        return None
    mine, others = (jobs.loc[jobs[name].notna()] for jobs in (best, other))
    if len(set(mine[SEED]) & set(others[SEED])) < 2:
        return None
    tested = paired(others, mine, [name]).tables["paired"].iloc[0]
    return Lead(tested["difference"], tested["low"], tested["high"], tested["p"], int(tested["seeds"]))
