"""Names of data sets: from the path or the setting."""

from pathlib import Path

import pytest
from tests.running import run_typed

from experiments.config import compose
from experiments.config.build import build, with_absolute_paths
from experiments.dataset.selection.naming import name_of_folder, name_of_path

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("/data/flowers", "flowers"),
        ("/data/flowers.v2.tar.gz", "flowers.v2"),
        ("/data/flowers/test", "flowers/test"),
        ("/data/flowers/Images/", "flowers/Images"),
        ("/data/coco/images/val2017", "coco/images/val2017"),
        ("/data/flowers/images/train/1", "images/train/1"),
        ("/data/flowers/train.zip", "flowers/train"),
        ("/images", "images"),
        ("/data/testament", "testament"),
    ],
)
def test_an_uninformative_folder_is_named_with_those_above_it(root: str, name: str) -> None:
    assert name_of_folder(root) == name


def test_a_file_is_named_without_its_extension() -> None:
    assert name_of_path(Path("/studies/wine/data")) == "wine/data"
    assert name_of_path(Path("/studies/wine.quality")) == "wine.quality"


def built(*typed: str):
    return build(compose.compose_config(typed), typed)


def test_a_typed_name_is_recorded_and_changes_no_cache_key(tmp_path: Path) -> None:
    usual, named = built("dataset=digits"), built("dataset=digits", "dataset.name=scans")
    assert usual.stages.dataset.display_name == usual.cfg.dataset.name == "digits"
    assert named.stages.dataset.display_name == with_absolute_paths(named).dataset.name == "scans"
    assert named.stages.dataset == usual.stages.dataset
    assert repr(named.stages) == repr(usual.stages), "a sweep is resumed whatever its data is called"


def test_another_name_computes_the_evaluators_alone_anew(tmp_path: Path) -> None:
    few = ["backbone=pixels", "dataset.limit=60", "reducer.n_components=3", "cluster.k=3"]
    locations = [f"cache.root={tmp_path}/cache", f"tracking.uri=sqlite:///{tmp_path}/runs.db"]
    typed = [*few, *locations, "evaluator=[sizes]", "tracking.log_model=none", "report=none"]
    run_typed(typed, tmp_path / "first")
    again = run_typed([*typed, "dataset.name=scans"], tmp_path / "again")
    assert [key.partition("-")[0] for key in again.outcome.computed] == ["sizes"]
    titles = [figure.title for figure in again.result.findings["sizes"].figures.values()]
    assert ["of scans" in title for title in titles] == [True]
