"""What each of our programs starts with: names of files in UTF-8, and a console that may go away."""

import errno
import io
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any, TextIO

LOST = (errno.EPIPE, errno.EIO, errno.ENXIO)  # whoever read it is gone, and does not come back


def run(main: Callable[[], int]) -> int:
    """Run a program to its exit code, whatever becomes of its console."""
    prefer_utf8()
    steady_console()
    return main()


def prefer_utf8() -> None:
    """Start the program again in Python's UTF-8 mode if the locale has names of files in another encoding.

    Names are bytes to the system, and UTF-8 in archives, tables and other people's locales.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    console = next((stream.encoding for stream in (sys.stderr, sys.stdout) if stream), "ascii")
    env = os.environ | {"PYTHONUTF8": "1", "PYTHONIOENCODING": f"{console}:backslashreplace"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], env)  # noqa: S606 (this Python)


def steady_console() -> None:
    """Let standard output and error drop what nobody reads any more, and spell letters that they lack.

    A stream that something else replaced, such as a notebook, stays as it is.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed, so the next file to be opened would be taken for the console
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _steady(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _steady(sys.stderr, 2)


def outlive_terminal(interrupt: Callable[[int, Any], None]) -> None:
    """Go on where a terminal closes that the program runs in the background of; else `interrupt` it."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, signal.SIG_IGN if _in_background() else interrupt)


class _Console(io.FileIO):
    """A console; what it cannot take is dropped."""

    def write(self, data: Any) -> int:
        """Return how much was written or dropped."""
        try:
            while (count := super().write(data)) is None:  # another program made it non-blocking
                select.select([], [self], [])
        except OSError as error:
            if error.errno in LOST:  # libraries in C and started programs write there too
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
    """Return whether there is a terminal, and another program is in its foreground."""
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
