"""The contract of data sets, tested for each file in conf/dataset.

A new data set is tested once its file exists, if its fields are among `SMALL`: a `root` is given a
folder of ten images, a `path` a table of vectors. `make` covers other needs.
"""

import functools
import pickle
from dataclasses import MISSING, fields, replace

import numpy as np
import pandas as pd
import pytest
from tests.messages import says

from experiments.config.build import build
from experiments.config.compose import CONF, compose_config
from experiments.context import Context
from experiments.dataset.cifar10 import Archive, Cifar10
from experiments.dataset.images import pixels
from experiments.dataset.labels.correction_log import Correction, append_corrections
from experiments.numerics.hashes import hash_rows
from experiments.samples import SPLITS, Resize
from experiments.store.cache import Store

pytestmark = pytest.mark.slow

OPTIONS = sorted(path.stem for path in (CONF / "dataset").glob("[!_]*.yaml"))
VARIANTS = {
    "image_folder": ["flat"],
    "embeddings": ["parquet", "npy", "pictured"],
}  # besides the usual version
SUBJECTS = [(name, form) for name in OPTIONS for form in ("", *VARIANTS.get(name, ()))]
SMALL = {"n": 120, "classes": 4, "imbalance": 3.0, "width": 12, "noise": 0.5}  # fields that limit the size


@functools.cache
def composed(name):
    """Build the data set of `dataset=<name>`; its files need not exist."""
    return build(compose_config([f"dataset={name}"])).stages.dataset


@pytest.fixture(params=SUBJECTS, ids=lambda subject: "-".join(filter(None, subject)))
def stage(request, two_classes, tmp_path, ctx):
    """Return a small version of each data set."""
    return make(*request.param, two_classes, tmp_path, ctx)


def make(name, form, images, folder, ctx):
    stage = composed(name)
    names = {field.name for field in fields(stage)}
    changes = {field: value for field, value in SMALL.items() if field in names}
    if isinstance(stage, Cifar10):  # cached in advance: no network, no torchvision
        arrays = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), np.uint8)
        ctx.store.fitted("cifar10-1", lambda: Archive(arrays, np.arange(100) % 10, hash_rows(arrays), 80))
    elif "root" in names:
        changes["root"] = str(images / "cats" if form == "flat" else images)
    if "path" in names:
        changes["path"] = str(vectors(folder / f"rows.{form if form in ('parquet', 'npy') else 'csv'}"))
        changes["label"] = None if form == "npy" else "kind"
        changes["images"] = str(images) if form == "pictured" else None
    return replace(stage, **changes)


def vectors(path):
    """Write 60 rows of five values; the first ten have the ids of the images of `two_classes`."""
    values = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    ids = [f"{('cats', 'dogs')[row % 2]}/{row}.png" for row in range(60)]
    rows = pd.DataFrame(values, columns=list("abcde")).assign(image_id=ids, kind=np.arange(60) % 2)
    write = {
        ".npy": lambda: np.save(path, values),
        ".parquet": lambda: rows.to_parquet(path),
        ".csv": lambda: rows.to_csv(path, index=False),
    }
    write[path.suffix]()
    return path


@pytest.fixture
def samples(stage, ctx):
    return stage.load(ctx)


def test_ids_are_unique_text_in_a_fixed_order(samples):
    assert samples.ids.dtype.kind == "U"
    assert len(set(samples.ids)) == len(samples) > 0


def test_every_part_has_one_entry_a_sample(samples):
    n = len(samples)
    assert samples.content.hashes.shape == samples.split.shape == (n,)
    assert len(set(map(len, samples.content.hashes))) == 1


def test_labels_number_the_class_names(samples):
    if samples.labels is None:
        assert samples.class_names == ()
        return
    assert samples.labels.dtype == np.int64
    assert set(samples.labels) == set(range(len(samples.class_names)))


def test_the_split_has_its_shares(samples):
    assert samples.split.dtype == np.int8
    counts = np.bincount(samples.split, minlength=len(SPLITS)) / len(samples)
    np.testing.assert_allclose(counts, [0.8, 0.2, 0], atol=0.03)


def test_the_content_is_of_its_kind(samples, ctx):
    n = len(samples)
    if samples.content.KIND == "vectors":
        assert (samples.content.vectors().dtype, len(samples.content.vectors())) == (np.float32, n)
        if samples.content.has_images:
            assert samples.content.pixels(Resize(8), ctx).shape == (n, 8, 8, 3)
            return
        with pytest.raises(ValueError) as error:
            samples.content.pixels(Resize(8), ctx)
        says(error, key="vectors", use="backbone=identity")
        return
    pixels = samples.content.pixels(Resize(10), ctx)
    assert (pixels.shape, pixels.dtype) == ((n, 10, 10, 3), np.uint8)
    with pytest.raises(ValueError) as error:
        samples.content.vectors()
    says(error, key="backbone=identity", use="backbone=cnn")


def test_the_content_has_the_version_of_its_decoding(samples):
    versions = {"images": pixels.VERSION, "vectors": 1}
    assert versions[samples.content.KIND] == samples.content.VERSION


def test_counting_gives_what_loading_gives_and_keeps_nothing(stage, samples, store):
    kept = list(store.computed)
    if isinstance(stage, Cifar10):
        assert stage.count() == 60_000
        return
    assert stage.count() == len(samples)
    assert replace(stage, limit=4).count() == 4
    assert store.computed == kept


def test_equal_loads_have_equal_keys_and_compute_nothing(stage, samples, ctx):
    computed = len(ctx.store.computed)
    again = stage.load(ctx)
    assert (again.data_key, again.content_key) == (samples.data_key, samples.content_key)
    assert len(ctx.store.computed) == computed


def test_another_store_gives_the_same(stage, samples, tmp_path):
    if isinstance(stage, Cifar10):
        pytest.skip("its copy is in the store")
    assert stage.load(Context.plain(Store(tmp_path / "other"))).data_key == samples.data_key


def test_another_split_changes_the_key_and_not_the_content(stage, samples, ctx):
    other = replace(stage, split={"train": 0.5, "validation": 0.3, "test": 0.2}).load(ctx)
    assert other.content_key == samples.content_key
    assert other.data_key != samples.data_key
    assert len(other.rows("test")) > 0


def test_another_image_size_changes_no_key(stage, samples, ctx):
    other = replace(stage, image_size=5, mirror=True)
    assert other == stage
    assert other.load(ctx).data_key == samples.data_key


def test_labels_from_a_file_change_the_key_and_not_the_content(stage, samples, ctx, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "id,label\n" + "".join(f"{name},{row % 2}\n" for row, name in enumerate(samples.ids)),
        encoding="utf-8",
    )
    other = replace(stage, labels={"path": str(path)}).load(ctx)
    assert other.class_names == ("0", "1")
    assert other.content_key == samples.content_key
    assert other.data_key != samples.data_key


def test_a_correction_changes_one_label_and_not_the_content(stage, samples, ctx, tmp_path):
    label = "" if samples.labels is None else samples.class_names[samples.labels[0]]
    line = Correction("", "", "", str(samples.ids[0]), str(samples.content.hashes[0]), label, "unheard of")
    append_corrections(tmp_path / "log.csv", [line])
    settings = {"corrections": str(tmp_path / "log.csv"), "split": {"train": 1.0}}
    other = replace(stage, **settings).load(ctx)
    assert other.class_names[other.labels[0]] == "unheard of"
    assert list(other.labels).count(other.labels[0]) == 1
    assert other.content_key == samples.content_key
    if samples.labels is None:
        assert list(other.labelled) == [0]
        assert list(replace(stage, **settings, unlabelled="drop").load(ctx).ids) == [samples.ids[0]]
        return
    names = [np.array(data.class_names)[data.labels][1:] for data in (other, samples)]
    np.testing.assert_array_equal(*names)


def test_a_limit_takes_so_many(stage, samples, ctx):
    few = replace(stage, limit=4).load(ctx)
    assert len(few) == 4
    assert set(few.ids) < set(samples.ids)
    if few.content.KIND == "images":
        rows = np.flatnonzero(np.isin(samples.ids, few.ids))
        whole = samples.content.pixels(Resize(9), ctx)
        np.testing.assert_array_equal(few.content.pixels(Resize(9), ctx), whole[rows])


def test_the_stage_survives_a_pickle(stage):
    assert pickle.loads(pickle.dumps(stage)) == stage


def test_no_field_that_counts_has_a_default(stage):
    assert [field.name for field in fields(stage) if field.compare and field.default is not MISSING] == []
    assert isinstance(stage.VERSION, int)
