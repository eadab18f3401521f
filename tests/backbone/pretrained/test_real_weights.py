"""Embeddings of ImageNet weights separate classes of photographs; skipped without weights or photographs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from experiments.context import Context
from experiments.dataset.image_folder import ImageFolder
from experiments.samples import Samples
from experiments.store.cache import Store

DATA = Path(__file__).parents[4] / "shared" / "data"
PHOTOGRAPHS = DATA / "caltech101_128.zip"
WEIGHTS = DATA / "weights" / "squeezenet1_0-imagenet.pth"
CLASSES = ("airplanes", "Motorbikes", "Faces", "watch", "bonsai", "ketch")
PER_CLASS = 12

pytestmark = [
    pytest.mark.skipif(
        not (PHOTOGRAPHS.exists() and WEIGHTS.exists()), reason="photographs or weights are missing"
    ),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return replace(Context.plain(Store(tmp_path_factory.mktemp("cache"))), threads=1)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory, ctx: Context) -> Samples:
    """Return a few photographs of six classes."""
    import zipfile

    root = tmp_path_factory.mktemp("images")
    with zipfile.ZipFile(PHOTOGRAPHS) as archive:
        for name in CLASSES:
            members = sorted(m for m in archive.namelist() if f"/{name}/" in f"/{m}" and m.endswith(".jpg"))
            for number, member in enumerate(members[:PER_CLASS]):
                path = root / name / f"{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
    split = {"train": 0.8, "validation": 0.2, "test": 0.0}
    settings = {
        "max_unreadable": 0.0,
        "class_level": 1,
        "value_range": None,
        "image_size": 64,
        "mirror": True,
        "limit": None,
        "labels": None,
    }
    settings |= {"corrections": None, "unlabelled": "keep"}
    return ImageFolder(root=str(root), split=split, split_seed=123, **settings).load(ctx)


@pytest.fixture(scope="module")
def embeddings(photographs: Samples, pretrained: Callable[..., Any], ctx: Context) -> np.ndarray:
    """Embed the photographs with the trained weights."""
    stage = pretrained("resnet50", model="squeezenet1_0", weights=str(WEIGHTS))
    embeddings: np.ndarray = stage.fit(photographs, ctx).embed(photographs, ctx)
    return embeddings


def test_trained_weights_separate_classes_better_than_random_ones(
    embeddings: np.ndarray, photographs: Samples, pretrained: Callable[..., Any], ctx: Context
):
    def nmi(embeddings: np.ndarray) -> float:
        assert embeddings.shape == (len(CLASSES) * PER_CLASS, 512)
        clusters = KMeans(len(CLASSES), n_init=5, random_state=0).fit_predict(embeddings)
        return float(normalized_mutual_info_score(photographs.labels, clusters))

    untrained = pretrained("resnet50", model="squeezenet1_0", weights="none").fit(photographs, ctx)
    trained, random = nmi(embeddings), nmi(untrained.embed(photographs, ctx))
    assert trained > 0.75
    assert random < trained - 0.15


def test_the_nearest_photograph_is_of_the_same_class(embeddings: np.ndarray, photographs: Samples):
    distances = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert photographs.labels is not None
    assert (photographs.labels[distances.argmin(axis=1)] == photographs.labels).mean() > 0.85
