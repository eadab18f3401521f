"""Output on the terminal: log lines, progress bars and tables."""

import logging
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

log = logging.getLogger(__name__)

stderr = Console(stderr=True)
stdout = Console()
DATA = "experiments.dataset."
WIDTH = 200  # columns without a terminal
QUIET_SECONDS = 10.0  # without a terminal, time between two progress lines of a task


class Handler(RichHandler):
    """Log handler: lines above the progress bars on a terminal, plain lines elsewhere.

    It prints each warning and each line about data once per process, as jobs of a sweep share their data.
    """

    printed: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__(console=stderr, show_path=False, show_level=False, log_time_format="%H:%M:%S")

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        if record.levelno == logging.WARNING or record.name.startswith(DATA):
            if record.getMessage() in self.printed:
                return
            self.printed.add(record.getMessage())
        if stderr.is_terminal:
            super().emit(record)
        else:
            print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201


class Report:
    """Progress on the terminal, and metrics of each epoch for MLflow.

    Parameters
    ----------
    record
        Called with the step and its metrics after each epoch.
    """

    def __init__(self, record: Callable[[int, Mapping[str, float]], None]) -> None:
        self._record = record

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show a bar on a terminal; log a line every ten seconds elsewhere, and in workers."""
        alone = multiprocessing.parent_process() is None
        return bar(task, total, unit) if stderr.is_terminal and alone else lines(task, total, unit)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the metrics of one epoch."""
        self._record(step, values)


class Speed(ProgressColumn):
    """Column with the number of units per second."""

    def render(self, task: Task) -> Text:
        """Return the speed; empty until it is known."""
        return Text(f"{task.speed:,.1f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def bar(task: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar that disappears when the task ends."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        Speed(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, transient=True) as progress:
        task_id = progress.add_task(task, total=total)
        yield lambda done: progress.advance(task_id, done)


@contextmanager
def lines(task: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Log the progress every ten seconds."""
    start = last = time.monotonic()
    finished = 0

    def advance(done: int) -> None:
        nonlocal finished, last
        finished += done
        now = time.monotonic()
        if now - last >= QUIET_SECONDS:
            remaining = (total - finished) * (now - start) / max(finished, 1)
            share, speed = f"{finished:,} of {total:,} {unit}", f"{finished / (now - start):,.1f}"
            log.info("%s: %s, %s per second, about %.0f s left", task, share, speed, remaining)
            last = now

    yield advance


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a title and a table on standard output, without the last columns if the terminal is narrow."""
    widths = [max(map(len, cells)) + 3 for cells in zip(columns, *rows, strict=True)] if rows else []
    width = stdout.width if stdout.is_terminal else WIDTH
    shown = len(columns)
    while shown > 1 and sum(widths[:shown]) + 1 > width:
        shown -= 1
    print_line(
        title
        + (f" ({len(columns) - shown} more columns in a wider terminal)" if shown < len(columns) else "")
    )
    grid = Table(header_style="bold")
    for index, column in enumerate(columns[:shown]):
        grid.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*map(escape, row[:shown]))  # [l2,pca] is a value and not markup
    Console(width=width).print(grid)


def print_line(line: str) -> None:
    """Print one line on standard output, without markup."""
    Console(soft_wrap=True).print(line, markup=False, highlight=False)


def print_notice(line: str) -> None:
    """Print one line on standard error, above the progress bars, without markup."""
    stderr.print(line, markup=False, highlight=False, soft_wrap=True)


def print_error(line: str) -> None:
    """Print one error line on standard error, without markup."""
    Console(stderr=True, soft_wrap=True).print(line, markup=False, highlight=False, style="bold red")
