"""A lock is held as long as its process lives, whatever that process forked, and in other containers."""

import os
import signal
from pathlib import Path

import pytest
from tests.forked import in_another_pid_namespace

from experiments.store.locks import Lock, is_held, try_lock


def test_a_lock_is_held_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a.lock"
    assert is_held(path) is None
    lock = Lock(path)
    assert is_held(path) is True
    with pytest.raises(TimeoutError):
        Lock(path)
    lock.release(keep=True)
    assert is_held(path) is False
    Lock(path).release()
    assert not path.exists()


def test_trying_a_free_lock_takes_it_for_the_context(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    Lock(path).release(keep=True)
    with try_lock(path) as free:
        assert free is True
        with try_lock(path) as again:
            assert again is False
    assert is_held(path) is False


def test_without_a_lock_file_the_state_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_held(tmp_path / "file" / "a.lock") is None
    with pytest.raises(OSError, match="Not a directory"):
        Lock(tmp_path / "file" / "locks" / "a.lock")


def test_kill_9_frees_a_lock_although_a_forked_worker_lives_on(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    reader, writer = os.pipe()
    holder = os.fork()
    if not holder:
        lock = Lock(path)
        worker = os.fork()
        if worker:
            os.write(writer, f"{worker}\n".encode())
        signal.pause()
        del lock
        os._exit(0)
    worker = int(os.read(reader, 20))
    try:
        assert is_held(path) is True
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        os.kill(worker, 0)  # the worker lives
        assert is_held(path) is False
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_lock_is_visible_from_another_pid_namespace(tmp_path: Path) -> None:
    def look() -> None:
        assert is_held(tmp_path / "a.lock") is True
        assert is_held(tmp_path / "b.lock") is False

    Lock(tmp_path / "b.lock").release(keep=True)
    lock = Lock(tmp_path / "a.lock")
    in_another_pid_namespace(look)
    lock.release()
