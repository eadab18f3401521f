"""A saved model assigns images as the run did, and refuses unreadable files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.messages import says
from tests.running import composed

from experiments import pipeline, tracking
from experiments.config.build import build
from experiments.config.plan import Tracking
from experiments.context import Context
from experiments.job import logged_model
from experiments.job.model import (
    MIN_SIZE,
    Model,
    _load_pyfunc,
    from_folder,
    from_images,
    from_vectors,
    is_image,
    scratch,
)
from experiments.job.perform import Outcome
from experiments.store.cache import Store
from experiments.sweep import best_model

FEWER = ["backbone=pixels", "reducer.n_components=10", "dataset.limit=400", "evaluator=[internal]"]


def result_of(store: Store, *overrides: str) -> pipeline.Result:
    stages = build(composed([*FEWER, *overrides])).stages
    return pipeline.run(stages, Context.plain(store))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Result:
    return result_of(Store(tmp_path_factory.mktemp("cache")), "cluster.k=6")


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Result:
    """Cluster the same images by their density."""
    density = ["cluster=dbscan", "cluster.eps=4.5", "cluster.min_samples=3"]
    return result_of(Store(tmp_path_factory.mktemp("dense")), *density)


@pytest.fixture(scope="module")
def model(result: pipeline.Result, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Save and load a model."""
    folder = tmp_path_factory.mktemp("model")
    Model.of(result, "float32").save(folder)
    return Model.load(folder)


@pytest.fixture(scope="module")
def files(result: pipeline.Result, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write the run's images as PNG."""
    folder = tmp_path_factory.mktemp("images")
    content = result.samples.content
    for name, row in zip(result.samples.ids, content.rows, strict=True):
        Image.fromarray(content.images[row]).save(folder / f"{name}.png")
    return [folder / f"{name}.png" for name in result.samples.ids]


def test_the_runs_own_images_go_where_they_were(
    result: pipeline.Result, model: Model, files: list[Path]
) -> None:
    with scratch() as ctx:
        table = model.assign(from_folder(files[0].parent, ctx), ctx)
    assert list(table) == ["id", "cluster", "distance", "far", "majority"]
    assert table["id"].tolist() == [path.name for path in files]
    assert (table["cluster"] == result.clustering.assignments).all()
    assert table["distance"].to_numpy() == pytest.approx(
        result.clustering.assign(result.reduced)[1], abs=1e-4
    )
    assert 0 < table["far"].mean() < 0.03
    classes = result.samples.labels[result.clustering.assignments == 2]
    assert set(table["majority"][table["cluster"] == 2]) == {str(np.bincount(classes).argmax())}


def test_paths_and_bytes_keep_their_order(result: pipeline.Result, model: Model, files: list[Path]) -> None:
    chosen = [files[5], files[2], files[5]]
    frame = model.predict(pd.DataFrame({"path": [str(path) for path in chosen]}))
    assert frame["id"].tolist() == [str(path) for path in chosen]
    assert (frame["cluster"] == result.clustering.assignments[[5, 2, 5]]).all()
    with scratch() as ctx:
        read = model.assign(from_images([path.read_bytes() for path in chosen], ctx), ctx)
    assert read["id"].tolist() == ["image 0", "image 1", "image 2"]
    assert (read["cluster"] == frame["cluster"]).all()


def test_an_image_is_one_by_its_content_where_its_name_does_not_tell(
    result: pipeline.Result, model: Model, files: list[Path], tmp_path: Path
) -> None:
    odd = [tmp_path / name for name in ("none", "scan.001", "a.dat")]
    for path, row in zip(odd, (5, 2, 7), strict=True):
        path.write_bytes(files[row].read_bytes())
    assert all(is_image(path) for path in odd)
    assert not any(is_image(path) for path in (tmp_path, tmp_path / "gone", tmp_path / "a.zip"))
    frame = model.predict(pd.DataFrame({"path": [str(path) for path in odd]}))  # named, so whatever the name
    assert frame["cluster"].tolist() == result.clustering.assignments[[5, 2, 7]].tolist()


def test_what_is_far_from_every_centre_is_flagged(model: Model, tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "white.png")
    frame = pd.DataFrame({"path": [str(tmp_path / "white.png")]})
    assert model.predict(frame)["far"].tolist() == [True]
    assert model.predict(frame, {"far": 1.0})["far"].tolist() == [True]
    with pytest.raises(ValueError) as error:
        model.predict(frame, {"far": 0})
    says(error, key="far=0.0", use="0 to 1, such as 0.99")


def test_a_smaller_share_flags_more(model: Model, files: list[Path]) -> None:
    frame = pd.DataFrame({"path": [str(path) for path in files]})
    assert model.predict(frame, {"far": 0.5})["far"].mean() == pytest.approx(0.5, abs=0.02)


def test_a_small_cluster_is_measured_by_all(result: pipeline.Result) -> None:
    tiny = replace(
        result.clustering, centroids=np.concatenate([result.clustering.centroids, result.reduced[:1]])
    )
    tiny = replace(tiny, assignments=tiny.assign(result.reduced)[0])
    assert (tiny.assignments == 6).sum() < MIN_SIZE
    model = Model.of(replace(result, clustering=tiny), "float32")
    assert (model.distances[6] == model.distances[7]).all()
    assert not (model.distances[0] == model.distances[7]).all()


def test_the_last_clusters_may_be_empty(result: pipeline.Result, files: list[Path], tmp_path: Path) -> None:
    """k-means has equal centroids if points repeat; new images are assigned to one of them."""
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "white.png")
    with scratch() as ctx:
        white = result.encoder.embed(from_images([tmp_path / "white.png"], ctx), ctx)
    more = result.projection.transform(white) * np.array([[-9], [1]], np.float32)
    fuller = replace(result.clustering, centroids=np.concatenate([result.clustering.centroids, more]))
    assert fuller.assignments.max() == 5
    model = Model.of(replace(result, clustering=fuller), "float32")
    assert model.distances.shape == (9, 101)
    assert (model.distances[6:] == model.distances[8]).all()
    assert model.names[6:] == ("", "")
    frame = model.predict(pd.DataFrame({"path": [str(tmp_path / "white.png"), str(files[0])]}))
    assert frame["cluster"].tolist() == [7, result.clustering.assignments[0]]
    assert frame["majority"][0] == ""
    assert frame["majority"][1] == model.names[frame["cluster"][1]]


def test_new_images_of_a_density_are_far_as_rarely_as_its_own(dense: pipeline.Result, store: Store) -> None:
    """The distance of a core point to itself, 0, does not count."""
    stages = build(composed([*FEWER, "dataset.limit=800"])).stages
    everything = stages.dataset.load(Context.plain(store))
    rows = np.flatnonzero(~np.isin(everything.ids, dense.samples.ids))[:400]
    content, split = everything.content.take(rows), everything.split[rows]
    new = replace(everything, ids=everything.ids[rows], content=content, labels=None, split=split)
    model = Model.of(dense, "float32")
    for samples in (dense.samples, new):
        table = model.assign(samples, Context.plain(store))
        inside = table[table["cluster"] >= 0]
        assert len(inside) > 200
        assert 0 < inside["far"].mean() < 0.1


def test_noise_is_far_and_of_no_class(dense: pipeline.Result, files: list[Path]) -> None:
    model = Model.of(dense, "float32")
    frame = model.predict(pd.DataFrame({"path": [str(path) for path in files]}))
    noise = frame["cluster"] < 0
    assert noise.any()
    assert (frame["cluster"] == dense.clustering.assignments).all()
    assert frame["far"][noise].all()
    assert set(frame["majority"][noise]) == {""}


def test_vectors_are_assigned_as_vectors(result: pipeline.Result, store: Store) -> None:
    vectors = ["dataset=synthetic_vectors", "dataset.n=200", "dataset.classes=4", "dataset.width=6"]
    images = result.samples.content
    result = result_of(store, *vectors, "backbone=identity", "reducer.n_components=3", "cluster.k=4")
    model = Model.of(result, "float32")
    values = result.embeddings[:7]
    frame = model.predict(pd.DataFrame({"vector": list(values)}))
    assert (frame["cluster"] == result.clustering.assignments[:7]).all()
    assert model.columns["inputs"] == {"vector": "float"}
    with scratch() as ctx, pytest.raises(ValueError) as error:
        model.assign(replace(from_vectors(values), content=images), ctx)
    says(error, use="vectors")


def test_without_labels_there_is_no_majority(result: pipeline.Result) -> None:
    bare = replace(result, samples=replace(result.samples, labels=None, class_names=()))
    assert Model.of(bare, "float32").names == ()


@pytest.mark.parametrize(
    ("content", "use"),
    [
        (b"", "(empty file), nor can 0 others of 2; remove"),
        (b"no image", "cannot be decoded"),
        (None, "image files"),
    ],
)
def test_an_image_that_cannot_be_read_is_named(
    model: Model, files: list[Path], tmp_path: Path, content: bytes | None, use: str
) -> None:
    if content is not None:
        (tmp_path / "b.png").write_bytes(content)
    with pytest.raises(ValueError) as error:
        model.predict(pd.DataFrame({"path": [str(files[0]), str(tmp_path / "b.png")]}))
    says(error, key=f"path={tmp_path}/b.png", use=use)


@pytest.mark.parametrize(
    "named",
    ["os:system", "nowhere:Thing", "pathlib:Path", "json:decoder", ":x", "experiments.reducer.l2:Normalised"],
)
def test_only_fitted_values_are_loaded(result: pipeline.Result, tmp_path: Path, named: str) -> None:
    Model.of(result, "float32").save(tmp_path)
    about = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    about["classes"]["encoder"] = named
    (tmp_path / "model.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(ValueError) as error:
        Model.load(tmp_path)
    says(error, key="encoder", use=named)


def test_an_earlier_model_is_replaced_whole_or_half_written(model: Model, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for gone in ("clustering", "encoder"):
        logged_model.write_and_record(model, tmp_path, None)
        left = tmp_path / "model" / "data"
        assert Model.load(left).names == model.names
        (left / gone).rename(left / "old")
    logged_model.write_and_record(model, tmp_path, None)
    assert not (tmp_path / "model" / "data" / "old").exists()


def test_mlflow_loads_it_with_a_signature_and_gives_the_same(
    model: Model, files: list[Path], uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(tmp_path)
    tracker = tracking.connect(Tracking(uri), "models")
    with tracker.run("one", tmp_path, params={}, tags={}) as run:
        logged_model.write_and_record(model, tmp_path, run)
    assert not list(Path(uri.removeprefix("sqlite:///")).parent.rglob("*.pkl"))
    assert not list(tmp_path.rglob("*.pkl"))
    mlflow.set_tracking_uri(tracker.uri)
    try:
        loaded = mlflow.pyfunc.load_model(f"runs:/{run.id}/model")
    finally:
        mlflow.set_tracking_uri(None)
    frame = pd.DataFrame({"path": [str(path) for path in files[:20]]})
    assert loaded.predict(frame).equals(model.predict(frame))
    assert loaded.predict(frame, params={"far": 0.5}).equals(model.predict(frame, {"far": 0.5}))
    given = {column.name: column.type.name for column in loaded.metadata.signature.outputs.inputs}
    assert given == {
        "id": "string",
        "cluster": "long",
        "distance": "double",
        "far": "boolean",
        "majority": "string",
    }
    with pytest.raises(mlflow.exceptions.MlflowException, match="path"):
        loaded.predict(pd.DataFrame({"file": ["a.png"]}))
    folder = tracking.model_folder(
        tracker.uri, tracker.client.get_run(run.id).outputs.model_outputs[0].model_id
    )
    assert _load_pyfunc(str(folder / "data")).predict(frame).equals(model.predict(frame))


def outcomes(metric: str, *values: float | None) -> dict[Path, Outcome]:
    """Return finished jobs with these metrics, and a failed one with the best value."""
    made = {}
    for number, value in enumerate(values):
        metrics = {} if value is None else {metric: value}
        made[Path(str(number))] = Outcome([], number=number, status="FINISHED", metrics=metrics)
    made[Path("failed")] = Outcome([], status="FAILED", metrics={metric: 0.0 if metric == "inertia" else 1e9})
    return made


@pytest.mark.parametrize(
    ("metric", "values", "chosen"),
    [
        ("ari", (0.1, 0.5, 0.5), "1"),
        ("davies_bouldin_no_noise", (0.1, 0.5), "0"),
        ("inertia", (9.0, 3.0), "1"),
        ("ari", (None, float("nan"), -0.1), "2"),
    ],
)
def test_the_best_job_is_the_best_by_the_objective(
    metric: str, values: tuple[float, ...], chosen: str
) -> None:
    assert best_model.best_folder(outcomes(metric, *values), metric) == Path(chosen)


def test_no_job_is_best_without_the_objective() -> None:
    assert best_model.best_folder(outcomes("ari", 0.1), "nmi") is None
