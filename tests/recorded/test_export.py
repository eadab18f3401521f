"""Export clusters as folders and as files for other programs."""

import json
import shutil
import unicodedata
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.messages import says
from tests.running import run_typed

from experiments import tracking
from experiments.config.plan import Tracking
from experiments.context import Context
from experiments.dataset.images.content import ImageFiles
from experiments.dataset.tables.tabular import text_table
from experiments.recorded import PastRun
from experiments.recorded import embeddings as recorded_embeddings
from experiments.recorded.export import _names, export
from experiments.recorded.samples import rows_of
from experiments.store.cache import Store
from scripts import export as script

pytestmark = pytest.mark.slow

CALTECH = Path(__file__).parents[3] / "shared" / "data" / "caltech101_128.zip"


def recorded(uri: str, folder: Path, *overrides: str) -> PastRun:
    """Run an experiment and return its run."""
    typed = [
        "backbone=pixels", "reducer=identity", "evaluator=[internal]", "figures=none", "report=none",
        "tracking.log_model=none", f"tracking.uri={uri}", f"cache.root={folder}/cache", *overrides,
    ]  # fmt: skip
    return PastRun.of(uri, run_typed(typed, folder / "run").outcome.run_id)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a zip of bright and dark images of 6 x 4 pixels in two folders, two of which share a name."""
    folder = tmp_path_factory.mktemp("archive")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "images.zip", "w") as made:
        for name, level in (("bright", 200), ("dark", 20)):
            for number in range(6):
                image = Image.fromarray(rng.integers(level, level + 20, (4, 6, 3)).astype(np.uint8))
                path = folder / f"{number}.{'png' if number else 'bmp'}"
                image.save(path)
                made.write(path, f"{name}/{path.name}")
        made.writestr("dark/0.png", (folder / "1.png").read_bytes())  # in the folder of 0.bmp
    return folder / "images.zip"


@pytest.fixture(scope="module")
def run(archive: Path, uri: str, tmp_path_factory: pytest.TempPathFactory) -> PastRun:
    overrides = ["dataset=image_folder", f"dataset.root={archive}", "dataset.image_size=4"]
    return recorded(
        uri,
        tmp_path_factory.mktemp("zip"),
        *overrides,
        "cluster=dbscan",
        "cluster.eps=0.35",
        "cluster.min_samples=2",
    )


@pytest.fixture
def caltech() -> Path:
    if not CALTECH.exists():
        pytest.skip(f"{CALTECH.name} is missing from the repository's shared/data")
    return CALTECH


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context.plain(Store(tmp_path / "cache"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_each_image_is_copied_into_its_clusters_folder(run: PastRun, ctx: Context, tmp_path: Path) -> None:
    table = export(run, tmp_path / "out", "copy", ctx)
    assert len(table) == 13
    files = {
        path.relative_to(tmp_path / "out" / "data").as_posix()
        for path in (tmp_path / "out" / "data").glob("*/*")
    }
    assert files == set(table["path"])
    assert {path.split("/")[0] for path in files} == {"cluster_0", "cluster_1"}
    assert "cluster_0/bright__0.bmp" in files
    assert not any((tmp_path / "out" / "data" / path).is_symlink() for path in files)
    for form in (
        pd.read_csv(tmp_path / "out" / "assignments.csv"),
        pd.read_parquet(tmp_path / "out" / "assignments.parquet"),
    ):
        assert list(form) == ["id", "hash", "cluster", "label", "path"]
        assert form["cluster"].tolist() == table["cluster"].tolist()


def test_fiftyone_finds_every_image_by_its_name(run: PastRun, ctx: Context, tmp_path: Path) -> None:
    """FiftyOneImageClassificationDataset: classes, and labels from a path below data/ to an index."""
    table = export(run, tmp_path / "out", "copy", ctx)
    labels = read(tmp_path / "out" / "labels.json")
    assert labels["classes"] == ["cluster_0", "cluster_1"]
    assert len(labels["labels"]) == 13  # including 0.bmp and 0.png of one folder
    for key, index in labels["labels"].items():
        (path,) = (tmp_path / "out" / "data").glob(f"{key}.*")
        assert path.parent.name == labels["classes"][index]
    assert len(table) == 13


def test_coco_refers_to_existing_images(run: PastRun, ctx: Context, tmp_path: Path) -> None:
    export(run, tmp_path / "out", "copy", ctx)
    coco = read(tmp_path / "out" / "coco.json")
    assert list(coco) == ["info", "licenses", "images", "annotations", "categories"]
    categories = {category["id"]: category["name"] for category in coco["categories"]}
    images = {image["id"]: image for image in coco["images"]}
    assert len(images) == len(coco["annotations"]) == 13
    assert {annotation["id"] for annotation in coco["annotations"]} == set(range(1, 14))
    for annotation in coco["annotations"]:
        image = images[annotation["image_id"]]
        assert (tmp_path / "out" / "data" / image["file_name"]).exists()
        assert image["file_name"].startswith(categories[annotation["category_id"]])
        assert (image["width"], image["height"]) == (6, 4)
        assert (annotation["bbox"], annotation["area"], annotation["iscrowd"]) == ([0, 0, 6, 4], 24, 0)


def test_links_open_the_images(run: PastRun, ctx: Context, tmp_path: Path) -> None:
    table = export(run, tmp_path / "out", "link", ctx)
    for path in table["path"]:
        link = tmp_path / "out" / "data" / path
        assert link.is_symlink()
        assert Image.open(link).size == (6, 4)


def test_exported_names_are_unique(ctx: Context, tmp_path: Path, uri: str) -> None:
    root = tmp_path / "images"
    names = ("a/b.png", "a__b.png", "a__b-2.png", "c.bmp", "c.png", "c-2.bmp", "D.png", "d.png")
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), 20 * number).save(root / name)
    overrides = ["dataset=image_folder", f"dataset.root={root}", "dataset.image_size=4", "cluster.k=1"]
    run = recorded(uri, tmp_path / "run", *overrides)
    for how in ("copy", "link"):
        table = export(run, tmp_path / how, how, ctx)
        assert len(table) == len(names)
        for name, path in zip(table["id"], table["path"], strict=True):
            assert (tmp_path / how / "data" / path).read_bytes() == (root / name).read_bytes()
        stems = {Path(path).stem.lower() for path in table["path"]}  # some file systems ignore case
        assert len(stems) == len(names)
        assert len(read(tmp_path / how / "labels.json")["labels"]) == len(names)


def test_a_long_id_is_shortened() -> None:
    ids = [f"{'é' * 90}/{'b' * 100}/{end}" for end in ("1.png", "2.png")] + [f"{'x' * 300}.png"]
    content = ImageFiles(Path(), np.array(ids), np.array(["h"] * 3))
    names = _names(pd.DataFrame({"id": ids, "cluster": 0}), content)
    assert len(set(names)) == 3
    assert max(len(name.partition("/")[2].encode()) for name in names) < 255


def test_samples_are_matched_in_the_other_unicode_form(caplog: pytest.LogCaptureFixture) -> None:
    composed, decomposed = (unicodedata.normalize(form, "café.png") for form in ("NFC", "NFD"))
    samples: Any = SimpleNamespace(ids=np.array(["b", decomposed, " b"]), source="photos")
    run: Any = SimpleNamespace(id="0123")
    assert rows_of(run, np.array([composed, " b"]), samples).tolist() == [1, 2]
    says(caplog.text, key="RUN_ID=0123", use="Unicode")
    with pytest.raises(ValueError) as error:
        rows_of(run, np.array(["b", "c"]), samples)
    says(error, key="RUN_ID=0123", use="missing from photos, such as c;")


def test_a_folder_with_files_is_not_changed(run: PastRun, ctx: Context, tmp_path: Path) -> None:
    existing = tmp_path / "out" / "mine.txt"
    existing.parent.mkdir()
    existing.write_text("a year's work", encoding="utf-8")
    for folder in (existing.parent, existing):
        with pytest.raises(ValueError) as error:
            export(run, folder, "copy", ctx)
        says(error, key=f"FOLDER={folder}", use="use a new folder")
    assert [path.name for path in existing.parent.iterdir()] == ["mine.txt"]
    with pytest.raises(ValueError) as error:
        export(run, tmp_path / "new", "move", ctx)
    says(error, key="--how move", use="copy or link")


def test_missing_images_are_counted(run: PastRun, ctx: Context, tmp_path: Path, archive: Path) -> None:
    whole = archive.read_bytes()
    try:
        with zipfile.ZipFile(archive) as old:
            images = {name: old.read(name) for name in old.namelist() if name != "dark/3.png"}
        with zipfile.ZipFile(archive, "w") as new:
            for name, data in images.items():
                new.writestr(name, data)
        with pytest.raises(ValueError) as error:
            export(run, tmp_path / "out", "copy", ctx)
        assert f"1 image missing from {archive}" in says(error, key="dark/3.png", use="dataset.root=")
    finally:
        archive.write_bytes(whole)
    assert not (tmp_path / "out").exists()


def test_moved_images_are_exported_from_their_new_path(
    archive: Path,
    uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = Path(shutil.copy(archive, tmp_path / "here.zip"))
    typed = ["dataset=image_folder", f"dataset.root={path}", "dataset.image_size=4", "cluster.k=1"]
    run = recorded(uri, tmp_path / "run", *typed)
    path.rename(tmp_path / "there.zip")
    monkeypatch.chdir(tmp_path)
    store = [f"tracking.uri={run.uri}", f"cache.root={tmp_path}/other"]

    def typing(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["export.py", run.id, *words, *store])
        capfd.readouterr()  # drop warnings of the run
        code = script.main()
        text = capfd.readouterr()
        return code, " ".join((text.out + text.err).split())

    for words in (["out"], ["out", "--embeddings", "csv"]):
        code, text = typing(*words)
        assert code == 1
        says(text, key=f"dataset.root={path}", use="use dataset.root=")
    code, text = typing("out", "dataset.root=there.zip", "--embeddings", "csv")
    assert code == 0, text
    says(text, key="13 rows in 1 cluster", use="0 noise")
    assert len(list((tmp_path / "out" / "data" / "cluster_0").iterdir())) == 13
    assert (tmp_path / "out" / "embeddings.csv").exists()
    code, text = typing("out2", "dataset.limit=3")
    assert code == 1
    says(text, key="dataset.limit=3", use="dataset.root")


def test_images_in_memory_are_written_and_noise_has_a_folder(ctx: Context, tmp_path: Path, uri: str) -> None:
    run = recorded(
        uri,
        tmp_path / "run",
        "dataset.limit=100",
        "cluster=dbscan",
        "cluster.eps=1.5",
        "cluster.min_samples=3",
    )
    with pytest.raises(ValueError) as error:
        export(run, tmp_path / "out", "link", ctx)
    says(error, key="--how link", use="--how copy")
    table = export(run, tmp_path / "out", "copy", ctx)
    noise = table[table["cluster"] < 0]
    assert len(noise)
    assert set(noise["path"]) == {f"noise/{name}.png" for name in noise["id"]}
    assert Image.open(tmp_path / "out" / "data" / noise["path"].iloc[0]).size == (8, 8)
    assert "noise" in read(tmp_path / "out" / "labels.json")["classes"]


def test_vectors_get_only_the_tables(ctx: Context, tmp_path: Path, uri: str) -> None:
    settings = [
        "dataset=synthetic_vectors",
        "dataset.n=60",
        "dataset.classes=3",
        "backbone=identity",
        "cluster.k=3",
    ]
    run = recorded(uri, tmp_path / "run", *settings)
    export(run, tmp_path / "out", "copy", ctx)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"assignments.csv", "assignments.parquet"}


@pytest.mark.parametrize("kind", ["csv", "parquet", "npy"])
def test_exported_embeddings_give_the_same_clusters(
    run: PastRun, ctx: Context, tmp_path: Path, uri: str, kind: str
) -> None:
    """Export with images; the embeddings are computed again, as this store is empty."""
    table = export(run, tmp_path / "out", "link", ctx, kind)
    typed = ["dataset=embeddings", f"dataset.path={tmp_path}/out/embeddings.{kind}", "backbone=identity"]
    typed += [f"dataset.ids={tmp_path}/out/embeddings_ids.txt"] if kind == "npy" else []
    typed += [f"dataset.images={run.source}", "cluster=dbscan", "cluster.eps=0.35", "cluster.min_samples=2"]
    again = recorded(uri, tmp_path / "again", *typed)
    assert again.source == f"{tmp_path}/out/embeddings.{kind}", "MLflow alone has the first of equal data"
    known = pd.read_parquet(again.file("assignments.parquet", tmp_path))
    assert known["id"].tolist() == table["id"].tolist()
    assert known["cluster"].tolist() == table["cluster"].tolist()

    shown = export(again, tmp_path / "shown", "copy", ctx, kind)
    assert shown["path"].tolist() == table["path"].tolist()
    for path in shown["path"]:
        assert (tmp_path / "shown/data" / path).read_bytes() == (tmp_path / "out/data" / path).read_bytes()
    for name in {path.name for path in (tmp_path / "out").glob("embeddings*")}:
        assert (tmp_path / "shown" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_exported_embeddings_of_photographs_give_the_same_k_means(
    ctx: Context, tmp_path: Path, uri: str, caltech: Path
) -> None:
    """Use protocol=published: the split depends on the content, which differs for images and vectors."""
    typed = ["protocol=published", "reducer=pca", "reducer.n_components=8", "cluster.k=5"]
    with zipfile.ZipFile(caltech) as whole, zipfile.ZipFile(tmp_path / "few.zip", "w") as few:
        for name in whole.namelist()[::150]:
            few.writestr(name, whole.read(name))
    images = ["dataset=image_folder", f"dataset.root={tmp_path}/few.zip", "dataset.image_size=16"]
    first = recorded(uri, tmp_path / "run", *typed, *images)
    table = export(first, tmp_path / "out", "link", ctx, "csv")
    assert table["cluster"].nunique() == 5
    read = ["dataset=embeddings", f"dataset.path={tmp_path}/out/embeddings.csv", "backbone=identity"]
    again = recorded(uri, tmp_path / "again", *typed, *read)
    known = pd.read_parquet(again.file("assignments.parquet", tmp_path))
    assert known["id"].tolist() == table["id"].tolist()
    assert known["cluster"].tolist() == table["cluster"].tolist()


def test_cached_embeddings_are_not_computed_again(tmp_path: Path, uri: str) -> None:
    """The run's cache has the embeddings and all earlier steps."""
    run = recorded(uri, tmp_path / "run", "dataset.limit=40", "cluster.k=2")
    cached_ctx = Context.plain(Store(tmp_path / "run" / "cache", compute=False))
    table = pd.read_parquet(run.file("assignments.parquet", tmp_path))[::-1]
    ids, hashes = table["id"].to_numpy(str), table["hash"].to_numpy(str)
    values, columns = recorded_embeddings.embeddings_of(run, ids, hashes, cached_ctx)
    assert columns == tuple(f"d{column}" for column in range(192))
    assert (values.shape, values.dtype) == ((40, 192), np.float32)
    (array,) = (tmp_path / "run" / "cache").glob("embeddings-*/array.npy")
    np.testing.assert_array_equal(values[::-1], np.load(array))


def test_a_row_without_an_image_is_only_in_the_table(
    run: PastRun, ctx: Context, tmp_path: Path, uri: str
) -> None:
    export(run, tmp_path / "out", "link", ctx, "csv")
    with (tmp_path / "out" / "embeddings.csv").open("a", encoding="utf-8") as file:
        file.write("gone.png" + ",0" * 48 + "\n")
    typed = ["dataset=embeddings", f"dataset.path={tmp_path}/out/embeddings.csv", "backbone=identity"]
    again = recorded(uri, tmp_path / "again", *typed, f"dataset.images={run.source}", "cluster.k=2")
    table = export(again, tmp_path / "shown", "copy", ctx)
    assert table["path"][table["id"] == "gone.png"].isna().all()
    assert table["path"].notna().sum() == 13
    assert len(list((tmp_path / "shown" / "data").glob("*/*"))) == 13
    assert len(read(tmp_path / "shown" / "coco.json")["images"]) == 13


def test_an_id_with_a_line_break_needs_another_kind(tmp_path: Path) -> None:
    ids, values = np.array(["a\nb", "'=c", "-d"]), np.eye(3, dtype=np.float32)
    columns = ("=x", "'y", 'a "z", b')
    with pytest.raises(ValueError) as error:
        recorded_embeddings.write(ids, values, columns, tmp_path, "npy")
    says(error, key="--embeddings npy", use="--embeddings parquet")
    for kind in ("csv", "parquet"):
        recorded_embeddings.write(ids, values, columns, tmp_path, kind)
        table = text_table(tmp_path / f"embeddings.{kind}", "x")
        assert list(table) == ["image_id", *columns]
        assert table["image_id"].tolist() == ids.tolist()
    with pytest.raises(ValueError) as error:
        recorded_embeddings.write(ids, values, columns, tmp_path, "json")
    says(error, key="--embeddings json", use="csv, parquet, npy")


def test_embeddings_of_missing_samples_are_refused(ctx: Context, tmp_path: Path, uri: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,a,b\n" + "".join(f"{row},{row % 3},{row}\n" for row in range(12)), encoding="utf-8")
    typed = ["dataset=table", f"dataset.path={path}", "backbone=identity", "cluster.k=3"]
    again = recorded(uri, tmp_path / "run", *typed)
    path.write_text(
        "id,a,b\n" + "".join(f"{row},{row % 3},{row}\n" for row in range(1, 14)), encoding="utf-8"
    )
    with pytest.raises(ValueError) as error:
        export(again, tmp_path / "out", "copy", ctx, "csv")
    text = says(error, key=f"RUN_ID={again.id}", use="run it again")
    assert all(fact in text for fact in ("12 samples", "now has 13", "without 0;"))


def test_changed_values_are_not_exported_with_old_clusters(ctx: Context, tmp_path: Path, uri: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,a,b\n" + "".join(f"{row},{row % 3},{row}\n" for row in range(12)), encoding="utf-8")
    typed = ["dataset=table", f"dataset.path={path}", "backbone=identity", "cluster.k=3"]
    run = recorded(uri, tmp_path / "run", *typed)
    export(run, tmp_path / "same", "copy", ctx, "csv")
    assert list(text_table(tmp_path / "same" / "embeddings.csv", "x")) == ["image_id", "a", "b"]
    path.write_text(path.read_text(encoding="utf-8").replace("\n7,1,7\n", "\n7,1,8\n"), encoding="utf-8")
    with pytest.raises(ValueError) as error:
        export(run, tmp_path / "out", "copy", ctx, "csv")
    text = says(error, key=f"RUN_ID={run.id}", use="run it again")
    assert all(fact in text for fact in (str(path), "1 of its 12 samples", "such as 7;"))
    assert not (tmp_path / "out").exists()


def test_an_unknown_run_has_similar_and_newest_ids_suggested(run: PastRun, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        PastRun.of(run.uri, run.id[:8])
    says(error, key=f"RUN_ID={run.id[:8]}", use=f"{run.id}?")
    tracker = tracking.connect(Tracking(run.uri, "mine"), "digits")
    with tracker.open("cluster.k=3", tmp_path, params={}, tags={}) as newest:
        pass
    with pytest.raises(ValueError) as error:
        PastRun.of(run.uri, "zz")
    says(error, key="RUN_ID=zz", use=f" {newest.id} (mine, cluster.k=3), ")
    with pytest.raises(ConnectionError) as error:
        PastRun.of("sqlite:////nowhere.db", run.id)
    says(error, key="tracking.uri=sqlite:////nowhere.db", use="set the store")
    with pytest.raises(ValueError) as error:
        run.file("table.csv", Path("."))
    says(error, key=f"RUN_ID={run.id}", use="table.csv")
