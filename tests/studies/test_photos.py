"""The preset for a folder of photographs: groups, their number and names in one command."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from tests.project import Project

pytestmark = pytest.mark.slow

PALACE, FLOWER = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cut scikit-learn's photographs of a palace and of a flower into eight overlapping images each."""
    root = tmp_path_factory.mktemp("crops")
    for number in range(16):
        left, top = 8 * (number % 4), 8 * (number // 8)
        pixels = load_sample_images().images[int(number in FLOWER)][top : top + 400, left : left + 600]
        Image.fromarray(pixels).save(root / f"{number}.jpg")
    return root


@pytest.mark.parametrize("labelled", [False, True])
def test_photographs_are_grouped_named_and_only_scored_by_labels(
    crops: Path, fresh: Project, tmp_path: Path, labelled: bool
) -> None:
    typed = [f"dataset.root={crops}", "backbone.image_size=160", f"cache.root={crops}-cache"]
    if labelled:
        rows = [f"{number}.jpg,{'palace' if number in PALACE else 'flower'}" for number in range(16)]
        (tmp_path / "labels.csv").write_text("\n".join(["id,label", *rows]), encoding="utf-8")
        typed.append(f"dataset.labels.path={tmp_path / 'labels.csv'}")
    out = fresh.succeed("experiment=photos", *typed)
    table = pd.read_parquet(fresh.last() / "assignments.parquet").set_index("id")
    groups = [set(table.loc[[f"{number}.jpg" for number in half], "cluster"]) for half in (PALACE, FLOWER)]
    assert 2 <= len(groups[0] | groups[1]) <= 4, "the number of groups is chosen"
    assert not groups[0] & groups[1]
    assert "daisy" in set(table["name"])
    assert (fresh.last() / "report.html").exists()
    assert ("ari" in fresh.runs()[0].data.metrics) == labelled
    run_id = fresh.runs()[0].info.run_id
    assert f"python scripts/export.py {run_id} clusters" in out
    assert f"python scripts/assign.py {run_id} " in out
    done = fresh.script("assign", run_id, str(crops / "0.jpg"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (assigned,) = pd.read_csv(tmp_path / "assigned.csv").itertuples()
    assert (assigned.cluster, assigned.name) == tuple(table.loc["0.jpg", ["cluster", "name"]])
