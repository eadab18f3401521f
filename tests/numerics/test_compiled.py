"""The log line before a library is compiled, and the check for compiled code on disk."""

import os
import sys

import numba
import pytest

from experiments.numerics import compiled


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Make a package with one function that numba can cache."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    folder = tmp_path / "slow_to_start"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import numba\n\n\n@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n", encoding="utf-8"
    )
    yield folder
    sys.modules.pop(folder.name, None)


@pytest.mark.parametrize("custom_folder", [False, True], ids=["next to the source", "NUMBA_CACHE_DIR"])
def test_compiled_code_is_found_where_numba_puts_it(library, custom_folder, tmp_path, monkeypatch):
    if custom_folder:
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "compiled"))
    assert not compiled.is_compiled(library.name)
    import slow_to_start  # made by the fixture

    assert slow_to_start.twice(2) == 4
    assert compiled.is_compiled(library.name)
    os.utime(library / "__init__.py", (2**31, 2**31))  # a newer version
    assert not compiled.is_compiled(library.name)


def test_compilation_is_logged_once_and_only_if_it_is_needed(library, caplog):
    caplog.set_level("INFO")
    assert not compiled.is_compiled("there_is_no_such_package")
    compiled.announce(library.name, "a test")
    compiled.announce(library.name, "a test")
    assert caplog.text.count("a test") == 1
    import slow_to_start

    slow_to_start.twice(2)
    compiled.announce.cache_clear()
    compiled.announce(library.name, "a test")
    assert caplog.text.count("a test") == 1
