"""A program continues if its terminal or pipe closes, or if it started without one."""

import io
import logging
import os
import pty
import signal
import sys
import warnings
from pathlib import Path

import pytest
from tests.forked import forked

from experiments.job import console, program


def gone(kind: str) -> int:
    """Return a pipe without a reader."""
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = pty.openpty()
    os.close(reader)
    return writer


def on(number: int, encoding: str = "utf-8") -> None:
    """Use a file as standard output and error, as a new process does."""
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(number, stream)
        made = io.TextIOWrapper(io.BufferedWriter(io.FileIO(stream, "w", closefd=False)), encoding)
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)


def speak() -> None:
    """Write to the console in every way that a run does."""
    print("plain")
    console.print_line("a line")
    console.print_error("an error")
    console.table("a table", ["a"], [["1"]])
    with console.bar("decode", 3, "images") as done:
        done(1)
    console.Handler().emit(logging.LogRecord("x", logging.INFO, "", 0, "a log line", (), None))
    logging.StreamHandler().emit(logging.LogRecord("x", logging.INFO, "", 0, "another", (), None))
    warnings.warn("a warning", stacklevel=1)
    sys.stdout.flush()
    sys.stderr.flush()


def spoken(number: int) -> int:
    on(number)
    program.steady_console()
    speak()
    return 0


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_whoever_reads_the_console_may_leave(kind: str) -> None:
    def work() -> int:
        spoken(gone(kind))
        return os.write(1, b"from a library in C, into nothing now\n") - 38

    assert forked(work) == 0


def test_a_full_disk_takes_no_log_and_stops_no_run() -> None:
    assert forked(lambda: spoken(os.open("/dev/full", os.O_WRONLY))) == 0


def test_without_a_console_no_file_is_taken_for_it(tmp_path: Path) -> None:
    def work() -> int:
        for number in range(3):
            os.close(number)
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None  # type: ignore[assignment, misc]
        program.steady_console()
        with (tmp_path / "data").open("wb") as file:
            assert file.fileno() > 2
            console.print_line("a line")
            print("another", flush=True)
        return os.path.getsize(tmp_path / "data")

    assert forked(work) == 0


def test_letters_that_a_console_lacks_are_spelled() -> None:
    reader, writer = os.pipe()

    def work() -> int:
        on(writer, "ascii")
        program.steady_console()
        console.print_line("Käfer")
        return 0

    assert forked(work) == 0
    assert os.read(reader, 100) == rb"K\xe4fer" + b"\n"
    os.close(reader)
    os.close(writer)


def hung_up(*, background: bool) -> int:
    """Run a program in a terminal that closes; return its exit status."""

    def interrupt(number: int, frame: object) -> None:
        os._exit(130)

    def shell() -> int:
        os.setsid()
        _, slave = pty.openpty()
        on(os.open(os.ttyname(slave), os.O_RDWR))  # the first terminal that it opens is its own

        def work() -> int:
            if background:
                os.setpgid(0, 0)
            program.outlive_terminal(interrupt)
            os.kill(os.getpid(), signal.SIGHUP)
            return 7

        return forked(work)

    return forked(shell)


def test_a_run_in_the_background_outlives_its_terminal_and_one_in_front_is_interrupted() -> None:
    assert (hung_up(background=True), hung_up(background=False)) == (7, 130)


def test_nohup_is_obeyed() -> None:
    def work() -> int:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        program.outlive_terminal(lambda number, frame: os._exit(1))
        os.kill(os.getpid(), signal.SIGHUP)
        return 0

    assert forked(work) == 0


def test_a_notebooks_console_stays_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = io.StringIO()
    monkeypatch.setattr(sys, "stdout", notebook)
    program.steady_console()
    assert sys.stdout is notebook
