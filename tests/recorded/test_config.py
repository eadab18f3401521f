"""The config of a recorded run."""

from pathlib import Path

import pytest

from experiments.recorded.config import read_config


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("dataset: {root: a, corrections: null}", "unlabelled", "drop"),
        ("dataset: {root: a, corrections: null, unlabelled: keep}", "unlabelled", "keep"),
        ("dataset: {root: a}", "unlabelled", None),
        ("dataset: {root: a, max_unreadable: .1}", "class_level", 1),
        ("dataset: {root: a, max_unreadable: .1, class_level: null}", "class_level", None),
        ("dataset: {root: a, corrections: null}", "class_level", None),
    ],
)
def test_what_was_done_before_it_could_be_said_is_filled_in(
    tmp_path: Path, text: str, name: str, expected: object
) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert read_config(tmp_path / "config.yaml").dataset.get(name) == expected


def test_a_table_of_before_headers_could_be_chosen_lets_its_rows_tell(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("dataset: {path: a, exclude: []}", encoding="utf-8")
    assert read_config(tmp_path / "config.yaml").dataset == {"path": "a", "exclude": [], "header": None}


@pytest.mark.parametrize("text", ["- 1", "dataset: 3", "seed: 0"])
def test_what_has_no_settings_of_data_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert "unlabelled" not in str(read_config(tmp_path / "config.yaml"))
