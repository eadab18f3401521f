"""The best configuration of a sweep, by each main metric."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.comparison.intervals import mean_interval
from experiments.comparison.paired import paired
from experiments.comparison.seeds import SEED, configuration
from experiments.metric_names import LABEL_FREE, Name, comparable
from experiments.report.contents import Headline
from experiments.report.headlines import headlines, upper_bounds

if TYPE_CHECKING:
    import pandas as pd

RUNNERS_UP = 2  # configurations listed after the best
K_SETTING = "cluster.k"


@dataclass(frozen=True)
class Lead:
    """The lead of the best configuration over the next best, paired over common seeds.

    Parameters
    ----------
    low, high
        Student's 95 % interval of the mean difference.
    p
        p-value of the paired t test; nan if the difference is the same for all seeds.
    """

    difference: float
    low: float
    high: float
    p: float
    seeds: int

    @property
    def differs(self) -> bool:
        """True if the whole interval is above zero."""
        return self.low > 0

    def __str__(self) -> str:
        """Describe the difference and its significance."""
        if self.p != self.p:
            return (
                f"better by {self.difference:.2g} with each of {self.seeds} seeds"
                if self.difference
                else "equal"
            )
        conclusion = "differs" if self.differs else "no significant difference"
        interval = f"{self.low:.2g} to {self.high:.2g}"
        better = f"better by {self.difference:.2g} ({interval})"
        return f"{conclusion}: {better}, p = {self.p:.2g}, {self.seeds} seeds"


@dataclass(frozen=True)
class BestConfig:
    """The best configuration by one metric.

    Parameters
    ----------
    config
        Its settings, followed by `(1 seed)` if it has one seed and others have several.
    low, high
        The 95 % interval of the mean over seeds; nan for one seed.
    runners_up
        The next best configurations, with their means.
    lead
        The lead over the first runner-up; None with fewer than two common seeds.
    """

    headline: Headline
    config: str
    low: float
    high: float
    seeds: int
    runners_up: Sequence[tuple[str, float]]
    lead: Lead | None = None


def best_configs(
    rows: "pd.DataFrame",
    swept: Sequence[str],
    main: Sequence[str],
    objective: str,
    equal_counts: Sequence[Collection[str]] = (),
) -> list[BestConfig]:
    """Return the best configuration by the objective and by each main metric that can choose configurations.

    A silhouette chooses none if reducers are swept, as it is measured in the space of each.

    Parameters
    ----------
    rows, swept, main, objective, equal_counts
        As in `SweepContents`.
    """
    finished = rows[rows["status"] == "FINISHED"]
    suffixes_of = {row: frozenset(suffixes) for row, suffixes in zip(rows.index, equal_counts, strict=False)}
    metrics = [Name.parse(name) for name in dict.fromkeys([objective, *main]) if name in finished]
    names = [
        str(name) for name in metrics if name.row.chooses and not name.noise and comparable(str(name), swept)
    ]
    settings = configuration(swept)
    varying = [key for key in settings if finished[key].nunique(dropna=False) > 1]
    grouped = finished.groupby(settings, sort=False, dropna=False)
    groups = {_config_name(varying, group): group for _, group in grouped if len(group)}
    return [
        _best_config(name, groups, suffixes_of, name == objective, compare=not _depends_on_k(name, swept))
        for name in names
        if finished[name].notna().any()
    ]


def _depends_on_k(metric: str, swept: Sequence[str]) -> bool:
    """Return True in a sweep over k for a metric that changes with k by itself."""
    return K_SETTING in swept and Name.parse(metric).row.across_k not in ("comparable", "")


def verdict(bests: Sequence[BestConfig], swept: Sequence[str]) -> str:
    """Describe the best configurations and their metrics; "" for a single configuration.

    In sweeps over k, only metrics that are comparable across k count, or silhouettes if there is no other.
    The text mentions metrics by which the best and the next best do not differ significantly, and the number
    of seeds.
    """
    if not any(best.runners_up for best in bests):
        return ""
    usable = [best for best in bests if not _depends_on_k(best.headline.name, swept)]
    silhouettes = [best for best in bests if best.headline.name in LABEL_FREE and not usable]
    left_out = [best.headline.name for best in bests if best not in usable + silhouettes]
    metrics_of: dict[str, list[str]] = {}
    for best in usable or silhouettes:
        metrics_of.setdefault(best.config, []).append(best.headline.name)
    seeds = max(best.seeds for best in bests)
    over = f"Means over {seeds} seeds: " if metrics_of and seeds > 1 else ""
    chosen = "; ".join(f"{config} by {', '.join(metrics)}" for config, metrics in metrics_of.items())
    sentences = [f"{over}{chosen}"]
    if left_out:
        verbs = (
            "change with k by themselves, so they do"
            if len(left_out) > 1
            else "changes with k by itself, so it does"
        )
        sentences.append(f"{', '.join(left_out)} {verbs} not count")
    if not usable:
        sentences.append(
            "Without labels k is a choice: look at the clusters of several k, or type "
            "evaluator=[internal,k_selection]"
        )
    leads = {best.headline.name: best.lead for best in usable}
    if unclear := [metric for metric, lead in leads.items() if lead and not lead.differs]:
        sentences.append(
            f"The seeds show no significant difference from the next best by {', '.join(unclear)}"
        )
    return ". ".join(filter(None, sentences))


def _config_name(settings: Sequence[str], group: "pd.DataFrame") -> str:
    return " ".join(f"{key.rpartition('.')[2]}={group[key].iloc[0]}" for key in settings) or "all runs"


def _best_config(
    name: str,
    groups: "Mapping[str, pd.DataFrame]",
    suffixes_of: Mapping[Hashable, frozenset[str]],
    objective: bool,
    *,
    compare: bool,
) -> BestConfig:
    counts = {config: int(group[name].notna().sum()) for config, group in groups.items()}
    means = {config: float(groups[config][name].mean()) for config, count in counts.items() if count}
    best, *others = sorted(means, key=lambda config: -means[config])
    rows = groups[best]
    metrics = {str(key): value for key, value in rows.mean(numeric_only=True).dropna().items()}
    done = rows.index[rows[name].notna()]
    suffixes = frozenset.intersection(*(suffixes_of.get(row, frozenset()) for row in done))
    candidates = headlines(metrics, upper_bounds(metrics), suffixes)
    (headline,) = (candidate for candidate in candidates if candidate.name == name)
    if objective:
        headline = replace(headline, about=f"the objective: {headline.about}")
    values = rows[name].dropna().to_numpy()
    interval = mean_interval(values)
    repeated = max(counts.values()) > 1
    labels = {
        config: f"{config} (1 seed)" if repeated and counts[config] == 1 else config for config in means
    }
    runners_up = [(labels[config], means[config]) for config in others[:RUNNERS_UP]]
    lead = _compare(name, rows, groups[others[0]]) if others and compare else None
    return BestConfig(headline, labels[best], interval.low, interval.high, len(values), runners_up, lead)


def _compare(name: str, best: "pd.DataFrame", other: "pd.DataFrame") -> Lead | None:
    """Return the lead of one configuration over another; None with fewer than two common seeds."""
    if SEED not in best:
        return None
    best_rows, other_rows = (jobs.loc[jobs[name].notna()] for jobs in (best, other))
    if len(set(best_rows[SEED]) & set(other_rows[SEED])) < 2:
        return None
    result = paired(other_rows, best_rows, [name]).tables["paired"].iloc[0]
    return Lead(result["difference"], result["low"], result["high"], result["p"], int(result["seeds"]))
