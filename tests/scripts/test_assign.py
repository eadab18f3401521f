"""scripts/assign.py on the shared project's sweep: nothing is fitted again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from tests.messages import says
from tests.project import Project

pytestmark = pytest.mark.slow


def best(project: Project) -> tuple[str, str]:
    """Return the ids of the first sweep's run and of its best job's."""
    parent = next(run for run in project.runs()[::-1] if "best.run_id" in run.data.tags)
    return parent.info.run_id, parent.data.tags["best.run_id"]


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every ninth digit as a PNG, named by its id."""
    folder = tmp_path_factory.mktemp("held_out")
    images = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)
    for row in range(0, len(images), 9):
        Image.fromarray(images[row]).save(folder / f"{row:04}.png")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def test_images_go_where_the_run_put_them(project: Project, held_out: Path, tmp_path: Path) -> None:
    sweep, job = best(project)
    done = project.script("assign", job, str(held_out), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "assigned.csv")
    (made,) = project.root.glob("mlflow/artifacts/" + f"{job}/artifacts/assignments.parquet")
    known = pd.read_parquet(made).set_index("id")["cluster"]
    assert (table["cluster"].to_numpy() == known[table["id"].str[:4]].to_numpy()).all()
    says(done.stdout, key=f"{len(table)} images in 10 clusters", use="0 noise")
    assert pd.read_csv(tmp_path / "assigned_skipped_files.csv")["id"].tolist() == ["broken.png"]
    says(done.stdout, key="1 file", use="broken.png")
    image = str(held_out / "0009.png")
    again = project.script("assign", sweep, image, "--out", "one.csv", "device=cpu", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert pd.read_csv(tmp_path / "one.csv")["cluster"][0] == table["cluster"][1]


def test_what_cannot_be_is_one_line(project: Project, held_out: Path, tmp_path: Path) -> None:
    sweep, job = best(project)
    jobs = [r.info.run_id for r in project.runs() if r.data.tags.get("mlflow.parentRunId") == sweep]
    other = next(run_id for run_id in jobs if run_id != job)
    (tmp_path / "empty").mkdir()
    answers = {
        (other, str(held_out)): (f"RUN_ID={other}", "tracking.log_model=all"),
        (job, "empty"): (f"FOLDER={tmp_path / 'empty'}", "use a folder of images"),
        ("norun", str(held_out)): ("RUN_ID=norun", "tracking.uri="),
        (job, str(held_out), "dataset.root=there"): ("dataset.root", "leave it out"),
    }
    for words, (key, use) in answers.items():
        done = project.script("assign", *words, "--out", "new/mine.csv", cwd=tmp_path)
        assert done.returncode == 1
        says(done.stderr, key=key, use=use)
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "key", "use"),
    [
        ([], "FOLDER|FILE", "use a folder"),
        (["nowhere"], "nowhere", "does not exist"),
        ([".", "--out", "old.csv"], "--out old.csv", "use another file"),
        ([".", "--far", "95"], "--far 95.0", "such as 0.99"),
    ],
)
def test_arguments_are_checked_before_the_run_is_read(
    fresh: Project, tmp_path: Path, words: list[str], key: str, use: str
) -> None:
    (tmp_path / "old.csv").touch()
    done = fresh.script("assign", "norun", *words, cwd=tmp_path)
    assert done.returncode == 1
    says(done.stderr, key=key, use=use)


def test_the_result_has_its_folder_made_and_what_cannot_be_written_is_told(
    project: Project, held_out: Path, tmp_path: Path
) -> None:
    _, job = best(project)
    image = str(held_out / "0009.png")
    done = project.script("assign", job, image, "--out", "new/er/one.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(tmp_path / "new" / "er" / "one.csv")) == 1
    says(done.stdout, key="1 image in 1 cluster", use="0 noise")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for out in ("file/one.csv", "new/er/one.csv"):
        done = project.script("assign", job, image, "--out", out, cwd=tmp_path)
        assert done.returncode == 1
        says(done.stderr, key=f"--out {out}", use="use another file")
        assert len(done.stderr.splitlines()) == 1


def test_a_model_of_vectors_says_what_to_call(fresh: Project, held_out: Path, tmp_path: Path) -> None:
    made = ["dataset=synthetic_vectors", "dataset.n=60", "dataset.classes=3"]
    fresh.succeed(*made, "backbone=identity", "reducer=identity", "cluster.k=3", "figures=none")
    (run,) = fresh.runs()
    done = fresh.script("assign", run.info.run_id, str(held_out), cwd=tmp_path)
    assert done.returncode == 1
    says(done.stderr, key=f"RUN_ID={run.info.run_id}", use="mlflow.pyfunc.load_model(")
    folder = done.stderr.partition("mlflow.pyfunc.load_model('")[2].partition("')")[0]
    assert Path(folder, "MLmodel").exists()
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("*.csv"))


def test_new_rows_of_a_table_go_where_the_run_put_them(fresh: Project, tmp_path: Path) -> None:
    from sklearn.datasets import load_wine

    wine = load_wine(as_frame=True)
    rows = wine.data.assign(id=[f"{row:03}" for row in wine.data.index], flat=1)
    rows.to_csv(tmp_path / "wine.csv", index=False)
    fresh.succeed("dataset=table", f"dataset.path={tmp_path}/wine.csv", "cluster.k=3", "evaluator=[internal]")
    (run,) = fresh.runs()
    known = pd.read_parquet(Path(run.info.artifact_uri.removeprefix("file://")) / "assignments.parquet")
    new = rows.iloc[::7, ::-1].assign(other="text")  # columns in another order, and one more
    new.to_parquet(tmp_path / "new.parquet", index=False)
    done = fresh.script("assign", run.info.run_id, "new.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    says(done.stdout, key="26 vectors in 3 clusters", use="0 noise")
    table = pd.read_csv(tmp_path / "assigned.csv", dtype={"id": str})
    assert table["id"].tolist() == new["id"].tolist()
    expected = known.set_index("id")["cluster"][new["id"]]
    assert table["cluster"].tolist() == expected.tolist()
    words = [run.info.run_id, "out", "--embeddings", "csv", f"cache.root={fresh.root}/cache"]
    done = fresh.script("export", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    says(done.stdout, key="protocol=published", use="same clusters")
    done = fresh.script("assign", run.info.run_id, "out/embeddings.csv", "--out", "own.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    own = pd.read_csv(tmp_path / "own.csv", dtype={"id": str})
    assert own["cluster"].tolist() == known.set_index("id")["cluster"][own["id"]].tolist()
    new.drop(columns="alcohol").to_csv(tmp_path / "short.csv", index=False)
    done = fresh.script("assign", run.info.run_id, "short.csv", "--out", "two.csv", cwd=tmp_path)
    assert done.returncode == 1
    says(done.stderr, key="short.csv", use="1 of the 13 columns of the run: alcohol; name its columns")
    assert len(done.stderr.splitlines()) == 1
