"""Ctrl-C: a line on the terminal at once, although a library's call in C ends before Python stops."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from experiments.job import console

EXIT_CODE = 130  # of a shell's program that Ctrl-C ended
REPEAT_SECONDS = 0.5  # programs such as make and docker can pass one Ctrl-C on twice
STOPPING = "stopping after this step; Ctrl-C again stops at once"

_senders: set[socket.socket] = set()  # each with a listening thread, which a fork does not have


@contextmanager
def announced(message: str) -> Iterator[Callable[[int, Any], None]]:
    """Print a line when a signal arrives; let Ctrl-C raise KeyboardInterrupt, and a second one always end.

    A second Ctrl-C that arrives before Python handled the first one ends the process as `kill -9` does.

    Parameters
    ----------
    message
        The line that is printed before such an end.

    Yields
    ------
    The handler of Ctrl-C, which can be used for other signals too.
    """
    handled = threading.Event()

    def handle(number: int, frame: Any) -> None:
        handled.set()
        raise KeyboardInterrupt

    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    listener = threading.Thread(target=_listen, args=(receiver, handled, message), daemon=True)
    listener.start()
    before = signal.getsignal(signal.SIGINT)
    _senders.add(sender)
    wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    if before is not signal.SIG_IGN:  # as of a program that a shell script started with &
        signal.signal(signal.SIGINT, handle)
    try:
        yield handle
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, before)
        _senders.discard(sender)
        sender.close()
        listener.join()
        receiver.close()


def _listen(receiver: socket.socket, handled: threading.Event, message: str) -> None:
    """Print the lines, and end the process at a second Ctrl-C, until the other end is closed."""
    first = None
    while numbers := receiver.recv(1):
        if numbers[0] not in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None)):
            continue
        now = time.monotonic()
        if first is None:
            first = now
            console.print_notice(STOPPING)
        elif numbers[0] == signal.SIGINT and now - first > REPEAT_SECONDS and not handled.is_set():
            console.stderr.show_cursor()
            console.print_error(message)
            os._exit(EXIT_CODE)


def _detach() -> None:
    """Let a forked process, which gets Ctrl-C of its terminal too, not wake the listener of its parent."""
    if _senders:
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_detach)
