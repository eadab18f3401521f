"""Start of every program: file names in UTF-8, and a terminal that may close while it runs."""

import errno
import io
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any, TextIO

LOST = (errno.EPIPE, errno.EIO, errno.ENXIO)  # errors of a closed terminal or pipe


def run(main: Callable[[], int]) -> int:
    """Run a program and return its exit code, also if its terminal closes."""
    prefer_utf8()
    steady_console()
    return main()


def prefer_utf8() -> None:
    """Restart the program in Python's UTF-8 mode if the locale has another encoding of file names.

    Archives, tables and other machines have file names in UTF-8.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    console = next((stream.encoding for stream in (sys.stderr, sys.stdout) if stream), "ascii")
    env = os.environ | {"PYTHONUTF8": "1", "PYTHONIOENCODING": f"{console}:backslashreplace"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], env)  # noqa: S606 (this Python)


def steady_console() -> None:
    """Let standard output and error drop text after the terminal closed, and escape unsupported letters.

    A stream that was replaced, such as by a notebook, is not changed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file to be opened would get this number and the terminal's output
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _steady(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _steady(sys.stderr, 2)


def outlive_terminal(interrupt: Callable[[int, Any], None]) -> None:
    """Let a background program continue if its terminal closes; call `interrupt` in the foreground."""
    if (
        hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    ):  # nohup ignores it
        signal.signal(signal.SIGHUP, signal.SIG_IGN if _in_background() else interrupt)


class _Console(io.FileIO):
    """A terminal that drops text after it closed."""

    def write(self, data: Any) -> int:
        """Write or drop the data; return its length."""
        try:
            while (count := super().write(data)) is None:  # another program made it non-blocking
                select.select([], [self], [])
        except OSError as error:
            if error.errno in LOST:  # C libraries and child processes write to the same file
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self.fileno())
                os.close(null)
            return len(data)
        return count


def _steady(stream: TextIO | None, number: int) -> TextIO:
    raw = _Console(number, "w", closefd=False)
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace")
    stream.flush()
    direct = isinstance(stream.buffer, io.RawIOBase)  # PYTHONUNBUFFERED
    return io.TextIOWrapper(
        raw if direct else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=bool(stream.line_buffering),
        write_through=direct,
    )


def _in_background() -> bool:
    """Return True if there is a terminal with another program in its foreground."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
