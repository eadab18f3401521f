"""The parent run of several jobs, with the tables and pictures of what they left."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import comparison, figures, report, tracking
from experiments.config import compose
from experiments.config.invocation import Invocation
from experiments.config.plan import Plan
from experiments.config.run_names import run_name
from experiments.figures import Figure
from experiments.job import run_folder, summary
from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.perform import Outcome
from experiments.recorded import PARENT_TAG
from experiments.report import notes, tables
from experiments.store.cache import Store
from experiments.sweep import best_model, resumption
from experiments.sweep.in_common import shared, together, trained
from experiments.sweep.outcomes import collect, left, values
from experiments.sweep.record import Record
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

TABLE = ("sweep.csv", "sweep.md")  # a row per job


class Sweep:
    """The parent run of several jobs.

    Parameters
    ----------
    folder
        Where the jobs leave their results, one folder each.
    swept
        The keys that the jobs differ in.
    jobs
        The overrides of each; None if an optimiser decides.
    asked
        What is written down of the sweep, so that it can be resumed; None if an optimiser decides.
    begun
        The sweep that this one goes on with.

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
        asked: Record | None = None,
        begun: resumption.Begun | None = None,
    ) -> None:
        self.folder = folder
        self.swept = list(swept)
        self.jobs = jobs
        self.asked = asked
        self.begun = begun
        self.plan = plan
        self.stable: pd.DataFrame | None = None
        tracker = tracking.connect(plan.tracking, plan.stages.dataset.name)
        if begun is not None:
            tracker = tracking.Tracker(begun.uri, begun.experiment_id)
            self.run = resumption.reopen(begun)
            self.record: Record | None = begun.record
        else:
            tags = asked.tags(folder) if asked else {PARENT_TAG: "parent"}
            self.run = tracker.open(
                self._settings or self.name, folder, params=values(jobs or (), swept), tags=tags
            )
            tracking.show_sweep(tracker, self.swept, self.run.id)
            folder.mkdir(parents=True, exist_ok=True)
            self.record = replace(asked, run_id=self.run.id) if asked else None
            if self.record:
                self.record.save(folder)
        self.parent = tracking.Parent(tracker.uri, tracker.experiment_id, self.run.id)

    def for_jobs(self, invocation: Invocation) -> Invocation:
        """Return an invocation with this sweep as the parent of its jobs."""
        parent, resumed = (self.parent.uri, self.parent.experiment_id, self.run.id), self.begun is not None
        return replace(
            invocation, folder=str(self.folder), swept=tuple(self.swept), parent=parent, resumed=resumed
        )

    @property
    def name(self) -> str:
        """What it is called in its report."""
        return f"sweep of {self._settings}" if self._settings else "sweep"

    @property
    def _settings(self) -> str:
        """What its run is called, whose row has its jobs below it: what was typed, what is swept first."""
        typed = self.asked.command if self.asked else self.swept
        first = sorted(typed, key=lambda override: compose.key_of(override) not in self.swept)
        return run_name(first) if typed else ""

    @property
    def lost(self) -> str:
        """Why the tables and pictures are not recorded, else empty."""
        return self.run.lost

    def close(self, error: BaseException | None = None) -> list[Outcome]:
        """Write tables and pictures, record them, end the parent run; return how the jobs ended.

        Parameters
        ----------
        error
            What ended the sweep before its time; it is recorded, and the caller's to raise.
        """
        interrupted = error is not None and not isinstance(error, Exception)
        outcomes: list[Outcome] = []
        try:
            with self.run:
                self.run.end_children()
                outcomes = collect(self.folder, self.jobs, self.run.id, interrupted=interrupted)
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
        except BaseException as ended:
            if ended is not error:
                raise
        return outcomes

    def _record(self, outcomes: Sequence[Outcome]) -> str:
        """Record the table of all jobs, before anything is made of it that may fail, then the rest.

        Returns
        -------
        str
            The description of the sweep, once it is known what came of the best job's model.
        """
        rows = summary.to_frame(outcomes, self.swept)
        self._note(TABLE)
        tables.write(_numbered(rows, outcomes), self.folder, "sweep")
        for file in TABLE:
            self.run.artifact(self.folder / file)
        compared = self._write(rows, outcomes)
        jobs = left(self.folder, self.run.id)
        best_model.show_best(jobs, self.plan.settings.objective, self.swept, self.run)
        assigns = best_model.record_best(jobs, self.plan, self.run)
        return self._in_words(rows, outcomes, compared, assigns)

    def _write(self, rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> "Mapping[str, pd.DataFrame]":
        """Write and record what the jobs show together; return the tables that compare them."""
        store = Store(Path(self.plan.cache.root), enabled=self.plan.cache.enabled, compute=False)
        compared = self._compared(rows, outcomes)
        shown = together(compared, shared(outcomes, store), trained(self.folder, self.run.id))
        pictures: dict[str, Figure] = {**summary.charts(rows, self.swept), **shown.figures}
        drawn = {} if self.plan.settings.figures == "none" else pictures  # the report has them all the same
        files = [f"{name}.{kind}" for name in shown.tables for kind in ("csv", "md")]
        files += [f"figures/{name}.{kind}" for name in drawn for kind in ("html", "png")]
        files += [] if self.plan.settings.report == "none" else [report.REPORT_FILE]
        before = self._note(files)
        for name, table in shown.tables.items():
            tables.write(table, self.folder, name)
        drawings = figures.save_figures(drawn, self.folder / "figures")
        if report.REPORT_FILE in files:
            self._report(
                rows, outcomes, pictures, {"sweep": _numbered(rows, outcomes)} | shown.tables, drawings
            )
        for file in files:
            self.run.artifact(self.folder / file)
        for file in before - {*TABLE, *files}:
            (self.folder / file).unlink(missing_ok=True)
            self.run.delete_artifact(file)
        self._note([*TABLE, *files], whole=True)
        return compared.tables

    def _compared(self, rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> Findings:
        """Compare the jobs by their metrics and by their clusterings."""
        found = together(comparison.compare(rows, self.swept), *self._clusterings(rows, outcomes))
        self.stable = found.tables.get("stability")
        chosen = comparison.label_free(rows, self.swept, self.stable)
        return replace(found, tables=found.tables | chosen.tables)

    def _in_words(
        self,
        rows: "pd.DataFrame",
        outcomes: Sequence[Outcome],
        compared: "Mapping[str, pd.DataFrame]",
        assigns: bool,
    ) -> str:
        objective = self.plan.settings.objective
        jobs, best = left(self.folder, self.run.id), None
        place = best_model.best(jobs, objective)
        if place is not None:
            run_id = jobs[place].run_id
            page = self.run.sibling(run_id, place).page() if run_id else ""
            value = best_model.figure(jobs[place].metrics, objective)
            best = notes.BestJobLink(summary.name(jobs[place], self.swept), page, objective, value)
        return notes.of_sweep(
            rows,
            summary.main_columns(rows, self.swept),
            compared,
            run_id=self.run.id,
            uri=self.plan.tracking.uri,
            best=best,
            report="" if self.plan.settings.report == "none" else self.run.page(report.REPORT_FILE),
            errors=self._errors(outcomes),
            assigns=assigns,
        )

    def _errors(self, outcomes: Sequence[Outcome]) -> dict[str, str]:
        """Return why jobs failed, by their names."""
        named = {summary.name(outcome, self.swept): outcome.error for outcome in outcomes}
        return {name: error for name, error in named.items() if error}

    def _report(
        self,
        rows: "pd.DataFrame",
        outcomes: Sequence[Outcome],
        pictures: Mapping[str, Figure],
        written: "Mapping[str, pd.DataFrame]",
        drawings: Mapping[str, figures.Drawing],
    ) -> None:
        report.write_sweep_report(
            self.folder,
            report.SweepContents(
                rows,
                summary.main_columns(rows, self.swept),
                swept=self.swept,
                objective=self.plan.settings.objective,
                name=self.name,
                run_id=self.run.id,
                figures=pictures,
                drawings=drawings,
                tables=written,
                errors=self._errors(outcomes),
                warnings=[outcome.doubts for outcome in outcomes if outcome.status == "FINISHED"],
                equal_counts=[outcome.alike for outcome in outcomes],
                best=self._best_job(),
            ),
        )

    def _best_job(self) -> report.BestJob | None:
        """Return the best job with the contents of its report; None if no job gave the objective."""
        jobs = left(self.folder, self.run.id)
        place = best_model.best(jobs, self.plan.settings.objective)
        if place is None:
            return None
        return best_model.report_of(place, summary.name(jobs[place], self.swept), jobs[place].run_id)

    def _note(self, files: Sequence[str], *, whole: bool = False) -> set[str]:
        """Write down what is written over the jobs, so that a later attempt can remove it; return what was.

        Parameters
        ----------
        whole
            What was written down before is gone.
        """
        run_folder.add(self.folder, files, "hydra.sweep.dir")
        if self.record is None:
            return set()
        before = self.record.files
        now = list(files) if whole else list(dict.fromkeys([*before, *files]))
        self.record = replace(self.record, files=now)
        self.record.save(self.folder)
        return set(before)

    def _clusterings(self, rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> list[Findings]:
        """Compare the clusterings of the jobs that finished: all with each other, and over the seeds."""
        import pandas as pd

        places = {outcome.number: place for place, outcome in left(self.folder, self.run.id).items()}

        def read(row: int) -> pd.DataFrame | None:
            path = places[outcomes[row].number] / ASSIGNMENTS
            return pd.read_parquet(path, columns=["id", "hash", "cluster"]) if path.exists() else None

        done = [row for row, outcome in enumerate(outcomes) if outcome.status == "FINISHED"]
        return [self._agreement(outcomes, done, read), comparison.stability(rows, self.swept, read)]

    def _agreement(
        self, outcomes: Sequence[Outcome], done: Sequence[int], read: "Callable[[int], pd.DataFrame | None]"
    ) -> Findings:
        """Compare the clusterings of the jobs that have the first one's samples."""
        if len(done) > comparison.MAX_JOBS:
            log.info(
                "the agreement of %d clusterings is left out: more than %d", len(done), comparison.MAX_JOBS
            )
            return Findings({})
        tables = {row: table for row in done if (table := read(row)) is not None}
        ids = [table["id"] for table in tables.values()]
        same = [row for row, table in tables.items() if table["id"].equals(ids[0])]
        names = [summary.name(outcomes[row], self.swept) for row in same]
        if len(set(names)) < len(names):  # an optimiser's jobs are known by their number alone
            names = [f"job {outcomes[row].number}" for row in same]
        return comparison.agreement(names, [tables[row]["cluster"].to_numpy() for row in same])


class JobsFailedError(Exception):
    """Some jobs of a sweep did not finish."""


def _numbered(rows: "pd.DataFrame", outcomes: Sequence[Outcome]) -> "pd.DataFrame":
    """Return the table of the jobs with their numbers, which name their folders, as its first column."""
    numbered = rows.copy()
    numbered.insert(0, "job", [outcome.number for outcome in outcomes])
    return numbered
