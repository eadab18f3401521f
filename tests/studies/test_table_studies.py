"""Studies D and E by their presets: all outputs have the study's names, and the metrics are right."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.studies import study_e

import experiments
from experiments.pipeline import Result

pytestmark = pytest.mark.slow

COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200]])


@pytest.fixture(scope="module")
def storage(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return overrides for a new cache and MLflow store."""
    folder = tmp_path_factory.mktemp("places")
    shutil.copy(tables, folder / "mlflow.db")
    return [f"cache.root={folder}/cache", f"tracking.uri=sqlite:///{folder}/mlflow.db"]


def figure_names(folder: Path) -> set[str]:
    """Return the names of the figures in a folder; each has a page and, but for three dimensions, a PNG."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    names = {path.with_suffix("").as_posix() for path in paths}
    pngs = {f"{name}.png" for name in names if not name.endswith("3d")}
    assert {path.as_posix() for path in paths} == {f"{name}.html" for name in names} | pngs
    return names


def artifact_names(storage: list[str]) -> set[str]:
    """Return the paths of all recorded artifacts, relative to their run."""
    store = Path(storage[1].partition("sqlite:///")[2]).parent / "artifacts"
    return {"/".join(path.relative_to(store).parts[2:]) for path in store.rglob("*.*") if path.is_file()}


@pytest.fixture(scope="module")
def study_e_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return study_e.write(tmp_path_factory.mktemp("study_e"))


@pytest.fixture(scope="module")
def tabular(
    study_e_files: tuple[Path, Path], storage: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Result, Path]:
    """Run Study E."""
    table, labels = study_e_files
    out = tmp_path_factory.mktemp("tabular")
    settings = [f"dataset.path={table}", f"dataset.labels.path={labels}", f"hydra.run.dir={out}"]
    return experiments.run(["experiment=tabular_labels", *settings, *storage]), out


def test_the_files_of_study_e_have_its_size_and_are_reproducible(
    study_e_files: tuple[Path, Path], tmp_path: Path
) -> None:
    table, labels = (pd.read_csv(path) for path in study_e_files)
    assert table.shape == (152, 15)
    assert len(labels) == 154
    assert table.isna().sum().sum() == 15
    numbers = labels["image_id"].str.extract(r"(\d+)")[0].astype(int)
    assert set(numbers) - set(table["image_id"]) == {33, 71}
    for path, again in zip(study_e_files, study_e.write(tmp_path), strict=True):
        assert path.read_bytes() == again.read_bytes()
    (tmp_path / "other").mkdir()
    assert study_e.write(tmp_path / "other", seed=1)[0].read_bytes() != study_e_files[0].read_bytes()


def test_study_e_writes_every_output_under_its_name(tabular: tuple[Result, Path], storage: list[str]) -> None:
    result, out = tabular
    assert figure_names(out / "figures") == {
        "cluster_feature_profiles_heatmap", "cluster_label_distribution", "cluster_sizes",
        "cluster_tag_shares", "image_clusters_pca",
    }  # fmt: skip
    expected = ["cluster_feature_centroids", "image_clusters_with_labels", "cluster_label_crosstab",
              "cluster_explanations", "cluster_sizes", "cluster_tag_shares"]  # fmt: skip
    assert all((out / f"{name}.csv").exists() for name in expected)
    assert {f"{name}.csv" for name in expected} <= artifact_names(storage)
    assert len(np.unique(result.clustering.assignments)) == 5
    assert {"silhouette", "cramers_v_corrected", "ari"} <= set(result.metrics)
    assert result.embeddings.shape == (152, 13)


def test_study_e_s_centroids_are_the_means_of_its_table(
    tabular: tuple[Result, Path], study_e_files: tuple[Path, Path]
) -> None:
    table, out = pd.read_csv(study_e_files[0], index_col="image_id"), tabular[1]
    values = table.drop(columns="primary_label_top")
    values = values.fillna(values.median())
    clusters = pd.read_csv(out / "image_clusters_with_labels.csv", index_col="image_id")["cluster"]
    means = values.groupby(clusters).mean()
    centroids = pd.read_csv(out / "cluster_feature_centroids.csv", index_col="cluster")
    assert centroids.pop("images").tolist() == clusters.value_counts().sort_index().tolist()
    pd.testing.assert_frame_equal(centroids, means, rtol=1e-5)
    scores = (means - means.mean()) / means.std(ddof=0)
    explained = pd.read_csv(out / "cluster_explanations.csv", index_col="cluster")
    for cluster, row in explained.iterrows():
        assert list(row[["high_1", "high_2", "high_3"]]) == scores.loc[cluster].nlargest(3).index.tolist()
        assert list(row[["low_1", "low_2", "low_3"]]) == scores.loc[cluster].nsmallest(3).index.tolist()
        assert f"{row['high_1']} ({row['high_1_z']:+.2f})" in row["explanation"]


def test_study_e_s_labels_are_matched_by_digits(
    tabular: tuple[Result, Path], study_e_files: tuple[Path, Path]
) -> None:
    out, labels = tabular[1], pd.read_csv(study_e_files[1])
    labels.index = labels["image_id"].str.extract(r"(\d+)")[0].astype(int)
    listed = pd.read_csv(out / "image_clusters_with_labels.csv", index_col="image_id")
    joined = labels.loc[listed.index]
    assert listed["label"].tolist() == joined["labels_txt"].tolist()
    weights = [f"{name}_weight" for name in study_e.NAMES]
    np.testing.assert_allclose(
        listed[[*study_e.NAMES, *weights]], joined[[*study_e.NAMES, *weights]], atol=1e-6
    )
    crosstab = pd.read_csv(out / "cluster_label_crosstab.csv", index_col="cluster")
    counted = pd.crosstab(listed["cluster"], listed["label"], margins=True)
    np.testing.assert_array_equal(crosstab.to_numpy(), counted.to_numpy())
    shares = pd.read_csv(out / "cluster_tag_shares.csv", index_col="cluster").drop(columns="images")
    means = joined[shares.columns].groupby(listed["cluster"]).mean()
    np.testing.assert_allclose(shares.iloc[:-1], means, atol=1e-6)
    assert len(pd.read_csv(out / "unmatched_labels.csv")) == 2


def test_without_labels_study_e_skips_evaluators_that_need_them(
    study_e_files: tuple[Path, Path], storage: list[str], tmp_path: Path
) -> None:
    settings = [f"dataset.path={study_e_files[0]}", "dataset.labels=null", "figures=none"]
    result = experiments.run(
        ["experiment=tabular_labels", *settings, *storage, f"hydra.run.dir={tmp_path}/out"]
    )
    assert set(result.skipped_evaluators) == {"crosstab"}
    assert set(result.findings["profiles"].tables) == {"cluster_feature_centroids", "cluster_explanations"}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 60 images of three colours, and their colours as embeddings."""
    folder = tmp_path_factory.mktemp("img")
    rng = np.random.default_rng(0)
    rows = ["filename,red,green,blue"]
    for number in range(60):
        colour = (COLOURS[number % 3] + rng.integers(-30, 30, 3)).astype(np.uint8)
        Image.new("RGB", (20, 16), tuple(colour.tolist())).save(folder / f"{number:02}.png")
        rows.append(f"{number:02}.png,{','.join(map(str, colour / 255))}")
    (folder / "embeddings.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


PICTURES = {"cluster_counts", "image_clusters", "image_clusters_tsne", "image_clusters_3d"}
FEW = [f"evaluator.contact_sheets.{part}=2" for part in ("nearest", "random", "farthest")]


def test_study_d_writes_every_output_under_its_name(
    embedded: Path, storage: list[str], tmp_path: Path
) -> None:
    out, images = tmp_path / "out", [f"dataset.images={embedded}"]
    settings = [f"dataset.path={embedded}/embeddings.csv", *images, *FEW, f"hydra.run.dir={out}"]
    result = experiments.run(["experiment=embeddings_csv", *settings, *storage])
    sheets = {f"cluster_visualizations/cluster_{number}" for number in range(10)}
    assert figure_names(out / "figures") == PICTURES | sheets
    assert {f"figures/{name}.html" for name in PICTURES | sheets} <= artifact_names(storage)
    for name in ("image_clusters", "image_clusters_3d"):
        page = (out / "figures" / f"{name}.html").read_text(encoding="utf-8")
        assert "07.png" in page, "the hover text shows the file's name"
        assert 'id="sprite-0"' in page, "and shows its image"
    colours = np.array([int(name[:2]) % 3 for name in result.samples.ids])
    for cluster in range(10):
        assert len(set(colours[result.clustering.assignments == cluster])) == 1, (
            "no cluster mixes two colours"
        )


def test_study_d_without_images_has_figures_of_points(
    embedded: Path, storage: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    settings = [f"dataset.path={embedded}/embeddings.csv", f"hydra.run.dir={out}"]
    experiments.run(["experiment=embeddings_csv", *settings, *storage])
    assert figure_names(out / "figures") == PICTURES
    assert (out / "contact_sheets.csv").exists()
