"""Names of clusters of real photographs, in tables, figures, reports and exported folders; and by CLIP."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from tests.backbone.conftest import TINY
from tests.messages import says
from tests.running import run_typed

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.config.stage import build_stage
from experiments.context import Context
from experiments.evaluator.measures.vocabulary import LARGEST, network_terms
from experiments.job.perform import Performed
from experiments.recorded import PastRun
from experiments.recorded.export import export
from experiments.report.notebook import notebook_html
from experiments.store.cache import Store
from experiments.types import Findings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cut scikit-learn's photographs of a Chinese palace and of a flower into six overlapping images each."""
    root = tmp_path_factory.mktemp("crops")
    for folder, pixels in zip(("castles", "Daisies"), load_sample_images().images, strict=True):
        (root / folder).mkdir()
        for number in range(6):
            left, top = 8 * (number % 3), 8 * (number // 3)
            Image.fromarray(pixels[top : top + 410, left : left + 620]).save(root / folder / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def job(crops: Path, uri: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Performed, Path]:
    """Cluster the crops with EfficientNet-Lite0, name the clusters and write the report."""
    folder = tmp_path_factory.mktemp("named")
    typed = [
        "dataset=image_folder", f"dataset.root={crops}", "backbone=efficientnet_lite0", "reducer=identity",
        "cluster.k=2", "evaluator=[contact_sheets,external,names]", "map=pca",
        "figures=none", "tracking.log_model=none", f"tracking.uri={uri}", f"cache.root={folder}/cache",
    ]  # fmt: skip
    return run_typed(typed, folder / "run"), folder


def test_clusters_of_photographs_are_named(job: tuple[Performed, Path]) -> None:
    result: Any = job[0].result
    table = result.findings["names"].tables["names"].set_index("label")
    assert table["name"].to_dict() == {"Daisies": "daisy", "castles": "palace"}
    assert table["match"].to_dict() == {"Daisies": "exact", "castles": "other"}
    assert (table["score"] > table["level"]).all()
    assert (table["margin"] > 0).all()
    assert table["agree"]["Daisies"] == 1
    named = {name: value for name, value in result.metrics.items() if name.startswith("names_")}
    assert named == {
        "names_exact": 0.5,
        "names_exact_images": 0.5,
        "names_synonym": 0,
        "names_known": 1,
        "names_unnamed": 0,
    }


def test_a_name_with_a_low_score_is_not_used(job: tuple[Performed, Path]) -> None:
    result: Any = job[0].result
    values = {name: getattr(result, name) for name in ("samples", "encoder", "embeddings", "clustering")}
    score = result.findings["names"].tables["names"]["score"].max()
    stage = build_stage("evaluator.names", VALUES | TARGET | {"min_score": float(score)})
    findings = stage.evaluate(ctx=Context.plain(Store(job[1] / "low")), **values)
    assert findings.metrics["names_unnamed"] == 0.5


def test_names_are_in_the_report_sheets_tables_and_folders(
    job: tuple[Performed, Path], uri: str, tmp_path: Path
) -> None:
    performed, folder = job
    result: Any = performed.result
    (daisy,) = [cluster for cluster, name in result.names.items() if name == "daisy"]
    sheets = result.findings["contact_sheets"].figures["contact_sheets"]
    assert sheets.names[daisy] == f"cluster {daisy} (daisy): 6 images, mostly Daisies (100%)"
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert f"cluster {daisy} (daisy): 6, mostly Daisies (100%)" in page
    assert pd.read_csv(folder / "run" / "names.csv")["name"].tolist() == list(result.names.values())
    assert f"<td>{daisy} daisy</td>" in notebook_html(result)
    run = PastRun.of(uri, performed.outcome.run_id)
    table = export(run, tmp_path / "out", "link", Context.plain(Store(tmp_path / "cache")))
    assert set(table["name"]) == {"daisy", "palace"}
    names = {path.name for path in (tmp_path / "out" / "data").iterdir()}
    assert names == {f"{daisy} daisy", f"{1 - daisy} palace"}


def clip_run(crops: Path, folder: Path, vocabulary: str, *more: str) -> tuple[Findings, set[str]]:
    """Name clusters by a small CLIP with random weights; also return the kinds of computed values."""
    config = folder / "clip.json"
    config.write_text(json.dumps(TINY | {"text_cfg": TINY["text_cfg"] | {"vocab_size": 49408}}), "utf-8")
    typed = [
        "dataset=image_folder", f"dataset.root={crops}", "backbone=clip", f"backbone.model={config}",
        "backbone.weights=none", f"backbone.weights_cache={folder}", "reducer=identity", "cluster.k=2",
        "evaluator=[names]", f"evaluator.names.vocabulary={vocabulary}", *more,
    ]  # fmt: skip
    ctx = Context.plain(Store(folder / "cache"))
    result = pipeline.run(build(compose.compose_config(typed), typed).stages, ctx)
    return result.findings["names"], {key.rpartition("-")[0] for key in ctx.store.computed}


def test_clip_names_clusters_by_the_lines_of_a_file(crops: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("palace\n\nteapot\ndaisy\n", encoding="utf-8")
    findings, computed = clip_run(crops, tmp_path, str(tmp_path / "words.txt"))
    assert set(findings.tables["names"]["name"]) <= {"palace", "teapot", "daisy", "unnamed"}
    assert any("backbone.weights=none" in warning for warning in findings.warnings)
    assert {"texts", "names"} <= computed
    _, computed = clip_run(crops, tmp_path, str(tmp_path / "words.txt"), "cluster.k=3")
    assert computed == {"faiss_kmeans", "names"}, "embeddings of images and of texts are reused"


VALUES = {"prompts": ["a {}"], "shuffles": 10, "min_score": 0.12, "clusters": 10, "seed": 0}
TARGET = {"_target_": "experiments.evaluator.names.Names", "vocabulary": "imagenet"}


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("\n \n", "write a name a line"),
        ("ant\nbee\nAnt\n", "sort -fu words.txt"),
        ("\n".join(map(str, range(2 * LARGEST))), "evaluator.names.vocabulary=wordnet"),
    ],
)
def test_an_unusable_vocabulary_is_refused(text: str, use: str, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        build_stage("evaluator.names", TARGET | VALUES | {"vocabulary": str(path)})
    says(error, key=f"evaluator.names.vocabulary={path}", use=use)


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"vocabulary": "/nowhere.txt"}, "evaluator.names.vocabulary=/nowhere.txt", "wordnet"),
        ({"prompts": ["a photo"]}, "evaluator.names.prompts=['a photo']", "{}"),
        ({"shuffles": 0}, "evaluator.names.shuffles=0", "1 or more"),
        ({"min_score": 12}, "evaluator.names.min_score=12", "0 to 1"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], key: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        build_stage("evaluator.names", TARGET | VALUES | changes)
    says(error, key=key, use=use)


@pytest.mark.parametrize(
    ("overrides", "key", "use"),
    [
        (["backbone=pixels"], "backbone=pixels", "backbone=efficientnet_lite0"),
        (
            ["backbone=resnet50", "backbone.model=squeezenet1_1", "backbone.weights=none"],
            "backbone=resnet50 backbone.model=squeezenet1_1",
            "backbone=efficientnet_lite0",
        ),
        (
            ["backbone=efficientnet_lite0", "evaluator.names.vocabulary=wordnet"],
            "evaluator.names.vocabulary=wordnet",
            "backbone=clip",
        ),
    ],
)
def test_a_backbone_that_does_not_suit_is_refused_before_the_run(
    overrides: list[str], key: str, use: str, tmp_path: Path
) -> None:
    stages = build(compose.compose_config(["evaluator=[names]", *overrides])).stages
    with pytest.raises(ValueError) as error:
        pipeline.run(stages, Context.plain(Store(tmp_path)))
    says(error, key=key, use=use)


def test_the_right_names_of_the_benchmark_are_classes_of_imagenet() -> None:
    table = pd.read_csv(Path(__file__).with_name("caltech_names.csv"))
    assert len(table) == table["class"].nunique() == 52
    names = {name for right in table["names"] for name in right.split("|")}
    assert names <= {term.name for term in network_terms(1000)}
    assert table["relation"].value_counts().to_dict() == {"same": 41, "kind": 11}
