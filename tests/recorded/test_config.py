"""The config of a recorded run."""

from pathlib import Path

import pytest

from experiments.recorded.config import read_config


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dataset: {root: a, corrections: null}", "drop"),
        ("dataset: {root: a, corrections: null, unlabelled: keep}", "keep"),
        ("dataset: {root: a}", None),
    ],
    ids=["before there was a choice", "since", "another kind of data set"],
)
def test_what_was_done_before_it_could_be_said_is_filled_in(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert read_config(tmp_path / "config.yaml").dataset.get("unlabelled") == found


@pytest.mark.parametrize("text", ["- 1", "dataset: 3", "seed: 0"])
def test_what_has_no_settings_of_data_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert "unlabelled" not in str(read_config(tmp_path / "config.yaml"))
