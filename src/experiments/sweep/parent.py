"""Parent run of a sweep, with tables and figures over all its jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import comparison, figures, report, tracking
from experiments.config import compose
from experiments.config.invocation import Invocation
from experiments.config.plan import Plan
from experiments.config.run_names import run_name
from experiments.figures import Figure
from experiments.job import console, run_folder, summary
from experiments.job.perform import Outcome
from experiments.recorded import PARENT_TAG
from experiments.report import notes, tables
from experiments.store.cache import Store
from experiments.sweep import best_model, resumption
from experiments.sweep.clusterings import compare_clusterings
from experiments.sweep.k_over_seeds import k_over_seeds
from experiments.sweep.outcomes import collect_outcomes, read_outcomes, values
from experiments.sweep.shared_results import merge, shared_findings, shared_training
from experiments.sweep.state import SweepState
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd


TABLE = ("sweep.csv", "sweep.md")  # a row per job


class Sweep:
    """The parent run of a sweep's jobs.

    Parameters
    ----------
    folder
        The folder of the sweep, with a subfolder per job.
    swept
        The keys whose values differ between the jobs.
    jobs
        The overrides of each job; None if an optimiser decides.
    state
        The state of the sweep, for resuming it later; None if an optimiser decides.
    resumed
        The earlier attempt that this sweep continues.

    Raises
    ------
    ConnectionError
        The sweep cannot be recorded.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        swept: Sequence[str],
        jobs: Sequence[Sequence[str]] | None,
        state: SweepState | None = None,
        resumed: resumption.ResumableSweep | None = None,
    ) -> None:
        self.folder = folder
        self.swept = list(swept)
        self.jobs = jobs
        self.command = state.command if state else self.swept
        self.resumed = resumed
        self.plan = plan
        self.stable: pd.DataFrame | None = None
        self.best: best_model.Best | None = None
        tracker = tracking.connect(plan.tracking, plan.stages.dataset.display_name)
        if resumed is not None:
            tracker = tracking.Tracker(resumed.uri, resumed.experiment_id)
            self.run = resumption.reopen(resumed)
            self.state: SweepState | None = resumed.state
        else:
            tags = state.tags(folder) if state else {PARENT_TAG: "parent"}
            self.run = tracker.open(
                self._settings or self.name, folder, params=values(jobs or (), swept), tags=tags
            )
            tracking.show_swept(tracker, self.swept)
            folder.mkdir(parents=True, exist_ok=True)
            self.state = replace(state, run_id=self.run.id) if state else None
            if self.state:
                self.state.save(folder)
        self.parent = tracking.Parent(tracker.uri, tracker.experiment_id, self.run.id)

    def for_jobs(self, invocation: Invocation) -> Invocation:
        """Return an invocation with this sweep as the parent of its jobs."""
        parent, resumed = (self.parent.uri, self.parent.experiment_id, self.run.id), self.resumed is not None
        return replace(
            invocation, folder=str(self.folder), swept=tuple(self.swept), parent=parent, resumed=resumed
        )

    @property
    def name(self) -> str:
        """Name of the sweep in its report: its swept settings, or all if a preset sweeps."""
        swept = [override for override in self.command if compose.key_of(override) in self.swept]
        settings = run_name(swept) if swept else self._settings
        return f"sweep of {settings}" if settings else "sweep"

    @property
    def _settings(self) -> str:
        """Name of the sweep's run: its typed settings, swept ones first."""
        first = sorted(self.command, key=lambda override: compose.key_of(override) not in self.swept)
        return run_name(first) if first else ""

    @property
    def unrecorded(self) -> str:
        """The reason why the tables and figures are not recorded, or ""."""
        return self.run.unrecorded

    def close(self, error: BaseException | None = None) -> list[Outcome]:
        """Write and record tables and figures, and end the parent run; return the outcomes of the jobs.

        Parameters
        ----------
        error
            The error that stopped the sweep. It is recorded but not raised.
        """
        interrupted = error is not None and not isinstance(error, Exception)
        outcomes: list[Outcome] = []
        try:
            with self.run:
                self.run.end_children()
                outcomes = collect_outcomes(self.folder, self.jobs, self.run.id, interrupted=interrupted)
                if outcomes:
                    text = self._record(outcomes)
                    self.run.describe(text, has_reason=error is None)
                failed = [outcome for outcome in outcomes if outcome.status != "FINISHED"]
                if error is not None:
                    raise error
                if failed:
                    raise JobsFailedError(f"{len(failed)} of {len(outcomes)} jobs failed")
        except JobsFailedError:
            pass
        except BaseException as raised:
            if raised is not error:
                raise
        return outcomes

    def _record(self, outcomes: Sequence[Outcome]) -> str:
        """Record the table of all jobs first, as later steps may fail, then the rest; describe the sweep."""
        rows = summary.to_frame(outcomes, self.swept)
        self._list_files(TABLE)
        tables.write(_numbered(rows, outcomes), self.folder, "sweep")
        for file in TABLE:
            self.run.artifact(self.folder / file)
        jobs = read_outcomes(self.folder, self.run.id)
        self.best = best_model.find_best(jobs, self.plan.settings.objective, self.swept)
        compared = self._write(rows, outcomes)
        if self.best:
            best_model.record_best_metrics(self.best, self.swept, self.run)
        assigns = best_model.record_best(self.best, jobs, self.plan, self.swept, self.run)
        return self._description(rows, outcomes, compared, assigns)

    def _write(self, rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> "Mapping[str, pd.DataFrame]":
        """Write and record the tables and figures over all jobs; return the tables."""
        store = Store(Path(self.plan.cache.root), enabled=self.plan.cache.enabled, compute=False)
        compared = self._compare(rows, outcomes)
        training = shared_training(self.folder, self.run.id)
        choice = k_over_seeds(outcomes, self.plan.stages.evaluators, store)
        if choice.tables:
            console.print_line(f"choice of k: {choice.tables['k_agreement']['verdict'].iloc[0]}")
        shown = merge(compared, shared_findings(outcomes, store), training, choice)
        all_figures: dict[str, Figure] = {**summary.charts(rows, self.swept), **shown.figures}
        drawn = {} if self.plan.settings.figures == "none" else all_figures  # the report shows all of them
        files = [f"{name}.{kind}" for name in shown.tables for kind in ("csv", "md")]
        files += [f"figures/{name}.{kind}" for name in drawn for kind in ("html", "png")]
        files += [] if self.plan.settings.report == "none" else [report.REPORT_FILE]
        before = self._list_files(files)
        for name, table in shown.tables.items():
            tables.write(table, self.folder, name)
        drawings = figures.save_figures(drawn, self.folder / "figures")
        if report.REPORT_FILE in files:
            written = {"sweep": _numbered(rows, outcomes)} | shown.tables
            self._report(rows, outcomes, all_figures, written, drawings)
        for file in files:
            self.run.artifact(self.folder / file)
        for file in before - {*TABLE, *files}:
            (self.folder / file).unlink(missing_ok=True)
            self.run.delete_artifact(file)
        self._list_files([*TABLE, *files], complete=True)
        return shown.tables

    def _compare(self, rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> Findings:
        """Compare the jobs by their metrics and by their clusterings."""
        folders = {job.number: path for path, job in read_outcomes(self.folder, self.run.id).items()}
        clusterings = compare_clusterings(rows, outcomes, self.swept, folders)
        findings = merge(comparison.compare(rows, self.swept), *clusterings)
        self.stable = findings.tables.get("stability")
        label_free = comparison.label_free(rows, self.swept, self.stable)
        return replace(findings, tables=findings.tables | label_free.tables)

    def _description(
        self,
        rows: "pd.DataFrame",
        outcomes: Sequence[Outcome],
        compared: "Mapping[str, pd.DataFrame]",
        assigns: bool,
    ) -> str:
        link = None
        if self.best:
            job, run_id = self.best.job, self.best.job.run_id
            page = self.run.sibling(run_id, self.best.folder).page() if run_id else ""
            name, objective = summary.job_name(job, self.swept), self.best.objective
            link = notes.BestJobLink(name, page, objective, self.best.value, self.best.seeds)
        return notes.of_sweep(
            rows,
            summary.main_columns(rows, self.swept),
            compared,
            run_id=self.run.id,
            uri=self.plan.tracking.uri,
            best=link,
            report="" if self.plan.settings.report == "none" else self.run.page(report.REPORT_FILE),
            errors=self._errors(outcomes),
            assigns=assigns,
        )

    def _errors(self, outcomes: Sequence[Outcome]) -> dict[str, str]:
        """Return the errors of failed jobs by the jobs' names."""
        errors = {summary.job_name(outcome, self.swept): outcome.error for outcome in outcomes}
        return {name: error for name, error in errors.items() if error}

    def _report(
        self,
        rows: "pd.DataFrame",
        outcomes: Sequence[Outcome],
        all_figures: Mapping[str, Figure],
        written: "Mapping[str, pd.DataFrame]",
        drawings: Mapping[str, figures.Drawing],
    ) -> None:
        contents = report.SweepContents(
            rows,
            summary.main_columns(rows, self.swept),
            swept=self.swept,
            objective=self.best.objective if self.best else self.plan.settings.objective,
            name=self.name,
            run_id=self.run.id,
            figures=all_figures,
            drawings=drawings,
            tables=written,
            errors=self._errors(outcomes),
            warnings=[outcome.warnings for outcome in outcomes if outcome.status == "FINISHED"],
            equal_counts=[outcome.equal_counts for outcome in outcomes],
            best=best_model.best_job_report(self.best, self.swept) if self.best else None,
        )
        report.write_sweep_report(self.folder, contents)

    def _list_files(self, files: Sequence[str], *, complete: bool = False) -> set[str]:
        """Save the names of the sweep's files for removal by a later attempt; return the earlier names.

        Parameters
        ----------
        complete
            True if `files` replaces the earlier names.
        """
        run_folder.list_files(self.folder, files, "hydra.sweep.dir")
        if self.state is None:
            return set()
        before = self.state.files
        now = list(files) if complete else list(dict.fromkeys([*before, *files]))
        self.state = replace(self.state, files=now)
        self.state.save(self.folder)
        return set(before)


class JobsFailedError(Exception):
    """Some jobs of a sweep did not finish."""


def _numbered(rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> "pd.DataFrame":
    """Return the table of the jobs with their numbers as the first column."""
    numbered = rows.copy()
    numbered.insert(0, "job", [outcome.number for outcome in outcomes])
    return numbered
