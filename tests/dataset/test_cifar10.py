"""CIFAR-10 from a small copy in the original format, read and checked by torchvision."""

import hashlib
import pickle
import tarfile

import numpy as np
import pytest
from tests.messages import says

from experiments.context import Context
from experiments.dataset.cifar10 import NAMES, Cifar10
from experiments.samples import Resize
from experiments.store.cache import Store

EACH = 20  # images in each of the six files, where the real ones have 10,000


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Write six batches and the class names, and patch torchvision's checksums."""
    from torchvision.datasets import CIFAR10

    root = tmp_path_factory.mktemp("cifar")
    folder = root / CIFAR10.base_folder
    folder.mkdir()
    rng = np.random.default_rng(0)

    def write(name, value):
        data = pickle.dumps(value)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data).hexdigest()]

    batches = [
        write(
            name, {"data": rng.integers(0, 256, (EACH, 3072), np.uint8), "labels": [*range(10), *range(10)]}
        )
        for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    ]
    meta = write("batches.meta", {"label_names": list(NAMES)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CIFAR10, "train_list", batches[:5])
        patch.setattr(CIFAR10, "test_list", batches[5:])
        patch.setattr(CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
        patch.setattr(CIFAR10, "url", (root / "nowhere.tar.gz").as_uri())  # no network in a test
        yield root


def test_images_and_labels_are_those_of_the_batches(copy, selection, ctx):
    samples = Cifar10(root=str(copy), **selection).load(ctx)
    assert len(samples) == 6 * EACH
    assert list(samples.ids[[0, 99, 100, 119]]) == ["train/00000", "train/00099", "test/00000", "test/00019"]
    np.testing.assert_array_equal(samples.labels, np.arange(120) % 10)
    batch = pickle.loads((copy / "cifar-10-batches-py" / "data_batch_2").read_bytes())
    expected = batch["data"][3].reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_array_equal(samples.content.pixels(Resize(32), ctx)[EACH + 3], expected)


def test_the_second_load_needs_no_copy(copy, selection, ctx, tmp_path):
    first = Cifar10(root=str(copy), **selection).load(ctx)
    second = Cifar10(root=str(tmp_path / "nowhere"), **selection).load(ctx)
    assert second.data_key == first.data_key


def test_an_archive_in_the_folder_is_enough(copy, selection, tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10

    archive = tmp_path / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(copy / CIFAR10.base_folder, CIFAR10.base_folder)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    ctx = Context.plain(Store(tmp_path / "cache"))
    assert len(Cifar10(root=str(tmp_path), **selection).load(ctx)) == 6 * EACH


def test_without_copy_and_network_the_error_names_file_and_folder(copy, selection, ctx, tmp_path):
    with pytest.raises(ValueError) as error:
        Cifar10(root=str(tmp_path / "empty"), **selection).load(ctx)
    says(error, key=f"dataset.root={tmp_path}/empty", use="put cifar-10-python.tar.gz there")


def test_the_count_needs_no_copy(selection, tmp_path):
    assert Cifar10(root=str(tmp_path), **(selection | {"limit": 500})).count() == 500
