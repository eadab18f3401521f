"""Ctrl-C: announced at once, raised once Python runs again, and at its second time an end at once."""

import hashlib
import signal
import threading
import time

import pytest
from tests.forked import forked

from experiments.job import interruption


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_announced_and_raised_and_the_handler_restored(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruption.announced("interrupted"):
        press()
    assert capfd.readouterr().err.splitlines() == [interruption.STOPPING]
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_second_ctrl_c_ends_a_process_whose_library_still_computes(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def press_twice() -> None:
        time.sleep(interruption.REPEAT_SECONDS)  # until the computation runs
        press()
        press()  # at once: the same one, passed on by another program
        time.sleep(2 * interruption.REPEAT_SECONDS)
        press()

    def work() -> int:
        with interruption.announced("interrupted"):
            threading.Thread(target=press_twice).start()
            hashlib.pbkdf2_hmac("sha256", b"a", b"b", 10**9)  # minutes in C
        return 0

    assert forked(work) == interruption.EXIT_CODE
    assert capfd.readouterr().err.splitlines() == [interruption.STOPPING, "interrupted"]


def test_ctrl_c_in_a_forked_worker_is_not_announced(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        try:
            press()
        except KeyboardInterrupt:
            return 3
        return 0

    with interruption.announced("interrupted"):
        assert forked(work) == 3
    assert capfd.readouterr().err == ""
