"""Summary of all jobs of a command: a table, its charts, the last lines on the terminal, the exit code."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from experiments import comparison, report, tracking
from experiments.comparison.seed_tables import cell
from experiments.comparison.seeds import SEED
from experiments.comparison.summary_tables import summary_tables
from experiments.config import commands, compose
from experiments.config.compose import ROOT
from experiments.config.overrides import plain_value
from experiments.config.run_names import short_keys
from experiments.figures import Lines
from experiments.job import clusters, console
from experiments.job.perform import Outcome
from experiments.messages import command, counted
from experiments.metric_names import Name, comparable, main_metrics
from experiments.metrics import VALIDATION

if TYPE_CHECKING:
    import pandas as pd

SERVE = Path(__file__).parents[3] / "mlflow" / "serve.sh"
SERVED = "http://127.0.0.1:5000"  # the default address of mlflow/serve.sh


@dataclass(frozen=True)
class Recording:
    """MLflow store and experiment of the results.

    Parameters
    ----------
    uri
        MLflow's store or server.
    experiment_id
        MLflow's experiment, for a link to its page.
    unrecorded
        The reason why a sweep's parent run is not recorded, or "".
    """

    uri: str
    experiment_id: str = ""
    unrecorded: str = ""


def to_frame(outcomes: Sequence[Outcome], swept: Sequence[str]) -> "pd.DataFrame":
    """Return a row per job: swept settings, protocol, all metrics, status, seconds, run id."""
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
    """Return the typed and swept settings of a job by key."""
    typed = [override for override in compose.parse(outcome.overrides) if not override.is_delete()]
    return {override.key_or_group: plain_value(override) for override in typed}


def job_name(outcome: Outcome, swept: Sequence[str]) -> str:
    """Return a job's name by its swept settings, short enough for an axis: k=10 seed=0."""
    values = settings(outcome)
    return " ".join(f"{short}={values.get(key, '')}" for key, short in short_keys(swept).items()) or "run"


def main_columns(rows: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Return the first columns of a table: swept settings, protocol and main metrics."""
    return list(dict.fromkeys([*swept, "protocol", *main_metrics(rows)]))


def charts(rows: "pd.DataFrame", swept: Sequence[str]) -> dict[str, Lines]:
    """Return a chart of the main metrics over each swept setting, averaged over the other settings.

    Metrics that cannot compare the swept settings are left out.

    Configurations repeated with several seeds are one point with a 95 % interval over the seeds.
    """
    done = rows[rows["status"] == "FINISHED"]
    metrics = [
        name
        for name in main_metrics(done)
        if Name.parse(name).row.charted == "together" and comparable(name, swept)
    ]
    if len(done) < 2 or not metrics:
        return {}
    protocols = ", ".join(sorted(set(done["protocol"])))
    keys = [key for key in swept if key != SEED] or list(swept)
    repeated = SEED in swept and keys != [SEED]
    averaged = " (mean over the rest)" if len(keys) > 1 else " (mean over the seeds)" if repeated else ""
    return {f"sweep_{key}": _over(key, done, metrics, protocols, averaged, repeated) for key in keys}


def _over(
    key: str, done: "pd.DataFrame", metrics: Sequence[str], protocols: str, averaged: str, repeated: bool
) -> Lines:
    ends = comparison.over_seeds(done, key, metrics) if repeated else {}
    means = ends["value"] if repeated else done.groupby(key, sort=True)[list(metrics)].mean()
    values = list(means.index)
    numeric = all(isinstance(value, (int, float)) for value in values)
    positions = [float(value) for value in values] if numeric else [float(n) for n in range(len(values))]
    low, high = (
        {metric: ends[end][metric].tolist() for metric in metrics if ends[end][metric].notna().any()}
        if repeated
        else {}
        for end in ("low", "high")
    )
    return Lines(
        f"Main metrics over {key}, protocol {protocols}" + ("; bands: 95 % interval" if low else ""),
        f"{key}{averaged}",
        "",
        positions,
        {metric: means[metric].tolist() for metric in metrics},
        log_x=min(positions) > 0 and max(positions) / min(positions) >= 10,
        ticks=[str(value) for value in values],
        dashed=[metric for metric in metrics if Name.parse(metric).row.bound],
        low=low,
        high=high,
    )


def print_summary(
    outcomes: Sequence[Outcome],
    swept: Sequence[str],
    folder: Path,
    recording: Recording,
    before: Sequence[str] = (),
    stable: "pd.DataFrame | None" = None,
) -> int:
    """Print tables, failures and how to compare the runs; return the exit code.

    Parameters
    ----------
    before
        Cache keys that were computed before the first job.
    stable
        The stability table of a sweep, which is computed from its clusterings.
    """
    done = [(number, outcome) for number, outcome in enumerate(outcomes) if outcome.status == "FINISHED"]
    if done:
        _print_metrics(done, swept, stable)
        if not swept:
            clusters.print_clusters(folder)
        _print_all_seconds(done, swept)
        console.print_line(_computed(outcomes, before))
    faults = [*_failures(outcomes, swept), *_unrecorded(outcomes, recording.unrecorded, folder)]
    for fault in [*_unfinished(outcomes), *faults]:
        console.print_error(fault)
    run = outcomes[0].parent or outcomes[0].run_id if outcomes else ""
    if run:
        console.print_line(f"{'sweep' if swept or len(outcomes) > 1 else 'run'}: {run}")
    console.print_line(f"results: {folder}")
    if (folder / report.REPORT_FILE).exists():
        console.print_line(f"report: {(folder / report.REPORT_FILE).as_uri()}")
    for line in clusters.next_commands(folder, run, recording.uri) if done and not swept else ():
        console.print_line(line)
    console.print_line(f"compare: {_how_to_compare(recording)}")
    return 1 if faults else 0


def _computed(outcomes: Sequence[Outcome], before: Sequence[str]) -> str:
    """Return a line with the numbers of computed and reused values, and the values computed repeatedly."""
    counts = Counter([*before, *(key for outcome in outcomes for key in outcome.computed)])
    repeated = [key for key, count in counts.items() if count > 1]
    reused = len({key for outcome in outcomes for key in outcome.reused} - set(counts))
    line = f"computed {counted(len(counts), 'value')}, reused {reused} from the cache"
    return f"{line}; computed more than once: {', '.join(repeated)}" if repeated else line


def _unfinished(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the reason of the first job whose training stopped early."""
    stopped = [outcome.stopped for outcome in outcomes if outcome.status == "FINISHED" and outcome.stopped]
    return [f"not finished: training stopped {reason}" for reason in stopped[:1]]


def _failures(outcomes: Sequence[Outcome], swept: Sequence[str]) -> list[str]:
    """Return a line for each job that did not finish: status, number, settings and reason."""
    lines = []
    for number, outcome in enumerate(outcomes):
        if outcome.status != "FINISHED":
            settings = [o for o in outcome.overrides if compose.key_of(o) in swept] or outcome.overrides
            reason = f": {outcome.error}" if outcome.error else ""
            lines.append(f"{outcome.status} job {number} {' '.join(settings)}{reason}")
    return lines


def _unrecorded(outcomes: Sequence[Outcome], reason: str, folder: Path) -> list[str]:
    """Return a line with the number of results that are not recorded, and the reason, if any."""
    reasons = [outcome.unrecorded for outcome in outcomes if outcome.unrecorded]
    why = next(iter([*reasons, reason]))
    if not why:
        return []
    return [f"{why}; {len(reasons)} of {len(outcomes)} results are not recorded; all results are in {folder}"]


def _how_to_compare(recording: Recording) -> str:
    """Return the link to the results in MLflow, with the command that starts a server for a local store."""
    uri, experiment_id = recording.uri, recording.experiment_id
    page = f"/{tracking.metrics_page(experiment_id)}" if experiment_id else ""
    if uri.startswith("http"):
        return commands.page_link(uri, page)
    if "://" not in uri:
        return uri
    start = f"mlflow server --backend-store-uri {command(commands.redacted_uri(uri))}"
    if uri == commands.DEFAULT_STORE:
        start = "make ui" if Path.cwd() == ROOT else f"make -C {shlex.quote(str(ROOT))} ui"
    elif uri.startswith("sqlite:///") and SERVE.exists():
        store = shlex.quote(uri.removeprefix("sqlite:///").partition("?")[0])
        start = f"STORE={store} sh {shlex.quote(str(SERVE))}"
    return f"{start}, then open {SERVED}{page}" if page else start


def _print_metrics(
    done: Sequence[tuple[int, Outcome]], swept: Sequence[str], stable: "pd.DataFrame | None"
) -> None:
    """Print the main metrics: a row per job, or per configuration if seeds repeat it."""
    rows = to_frame([outcome for _, outcome in done], swept)
    compared = comparison.compare(rows, swept).tables | comparison.label_free(rows, swept, stable).tables
    compared |= {} if stable is None else {"stability": stable}
    main = main_columns(rows, swept)
    title = f"metrics, protocol {', '.join(sorted(set(rows['protocol'])))}"
    if any(Name.parse(metric).rows == VALIDATION for metric in main_metrics(rows)):
        title += "; _validation: rows that the backbone was not trained on"
    if not swept:
        rows.insert(0, "run", [str(number) for number, _ in done])
        main = ["run", *main]
    first, *others = summary_tables(rows, main, compared)
    if main_metrics(rows):
        _print("; ".join(filter(None, [title, first.title])), first.rows)
    for table in others:
        _print(table.title, table.rows)


def _print(title: str, table: "pd.DataFrame") -> None:
    rows = [[cell(value) for value in row] for row in table.itertuples(index=False, name=None)]
    console.table(title, [str(column) for column in table.columns], rows)


def _print_all_seconds(done: Sequence[tuple[int, Outcome]], swept: Sequence[str]) -> None:
    """Print the seconds of each step: a row per job, or per configuration if seeds repeat it."""
    if SEED not in swept:
        _print_seconds("seconds", ["job"], {(str(number),): [outcome] for number, outcome in done})
        return
    keys = [key for key in swept if key != SEED]
    jobs: dict[tuple[str, ...], list[Outcome]] = {}
    for _, outcome in done:
        values = settings(outcome)
        jobs.setdefault(tuple(str(values.get(key, "")) for key in keys), []).append(outcome)
    with_counts = {(*values, str(len(group))): group for values, group in jobs.items()}
    _print_seconds("seconds, mean over the jobs that computed the step", [*keys, "jobs"], with_counts)


def _print_seconds(
    title: str, names: Sequence[str], jobs: Mapping[tuple[str, ...], Sequence[Outcome]]
) -> None:
    steps = list(next(iter(jobs.values()))[0].seconds)
    rows = []
    for labels, group in jobs.items():
        seconds = [[o.seconds[step] for o in group if o.seconds.get(step) is not None] for step in steps]
        cells = [
            f"{fmean(times):.2f}" if times else "read before" if step == "dataset" else "cached"  # type: ignore[arg-type]
            for step, times in zip(steps, seconds, strict=True)
        ]
        rows.append([*labels, *cells, f"{fmean(outcome.total for outcome in group):.2f}"])
    console.table(title, [*names, *steps, "total"], rows)
