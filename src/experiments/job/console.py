"""What a person sees: log lines, progress bars that do not tangle with them, tables."""

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
WIDE = 200  # columns where there is no terminal
QUIET_SECONDS = 10.0  # without a terminal, a long task says this often how far it is


class Handler(RichHandler):
    """Log lines on the console that the bars are on; plain lines without a terminal.

    What a process said of its data, or warned of, is not said again: the jobs of a sweep share their data.
    """

    given: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__(console=stderr, show_path=False, show_level=False, log_time_format="%H:%M:%S")

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        if record.levelno == logging.WARNING or record.name.startswith(DATA):
            if record.getMessage() in self.given:
                return
            self.given.add(record.getMessage())
        if stderr.is_terminal:
            super().emit(record)
        else:
            print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201


class Report:
    """Progress for the person, figures of each epoch for the record.

    Parameters
    ----------
    record
        Called with the step and its figures, as they happen.
    """

    def __init__(self, record: Callable[[int, Mapping[str, float]], None]) -> None:
        self._record = record

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show a bar on a terminal, and a line every ten seconds elsewhere and in workers."""
        alone = multiprocessing.parent_process() is None
        return bar(task, total, unit) if stderr.is_terminal and alone else lines(task, total, unit)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of one epoch."""
        self._record(step, values)


class Speed(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        """Return nothing before that is known."""
        return Text(f"{task.speed:,.1f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def bar(task: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a bar that vanishes when the task is done."""
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
        shown = progress.add_task(task, total=total)
        yield lambda done: progress.advance(shown, done)


@contextmanager
def lines(task: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Log a line every ten seconds."""
    start = last = time.monotonic()
    finished = 0

    def advance(done: int) -> None:
        nonlocal finished, last
        finished += done
        now = time.monotonic()
        if now - last >= QUIET_SECONDS:
            left = (total - finished) * (now - start) / max(finished, 1)
            share, speed = f"{finished:,} of {total:,} {unit}", f"{finished / (now - start):,.1f}"
            log.info("%s: %s, %s a second, about %.0f s left", task, share, speed, left)
            last = now

    yield advance


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a title and a table on standard output; on a narrow terminal without its last columns."""
    widths = [max(map(len, cells)) + 3 for cells in zip(columns, *rows, strict=True)] if rows else []
    room = stdout.width if stdout.is_terminal else WIDE
    shown = len(columns)
    while shown > 1 and sum(widths[:shown]) + 1 > room:
        shown -= 1
    say(
        title
        + (f" ({len(columns) - shown} more columns in a wider terminal)" if shown < len(columns) else "")
    )
    drawn = Table(header_style="bold")
    for index, column in enumerate(columns[:shown]):
        drawn.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        drawn.add_row(*map(escape, row[:shown]))  # [l2,pca] is a value
    Console(width=room).print(drawn)


def say(line: str) -> None:
    """Print one line on standard output, as it is."""
    Console(soft_wrap=True).print(line, markup=False, highlight=False)


def complain(line: str) -> None:
    """Print one error line on standard error, as it is."""
    Console(stderr=True, soft_wrap=True).print(line, markup=False, highlight=False, style="bold red")
