"""What belongs to all jobs of one multirun: parent run, table, chart, exit code."""

import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments import config, console, job, tracking
from experiments.job import Outcome

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PARENT = "EXPERIMENTS_PARENT"  # the parent's run id, for the jobs wherever they run
SWEPT = "EXPERIMENTS_SWEPT"  # the keys that the jobs differ in
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


def run_job(cfg: DictConfig) -> float | None:
    """Run the job that Hydra composed; an error is kept in its result and does not stop the others."""
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = list(hydra.overrides.task)
    swept = json.loads(os.environ.get(SWEPT, "[]"))
    name = " ".join(o for o in overrides if o.partition("=")[0] in swept) or " ".join(overrides) or "run"
    outcome = Outcome(overrides)
    log.info("%s", name)
    try:
        job.perform(
            cfg, folder, outcome, name=name, choices=config.choices(), parent=os.environ.get(PARENT, "")
        )
    except Exception as error:  # every failure of a job ends in its result; the sweep names it at the end
        outcome.status, outcome.error = "FAILED", outcome.error or job.explain(error, folder)
        outcome.save(folder)
        log.error("FAILED %s: %s", name, outcome.error)
    return outcome.metrics.get(str(cfg.objective))


class Sweep:
    """The parent run of several jobs.

    Parameters
    ----------
    folder
        Where the jobs leave their results, one folder each.
    swept
        The keys that the jobs differ in.
    jobs
        How many there are to be; None if an optimiser decides.
    """

    def __init__(self, plan: config.Plan, folder: Path, swept: Sequence[str], jobs: int | None) -> None:
        self.folder = folder
        self.swept = list(swept)
        self.jobs = jobs
        folder.mkdir(parents=True, exist_ok=True)
        tracker = tracking.connect(plan.tracking, plan.stages.dataset.name)
        name = f"sweep of {', '.join(swept)}" if swept else "sweep"
        self._stack = ExitStack()
        self.run = self._stack.enter_context(tracker.run(name, folder, params={}, tags={"sweep": "parent"}))
        os.environ[PARENT] = self.run.id
        os.environ[SWEPT] = json.dumps(self.swept)

    def close(self, error: BaseException | None = None) -> list[Outcome]:
        """Write table and chart, record them, end the parent run; return how the jobs ended."""
        for variable in (PARENT, SWEPT):
            os.environ.pop(variable, None)
        outcomes = collect(self.folder, self.jobs)
        try:
            with self._stack:
                self._write(outcomes)
                failed = [outcome for outcome in outcomes if outcome.status != "FINISHED"]
                if error is not None:
                    raise error
                if failed:
                    raise JobsFailedError(f"{len(failed)} of {len(outcomes)} jobs failed")
        except (JobsFailedError, KeyboardInterrupt):
            pass
        return outcomes

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        rows = to_frame(outcomes, self.swept)
        rows.to_csv(self.folder / "sweep.csv", index=False)
        (self.folder / "sweep.md").write_text(rows.to_markdown(index=False, floatfmt=".4g") + "\n")
        draw(rows, self.swept, self.folder / "sweep.png")
        for name in ("sweep.csv", "sweep.md", "sweep.png"):
            if (self.folder / name).exists():
                self.run.artifact(self.folder / name)


class JobsFailedError(Exception):
    """Some jobs of a sweep did not finish."""


def collect(folder: Path, jobs: int | None) -> list[Outcome]:
    """Read what the jobs left, in their order; one that left nothing failed."""
    found = {path.parent.name: Outcome.load(path.parent) for path in folder.glob(f"*/{job.RESULT}")}
    numbers = sorted((name for name in found if name.isdigit()), key=int)
    expected = [str(number) for number in range(jobs)] if jobs is not None else numbers
    missing = Outcome([], status="FAILED", error="its process ended without a result")
    return [found.get(name, missing) for name in expected]


def to_frame(outcomes: Sequence[Outcome], swept: Sequence[str]) -> "pd.DataFrame":
    """Return one row per job: what was swept, every metric, status, seconds, run."""
    import pandas as pd

    rows = []
    for outcome in outcomes:
        values = dict(override.partition("=")[::2] for override in outcome.overrides)
        row: dict[str, Any] = {key: _number(values.get(key, "")) for key in swept}
        row |= outcome.metrics
        rows.append(row | {"status": outcome.status, "seconds": outcome.total, "run_id": outcome.run_id})
    return pd.DataFrame(rows)


def draw(rows: "pd.DataFrame", swept: Sequence[str], path: Path) -> None:
    """Draw the main metrics over each setting that was swept, as a PNG."""
    done = rows[rows["status"] == "FINISHED"]
    metrics = [name for name in MAIN_METRICS if name in done and name != "inertia"]
    if len(done) < 2 or not metrics or not swept:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, len(swept), figsize=(6.4 * len(swept), 4.4), squeeze=False, layout="constrained", dpi=120
    )
    for axis, key in zip(axes[0], swept, strict=True):
        means = done.groupby(key, sort=True)[metrics].mean()
        numeric = all(isinstance(value, (int, float)) for value in means.index)
        places = list(means.index) if numeric else list(range(len(means)))
        for metric in metrics:
            axis.plot(places, means[metric], marker="o", label=metric)
        if numeric and min(places) > 0 and max(places) / min(places) >= 10:
            axis.set_xscale("log")
        axis.set_xticks(places, [str(value) for value in means.index])
        axis.minorticks_off()
        axis.set_xlabel(key if len(swept) == 1 else f"{key} (mean over the rest)")
        axis.grid(alpha=0.3)
    axes[0][-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path)
    plt.close(figure)


def show(outcomes: Sequence[Outcome], swept: Sequence[str], folder: Path, uri: str) -> int:
    """Print tables, failures and how to compare; return the exit code."""
    done = [(number, outcome) for number, outcome in enumerate(outcomes) if outcome.status == "FINISHED"]
    if done:
        _show_figures(done, swept)
        _show_seconds(done)
        counts = Counter(key for outcome in outcomes for key in outcome.computed)
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
        console.complain(f"{outcome.status} job {number} {' '.join(outcome.overrides)}: {outcome.error}")
    lost = [outcome.lost for _, outcome in done if outcome.lost]
    if lost:
        console.complain(f"{lost[0]}; {len(lost)} results are not recorded, they are kept in {folder}")
    console.say(f"results: {folder}")
    console.say(f"compare: {'make ui' if uri.startswith('sqlite:') else uri}")
    return 1 if failures or lost else 0


def _show_figures(done: Sequence[tuple[int, Outcome]], swept: Sequence[str]) -> None:
    metrics = [name for name in MAIN_METRICS if any(name in outcome.metrics for _, outcome in done)]
    rows = []
    for number, outcome in done:
        values = dict(override.partition("=")[::2] for override in outcome.overrides)
        settings = [values.get(key, "") for key in swept] or [str(number)]
        figures = [f"{outcome.metrics[m]:.4g}" if m in outcome.metrics else "" for m in metrics]
        rows.append([*settings, *figures])
    console.table("figures", [*(swept or ["run"]), *metrics], rows)


def _show_seconds(done: Sequence[tuple[int, Outcome]]) -> None:
    steps = list(done[0][1].seconds)
    rows = []
    for number, outcome in done:
        times = [outcome.seconds.get(step) for step in steps]
        spent = ["kept" if value is None else f"{value:.2f}" for value in times]
        rows.append([str(number), *spent, f"{outcome.total:.2f}"])
    console.table("seconds", ["job", *steps, "in all"], rows)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
