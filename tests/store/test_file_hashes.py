"""Content hashes of files, reused only while the status proves that a file has not changed."""

import os
import shutil
import time

import pytest
from tests.messages import says

from experiments.store import file_hashes as files
from experiments.store.file_hashes import are_reliable, content_hash, sha256, status_of

KEY = "dataset.path"


def in_place(path, other):
    path.write_bytes(other.read_bytes())


def moved(path, other):
    other.replace(path)


def copied(path, other):
    shutil.copy2(other, path)


def linked(path, other):
    """Point a link at another file, like a link to the newest version."""
    path.unlink()
    path.symlink_to(other)


def mounted(path, other):
    """Show another folder under the same path, like a bind mount."""
    shutil.rmtree(path.parent)
    other.parent.rename(path.parent)
    (path.parent / other.name).rename(path)


@pytest.fixture
def two(tmp_path):
    """Return two files of equal size and mtime in two folders."""
    paths = tmp_path / "here" / "a.bin", tmp_path / "there" / "b.bin"
    for path, byte in zip(paths, b"12", strict=True):
        path.parent.mkdir()
        path.write_bytes(bytes([byte]) * 1000)
        os.utime(path, ns=(10**18 + 1, 10**18 + 1))
    return paths


@pytest.mark.parametrize("replace", [in_place, moved, copied, linked, mounted])
def test_a_replaced_file_of_equal_size_and_time_has_another_hash(two, store, replace):
    path, other = two
    before, name, expected = path.stat(), content_hash(path, KEY, store), sha256(other)
    replace(path, other)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert content_hash(path, KEY, store) == sha256(path) == expected != name


def test_an_unchanged_file_is_read_once_under_all_its_names(two, store, tmp_path):
    path = two[0]
    (tmp_path / "link").symlink_to(path)
    assert {content_hash(path, KEY, store) for path in (path, path, tmp_path / "link")} == {sha256(path)}
    assert len(store.computed) == 1
    path.with_name("moved").hardlink_to(path)  # which changes its ctime
    content_hash(path, KEY, store)
    assert len(store.computed) == 2


def test_a_file_that_just_changed_waits_for_the_clock(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    status = status_of(path.stat())
    assert are_reliable([status])
    assert time.time_ns() >= status[-1] + files.TICK


@pytest.mark.parametrize("ctime", [10**18, 2 * 10**18 + 1])
def test_a_coarse_or_future_ctime_is_not_reliable(ctime):
    exact = (1, 2, 3, 10**18 + 1, 10**18 + 1)
    assert are_reliable([exact])
    assert not are_reliable([exact, (*exact[:-1], ctime)])


@pytest.mark.parametrize("clock", ["coarse", "set back"])
def test_an_unreliable_status_is_not_trusted(two, store, monkeypatch, clock):
    """On FAT `cp -p` sets ctime too; after a clock was set back, a later change may have an earlier time."""
    ctime = {"coarse": 10**18, "set back": time.time_ns() + 10**12 + 1}[clock]
    monkeypatch.setattr(files, "status_of", lambda status: (1, 2, 1000, 10**18, ctime))
    assert len({content_hash(path, KEY, store) for path in two}) == 2


def test_a_file_that_changes_while_it_is_read_is_not_cached(two, store, monkeypatch):
    path, other = two
    digest = files.hashlib.file_digest

    def slow(file, name):
        value = digest(file, name)
        in_place(path, other)
        return value

    with monkeypatch.context() as patch:
        patch.setattr(files.hashlib, "file_digest", slow)
        content_hash(path, KEY, store)
    assert content_hash(path, KEY, store) == sha256(other)


@pytest.mark.parametrize("name", ["absent.csv", ""])
def test_an_unreadable_file_names_its_setting(tmp_path, store, name):
    with pytest.raises(ValueError) as error:
        content_hash(tmp_path / name, KEY, store)
    says(error, key=f"dataset.path={tmp_path / name}", use="a readable file")
