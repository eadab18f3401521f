"""What all jobs of a command found: one table, one chart, the last lines on the terminal, the exit code."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import compose, console
from experiments.compose import ROOT
from experiments.job import Outcome

if TYPE_CHECKING:
    import pandas as pd

MAIN_METRICS = (
    "ari",
    "ami",
    "nmi",
    "purity",
    "purity_ceiling",
    "purity_validation",
    "acc",
    "silhouette",
    "inertia",
)
MARKERS = "os^vDPXd"  # of lines that lie on each other


def to_frame(outcomes: Sequence[Outcome], swept: Sequence[str]) -> "pd.DataFrame":
    """Return one row per job: what was swept, protocol, every metric, status, seconds, run."""
    import pandas as pd

    rows = []
    for outcome in outcomes:
        values = settings(outcome)
        row: dict[str, Any] = {key: values.get(key, "") for key in swept}
        row |= {"protocol": outcome.protocol} | outcome.metrics
        rows.append(row | {"status": outcome.status, "seconds": outcome.total, "run_id": outcome.run_id})
    table = pd.DataFrame(rows)
    first = main_columns(table, swept)
    return table[[*first, *(name for name in table if name not in first)]]


def settings(outcome: Outcome) -> dict[str, Any]:
    """Return what was typed for a job, or swept, by key."""
    typed = [override for override in compose.parse(outcome.overrides) if not override.is_delete()]
    return {override.key_or_group: override.value() for override in typed}


def main_columns(rows: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Name what a person reads first: what was swept, and the main metrics that there are."""
    return list(dict.fromkeys([*swept, "protocol", *(name for name in MAIN_METRICS if name in rows)]))


def draw(rows: "pd.DataFrame", swept: Sequence[str], path: Path) -> None:
    """Draw the main metrics over each setting that was swept, as a PNG."""
    done = rows[rows["status"] == "FINISHED"]
    metrics = [name for name in MAIN_METRICS if name in done and name != "inertia"]
    if len(done) < 2 or not metrics or not swept:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    size = (5.6 * len(swept) + 1.8, 4.4)
    figure, axes = plt.subplots(1, len(swept), figsize=size, squeeze=False, layout="constrained", dpi=120)
    for axis, key in zip(axes[0], swept, strict=True):
        _draw_over(axis, key, done, metrics)
        axis.set_xlabel(key if len(swept) == 1 else f"{key} (mean over the rest)")
    axes[0][-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.suptitle(f"protocol {', '.join(sorted(set(done['protocol'])))}", fontsize="medium")
    figure.savefig(path)
    plt.close(figure)


def _draw_over(axis: Any, key: str, done: "pd.DataFrame", metrics: Sequence[str]) -> None:
    means = done.groupby(key, sort=True)[list(metrics)].mean()
    numeric = all(isinstance(value, (int, float)) for value in means.index)
    places = list(means.index) if numeric else list(range(len(means)))
    for metric, marker in zip(metrics, MARKERS, strict=False):
        style = "--" if metric == "purity_ceiling" else "-"
        axis.plot(places, means[metric], marker=marker, linestyle=style, label=metric, alpha=0.8)
    if numeric and min(places) > 0 and max(places) / min(places) >= 10:
        axis.set_xscale("log")
    axis.set_xticks(places, [str(value) for value in means.index])
    axis.minorticks_off()
    axis.set_ylim(min(0, float(means.min().min())), 1.03)
    axis.grid(alpha=0.3)


def show(
    outcomes: Sequence[Outcome],
    swept: Sequence[str],
    folder: Path,
    uri: str,
    before: Sequence[str] = (),
    lost: str = "",
) -> int:
    """Print tables, failures and how to compare; return the exit code.

    Parameters
    ----------
    before
        Keys of what was computed before the first job.
    lost
        Why the parent run of a sweep is not recorded, if so.
    """
    done = [(number, outcome) for number, outcome in enumerate(outcomes) if outcome.status == "FINISHED"]
    if done:
        _show_figures(done, swept)
        _show_seconds(done)
        counts = Counter([*before, *(key for outcome in outcomes for key in outcome.computed)])
        twice = [key for key, count in counts.items() if count > 1]
        again = f"; more than once: {', '.join(twice)}" if twice else ", each once"
        kept = len({key for outcome in outcomes for key in outcome.kept} - set(counts))
        console.say(f"computed {len(counts)} distinct values{again if counts else ''}; read {kept} kept ones")
    for _, outcome in done:
        if outcome.stopped:
            console.complain(f"not finished: training stopped {outcome.stopped}")
            break
    failures = [(number, outcome) for number, outcome in enumerate(outcomes) if outcome.status != "FINISHED"]
    for number, outcome in failures:
        reason = f": {outcome.error}" if outcome.error else ""
        console.complain(f"{outcome.status} job {number} {' '.join(outcome.overrides)}{reason}")
    unrecorded = [outcome.lost for outcome in outcomes if outcome.lost]
    if unrecorded or lost:
        reason, count = (unrecorded or [lost])[0], len(unrecorded)
        console.complain(
            f"{reason}; {count} of {len(outcomes)} results are not recorded, all are in {folder}"
        )
    console.say(f"results: {folder}")
    console.say(f"compare: {_how_to_compare(uri)}")
    return 1 if failures or unrecorded or lost else 0


def _how_to_compare(uri: str) -> str:
    if uri == f"sqlite:///{ROOT / 'mlflow' / 'mlflow.db'}":
        return "make ui" if Path.cwd() == ROOT else f"make -C {ROOT} ui"
    return f"mlflow server --backend-store-uri {uri}" if "://" in uri and not uri.startswith("http") else uri


def _show_figures(done: Sequence[tuple[int, Outcome]], swept: Sequence[str]) -> None:
    metrics = [name for name in MAIN_METRICS if any(name in outcome.metrics for _, outcome in done)]
    rows = []
    for number, outcome in done:
        values = settings(outcome)
        first = [str(values.get(key, "")) for key in swept] or [str(number)]
        rows.append([*first, *(f"{outcome.metrics[m]:.4g}" if m in outcome.metrics else "" for m in metrics)])
    title = f"figures, protocol {', '.join(sorted({outcome.protocol for _, outcome in done}))}"
    if "purity_validation" in metrics:
        title += "; _validation: rows that the backbone was not trained on"
    console.table(title, [*(swept or ["run"]), *metrics], rows)


def _show_seconds(done: Sequence[tuple[int, Outcome]]) -> None:
    steps = list(done[0][1].seconds)
    rows = []
    for number, outcome in done:
        times = [outcome.seconds.get(step) for step in steps]
        spent = ["kept" if value is None else f"{value:.2f}" for value in times]
        rows.append([str(number), *spent, f"{outcome.total:.2f}"])
    console.table("seconds", ["job", *steps, "in all"], rows)
