"""Run a function in a forked process, which starts faster than a new Python."""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable

import pytest

NEW_PIDS = 0x20000000  # CLONE_NEWPID of sched.h


def in_another_pid_namespace(work: Callable[[], object]) -> None:
    """Run `work` in a new PID namespace and check that it ends well; skip where that is forbidden."""
    if sys.platform != "linux":
        pytest.skip("PID namespaces are Linux's")
    code = forked(lambda: _unshared(work))
    if code == 77:
        pytest.skip("this system lets no process make a PID namespace")
    assert code == 0


def _unshared(work: Callable[[], object]) -> int:
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_PIDS):
        return 77
    return forked(lambda: _checked(work))  # the next process is the first of the namespace


def _checked(work: Callable[[], object]) -> int:
    assert os.getpid() == 1
    work()
    return 0


def forked(work: Callable[[], int]) -> int:
    """Return the exit code of a copy of this process that runs `work` and nothing else."""
    child = os.fork()
    if not child:
        code = 1
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:  # a timeout
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
