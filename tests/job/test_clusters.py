"""The clusters of a run on the terminal, and the commands that go on with them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.config.commands import DEFAULT_STORE
from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.clusters import MOST, cluster_table, next_commands, print_clusters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the files of a run: clusters of 2 and 4 images, two images of noise, one name."""
    clusters = [0, 0, 1, 1, 1, 1, -1, -1]
    pd.DataFrame({"id": range(8), "cluster": clusters}).to_parquet(tmp_path / ASSIGNMENTS)
    names = pd.DataFrame({"cluster": [1, 0], "name": ["NA", "unnamed"], "score": [0.125, 0.01]})
    names.to_csv(tmp_path / "names.csv", index=False)
    (tmp_path / "config.yaml").write_text("dataset: {root: /data}", encoding="utf-8")
    return tmp_path


def test_the_largest_cluster_is_first_and_noise_is_last(folder: Path) -> None:
    table = cluster_table(folder)
    assert table["cluster"].tolist() == ["1", "0", "noise"]
    assert table["images"].tolist() == [4, 2, 2]
    assert table["share"].tolist() == [0.5, 0.25, 0.25]
    assert table["name"].tolist() == ["NA", "unnamed", ""]
    (folder / "names.csv").unlink()
    assert list(cluster_table(folder)) == ["cluster", "images", "share"]


def test_names_with_low_scores_have_a_warning(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    print_clusters(folder)
    shown = capfd.readouterr().out
    assert "look at the images before you use a name with a score below 0.5" in shown
    rows = [" ".join(line.split("│")).split() for line in shown.splitlines() if line.startswith("│")]
    assert rows == [["1", "4", "0.5", "NA", "0.125"], ["0", "2", "0.25", "unnamed"], ["noise", "2", "0.25"]]


def test_only_the_largest_clusters_are_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"cluster": np.repeat(np.arange(MOST + 3), 2)}).to_parquet(tmp_path / ASSIGNMENTS)
    print_clusters(tmp_path)
    shown = capfd.readouterr().out
    assert shown.startswith(f"the largest {MOST} of {MOST + 3} clusters\n")
    assert sum(line.startswith("│") for line in shown.splitlines()) == MOST


def test_commands_name_the_run_and_a_store_that_is_not_the_default(folder: Path) -> None:
    assert list(next_commands(folder, "abc", DEFAULT_STORE)) == [
        "a folder of each cluster: python scripts/export.py abc clusters",
        "give or correct labels: python scripts/labels.py page abc",
        "assign new images: python scripts/assign.py abc new_images",
    ]
    assert all(" tracking.uri=http://a" in line for line in next_commands(folder, "abc", "http://a"))
    (folder / "config.yaml").write_text("dataset: {path: rows.csv}", encoding="utf-8")
    assert not list(next_commands(folder, "abc", DEFAULT_STORE))
