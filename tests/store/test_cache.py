"""The store computes a value once and never shows a partial one."""

import errno
import multiprocessing
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from tests.forked import in_another_pid_namespace
from tests.messages import says

from experiments.context import Context
from experiments.store.cache import NotCachedError, Store
from experiments.store.entries import entries
from experiments.store.values import SavedFields, digest
from experiments.types import Findings


@dataclass(frozen=True, eq=False)
class Mean(SavedFields):
    """A fitted value with an array, a number and nothing."""

    values: np.ndarray
    count: int
    note: str | None = None
    stopped: str = ""


@dataclass(frozen=True)
class Averaging:
    """A stage for the tests."""

    VERSION: ClassVar[int] = 1
    seed: int


def mean(count: int = 3, stopped: str = "") -> Mean:
    return Mean(np.arange(count, dtype=np.float32), count, None, stopped)


def never() -> Mean:
    raise AssertionError("computed a cached value")


def test_a_fitted_value_is_loaded_completely(store: Store) -> None:
    store.fitted("mean-1", mean)
    again = store.fitted("mean-1", never)
    assert isinstance(again, Mean)
    assert again.values.tolist() == [0, 1, 2]
    assert (again.count, again.note) == (3, None)


def test_an_array_is_loaded_as_a_read_only_map(store: Store) -> None:
    store.array("x", lambda: np.ones((2, 3), np.float32))
    again = store.array("x", lambda: pytest.fail("computed twice"))
    assert isinstance(again, np.memmap)
    assert again.shape == (2, 3)
    with pytest.raises(ValueError, match="read-only"):
        again[0, 0] = 2


def test_the_store_counts_each_key_once(store: Store) -> None:
    for _ in range(3):
        store.fitted("a", mean)
    assert store.computed == ["a"]
    assert store.reused == []
    later = Store(store.root)
    later.fitted("a", never)
    later.fitted("a", never)
    assert (later.computed, later.reused) == ([], ["a"])


def test_a_stopped_value_is_returned_but_not_cached(store: Store) -> None:
    assert store.fitted("a", lambda: mean(stopped="after epoch 2")).stopped
    assert not store.holds("a")
    assert store.fitted("a", lambda: mean(5)).count == 5


def test_an_error_leaves_nothing_behind(store: Store) -> None:
    def write(array: np.ndarray) -> None:
        array[0] = 1
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        store.fill("x", (4,), "uint8", write)
    assert not store.holds("x")
    assert list((store.root / ".partial").iterdir()) == []


def test_a_full_disk_suggests_what_to_do_and_loses_nothing_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.fitted("before", mean)
    checkpoint = store.workdir("a") / "last.ckpt"
    checkpoint.write_text("epoch 7", encoding="utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError) as error:
        store.fitted("a", mean)
    text = says(error, key=f"cache.root={store.root}", use="cache.root=<a folder with room>")
    assert os.strerror(errno.ENOSPC) in text
    monkeypatch.undo()
    assert not store.holds("a")
    assert checkpoint.read_text(encoding="utf-8") == "epoch 7"
    assert store.fitted("before", never).count == 3
    assert store.fitted("a", mean).count == 3
    assert not checkpoint.exists()


def test_a_missing_input_file_is_not_reported_as_a_full_disk(store: Store) -> None:
    with pytest.raises(FileNotFoundError) as error:
        store.array("x", lambda: np.frombuffer(Path("gone.jpg").read_bytes(), np.uint8))
    assert error.value.filename == "gone.jpg"
    assert "cache.root" not in says(error, key="'gone.jpg'")


def test_disabled_neither_reads_nor_writes(store: Store) -> None:
    store.fitted("a", mean)
    off = Store(store.root, enabled=False)
    checkpoint = off.workdir("a")
    assert off.fitted("a", lambda: mean(7)).count == 7
    assert not checkpoint.exists(), "the next one would go on where this one ended"
    assert off.array("x", lambda: np.zeros(2)).shape == (2,)
    assert store.fitted("a", never).count == 3
    assert not store.holds("x")


def test_without_computing_a_missing_value_is_named(store: Store) -> None:
    store.fitted("a", mean)
    readonly = Store(store.root, compute=False)
    assert readonly.fitted("a", never).count == 3
    with pytest.raises(NotCachedError) as missing:
        readonly.fitted("b", mean)
    says(missing, key="b")


def test_entries_and_remove(store: Store) -> None:
    store.fitted("small", mean)
    store.array("large", lambda: np.zeros(10_000))
    assert [entry.key for entry in entries(store.root)] == ["large", "small"]
    assert entries(store.root)[0].size > 80_000
    assert store.remove("large")
    assert [entry.key for entry in entries(store.root)] == ["small"]


def test_removing_a_removed_value_succeeds(store: Store) -> None:
    store.fitted("a", mean)
    assert Store(store.root).remove("a")
    assert store.remove("a")
    assert list((store.root / ".partial").iterdir()) == []


def slow(root: Path, log: Path) -> None:
    def make() -> np.ndarray:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        return np.arange(3)

    assert Store(root).array("x", make).tolist() == [0, 1, 2]


def test_two_processes_compute_a_key_once(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    workers = [multiprocessing.get_context("fork").Process(target=slow, args=(store.root, log)) for _ in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(log.read_text(encoding="utf-8").split()) == 1


def stall(root: Path) -> None:
    def write(array: np.ndarray) -> None:
        array[:] = 1
        (root / "stalled").touch()
        time.sleep(60)

    Store(root).fill("x", (4,), "uint8", write)


def test_a_killed_process_leaves_no_lock_and_no_partial_value(store: Store) -> None:
    worker = multiprocessing.get_context("fork").Process(target=stall, args=(store.root,))
    worker.start()
    deadline = time.monotonic() + 60
    while not (store.root / "stalled").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(10)
    assert not store.holds("x")
    fresh = Store(store.root)
    assert fresh.array("x", lambda: np.array([7])).tolist() == [7]
    assert list((store.root / ".partial").iterdir()) == []


def test_a_key_depends_on_everything_that_can_change_a_result(ctx: Context) -> None:
    from dataclasses import replace

    stage = Averaging(seed=0)
    key = ctx.with_input("input").key(stage)
    assert key.startswith("test_cache-")
    assert key == ctx.with_input("input").key(Averaging(seed=0))
    others = [
        ctx.with_input("input").key(Averaging(seed=1)),
        ctx.with_input("other").key(stage),
        replace(ctx, device="cuda").with_input("input").key(stage),
        replace(ctx, dtype="bfloat16").with_input("input").key(stage),
    ]
    assert len({key, *others}) == 5


def test_digest_depends_on_dtype_shape_and_order() -> None:
    x = np.arange(6, dtype=np.int64)
    digests = [digest(x), digest(x.reshape(2, 3)), digest(x.astype(np.int32)), digest(x[::-1]), digest(x, "")]
    assert len(set(digests)) == 5
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(TypeError) as error:
        digest(object())
    says(error, use="key")


def test_the_digest_of_an_array_is_computed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    store.array("x", lambda: values)
    assert store.digest("x") == digest(values)
    monkeypatch.setattr("experiments.store.cache.file_digest", lambda path: pytest.fail("read twice"))
    assert store.digest("x") == Store(store.root).digest("x") == digest(values)
    assert store.digest("y") == ""
    assert store.remove("x")
    assert store.digest("x") == ""


def test_an_unchanged_cached_array_is_linked(store: Store) -> None:
    values = store.array("a", lambda: np.arange(6, dtype=np.float32).reshape(2, 3))
    same = store.array("b", lambda: np.asarray(values, np.float32))
    others = {
        "part": values[1:], "turned": values[::-1], "wider": values.astype(np.float64),
        "bits": values.view(np.int32), "shape": values.reshape(3, 2),
    }  # fmt: skip
    copies = {name: store.array(name, lambda other=other: other) for name, other in others.items()}
    numbers = {name: (store.root / name / "array.npy").stat().st_ino for name in ("a", "b", *others)}
    assert numbers["a"] == numbers["b"]
    assert len(set(numbers.values())) == 1 + len(others)
    np.testing.assert_array_equal(same, values)
    for name, other in others.items():
        np.testing.assert_array_equal(copies[name], other)
    assert store.remove("a")
    assert np.load(store.root / "b" / "array.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_file_outside_the_store_is_copied(store: Store, tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.arange(3))
    mine = np.load(tmp_path / "mine.npy", mmap_mode="r")
    store.array("a", lambda: mine)
    assert (store.root / "a" / "array.npy").stat().st_ino != (tmp_path / "mine.npy").stat().st_ino


def test_a_cached_value_knows_its_origin(tmp_path: Path) -> None:
    Store(tmp_path, about={"threads": "2"}).fitted("mean-1", mean)
    origin = Store(tmp_path, about={"threads": "1"}).origin("mean-1")
    assert origin["threads"] == "2"
    assert origin["version.numpy"] == np.__version__
    assert Store(tmp_path).origin("mean-2") == {}


def test_partial_folders_of_killed_processes_are_removed_on_reading(store: Store) -> None:
    store.array("x", lambda: np.ones(3))
    partial = store.root / ".partial" / "x@0"
    partial.mkdir()
    Store(store.root).array("x", np.empty)
    assert not partial.exists()


def test_partial_folders_of_a_living_process_are_not_removed_from_another_container(store: Store) -> None:
    """In another container that uses the same store, process numbers are different."""

    def write(array: np.ndarray) -> None:
        array[:2] = 1
        in_another_pid_namespace(use_the_store)
        array[2:] = 2

    def use_the_store() -> None:
        other = Store(store.root)
        assert other.array("y", lambda: np.arange(3)).tolist() == [0, 1, 2]
        assert other.array("z", lambda: np.arange(2)).tolist() == [0, 1]
        assert not other.remove("x")

    store.array("y", lambda: np.arange(3))
    assert store.fill("x", (4,), "uint8", write).tolist() == [1, 1, 2, 2]
    assert {entry.key for entry in entries(store.root)} == {"x", "y", "z"}
    assert not list(store.root.glob(".partial/*"))


def test_of_two_computed_values_the_first_stays(store: Store) -> None:
    """Both processes compute the value, as somebody removed the folder of locks."""

    def slower() -> np.ndarray:
        shutil.rmtree(store.root / ".locks")
        assert Store(store.root).array("x", lambda: np.array([1])).tolist() == [1]
        return np.array([1])

    assert store.array("x", slower).tolist() == [1]
    assert not list(store.root.glob(".partial/*"))


@pytest.mark.parametrize("use", ["array", "workdir"])
def test_a_store_that_cannot_be_written_names_the_setting(tmp_path: Path, use: str) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "cache")
    with pytest.raises(OSError) as error:
        store.workdir("x") if use == "workdir" else store.array("x", lambda: np.ones(1))
    says(error, key=f"cache.root={store.root}", use="cache.root=<")


def test_checkpoints_of_a_cached_value_are_removed(store: Store) -> None:
    """The process was killed between caching the value and removing its checkpoints."""
    store.fitted("x", lambda: Findings({"ari": 0.5}))
    (store.workdir("x") / "last.ckpt").touch()
    assert store.fitted("x", lambda: Findings({})).metrics == {"ari": 0.5}
    assert not (store.root / ".work" / "x").exists()
