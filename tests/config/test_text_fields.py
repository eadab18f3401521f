"""Text settings have the typed value, whatever type Hydra would parse."""

import shlex
from pathlib import Path

import pytest
from tests.config.test_command_line import read
from tests.test_messages import EVIL

from experiments.config import compose, text_fields
from experiments.config.build import build, with_absolute_paths
from experiments.messages import setting

pytestmark = pytest.mark.slow

TYPED = ["1e3", "null", "true", "1_000", "0x10", "[a]", "{a:1}", "007", "1.50", "nan", "-1", "plain", "a b"]


@pytest.fixture(scope="module")
def cfg():
    return compose.compose_config(["dataset=image_folder", "backbone=resnet50"], hydra=True)


def test_a_path_is_what_was_typed(cfg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["dataset=image_folder", "dataset.root=1e3", "cache.root=true", "dataset.labels.path=[a]"]
    plan = build(compose.compose_config(words), words)
    dataset = plan.stages.dataset
    assert dataset.root == str(tmp_path / "1e3")  # type: ignore[attr-defined]
    assert dataset.labels["path"] == str(tmp_path / "[a]")  # type: ignore[attr-defined]
    assert plan.cache.root == str(tmp_path / "true")


@pytest.mark.parametrize("value", TYPED)
def test_texts_are_put_into_quotes_where_hydra_reads_something_else(value: str, cfg) -> None:
    (word,) = text_fields.quote_texts([f"dataset.root={value}"], cfg)
    assert compose.parse([word])[0].value() == value


@pytest.mark.parametrize(
    "word",
    [
        "cluster.k=20", "dataset.limit=null", "dataset.labels.path=null", "dataset.corrections=null",
        "seed=1", "tracking.experiment=null", "dataset.split={train:1}", "dataset.root=a,b",
        "~dataset.mirror", "dataset.root=${oc.env:HOME}", "backbone=cnn", "evaluator=[internal]",
    ],
)  # fmt: skip
def test_what_is_no_text_or_null_on_purpose_stays(word: str, cfg) -> None:
    assert text_fields.quote_texts([word], cfg) == [word]


def test_a_sweep_over_paths_runs_what_was_typed() -> None:
    request = read("dataset=image_folder", "dataset.root=1e3,null,007")
    roots = [Path(plan.stages.dataset.root).name for plan in request.plans]  # type: ignore[attr-defined]
    assert roots == ["1e3", "null", "007"]
    assert request.hydra_overrides == ["dataset=image_folder", 'dataset.root="1e3","null",007']
    assert [job[1] for job in request.jobs] == [
        'dataset.root="1e3"',
        'dataset.root="null"',
        "dataset.root=007",
    ]


def test_a_printed_root_is_that_root_in_what_is_recorded(tmp_path: Path) -> None:
    """The value stays the same when it is composed, built, recorded and built again."""
    cfg = compose.compose_config(
        ["dataset=image_folder", "evaluator=[sizes]"]
    )  # each stage is built twice a name
    for name in EVIL:
        path = f"{tmp_path}/{name}"
        (word,) = shlex.split(setting("dataset.root", path))
        cfg.dataset.root = compose.parse([word])[0].value()
        plan = build(cfg)
        assert plan.stages.dataset.root == str(Path(path))  # type: ignore[attr-defined]
        assert build(with_absolute_paths(plan)).stages == plan.stages
