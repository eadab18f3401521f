"""scripts/cache.py on a cache that other processes may use."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from tests.messages import says

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Silent
from experiments.job import context
from experiments.store.cache import Store
from experiments.store.entries import entries
from experiments.store.keys import cache_key
from scripts import cache as script

DAYS_UNUSED = {"big": 40, "middle": 20, "small": 0}


@pytest.fixture
def filled(store: Store) -> Store:
    """Cache three values of 3, 2 and 1 MB, the largest unused for longest."""
    for size, (key, days) in zip((3, 2, 1), DAYS_UNUSED.items(), strict=True):
        store.array(key, lambda size=size: np.zeros(size * 1_000_000, np.uint8))
        used = time.time() - days * 86_400
        os.utime(store.root / key / "meta.json", (used, used))
    return store


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the script in this process; return its standard output."""

    def call(store: Store, *words: str) -> str:
        capfd.readouterr()
        monkeypatch.setattr("sys.argv", ["cache.py", *words, f"cache.root={store.root}"])
        assert script.main() == 0
        return capfd.readouterr().out

    return call


def kept(store: Store) -> list[str]:
    return [entry.key for entry in entries(store.root)]


def test_list_shows_size_and_age_and_removes_nothing(filled: Store, cache: Callable[..., str]) -> None:
    lines = cache(filled, "list").splitlines()
    for key, size, age in (("big", 3.0, 40.0), ("middle", 2.0, 20.0), ("small", 1.0, 0.0)):
        assert any(key in line and f"{size} MB" in line and f"{age} days" in line for line in lines)
    assert lines[-1].startswith("3 values, 0.01 GB")
    assert kept(filled) == ["big", "middle", "small"]


def test_days_removes_what_nobody_used_for_so_long(filled: Store, cache: Callable[..., str]) -> None:
    says(cache(filled, "prune", "--days", "30"), use="removed 1 value,")
    assert kept(filled) == ["middle", "small"]


def test_keep_removes_the_least_recently_used_until_so_many_gb_are_left(
    filled: Store, cache: Callable[..., str]
) -> None:
    filled.array("big", lambda: pytest.fail("computed twice"))  # used now, so no longer the first to go
    says(cache(filled, "prune", "--keep", "0.0045"), use="removed 1 value,")
    assert kept(filled) == ["big", "small"]


def test_all_leaves_what_a_process_is_at_work_on(filled: Store, cache: Callable[..., str]) -> None:
    interrupted = filled.workdir("interrupted") / "checkpoint.pt"
    interrupted.write_text("epoch 3", encoding="utf-8")

    def train() -> np.ndarray:
        checkpoint = filled.workdir("running") / "checkpoint.pt"
        checkpoint.write_text("epoch 7", encoding="utf-8")
        with FileLock(filled.root / ".locks" / "small.lock"):
            said = cache(filled, "prune", "--all")
        says(said, use="removed 2 values")
        says(said, key="skipped 2")
        assert checkpoint.read_text(encoding="utf-8") == "epoch 7"
        return np.zeros(3)

    filled.array("running", train)
    assert not interrupted.parent.exists()
    assert set(kept(filled)) == {"running", "small"}
    says(cache(filled, "prune", "--all"), use="removed 2 values")
    assert kept(filled) == []
    assert not list(filled.root.glob(".partial/*"))


def test_list_sums_by_stage_and_data_set(cache: Callable[..., str], tmp_path: Path) -> None:
    for dataset, numbers in (("digits", (0, 1)), ("photos", (2,))):
        store = Store(tmp_path, dataset=dataset)
        for number in numbers:
            store.array(cache_key("pca", seed=number), lambda: np.zeros(1_000_000, np.uint8))
    sums = cache(store, "list").partition("by stage and data set")[2]
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")] for line in sums.splitlines() if "│" in line
    ]
    assert [row[:4] for row in rows] == [["pca", "digits", "2", "2.0 MB"], ["pca", "photos", "1", "1.0 MB"]]


def test_from_an_evaluator_back_to_the_data_set(cache: Callable[..., str], tmp_path: Path) -> None:
    """Each input that is cached can be explained in turn; the samples are spelt out."""
    overrides = ["backbone=pixels", "reducer.n_components=4", "dataset.limit=60", "cluster.k=3"]
    overrides += ["evaluator=[external]", "figures=none", f"cache.root={tmp_path}"]
    plan = build(compose.compose_config(overrides))
    pipeline.run(plan.stages, context.make(plan, Silent()))
    seen, texts, word = [], [], "external"
    while word:
        out = cache(Store(tmp_path), "explain", word)
        first, _, rest = out.partition("\n")
        seen.append(first.partition("-")[0])
        assert first.endswith("computed for digits")
        made_of, _ = json.JSONDecoder().raw_decode(rest)
        texts.append(made_of)
        keys = [line.split()[-1] for line in out.splitlines() if line.startswith("input ")]
        word = keys[-1] if keys else ""
    assert "purity_no_noise, " in texts[0]["metrics"]
    assert all(texts)
    assert seen == ["external", "faiss_kmeans", "reduced", "embeddings", "pixels"]
    assert '"hashes": {' in cache(Store(tmp_path), "explain", "embeddings")


def test_what_cannot_be_explained_says_so(
    filled: Store,
    cache: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    says(cache(filled, "explain", "big"), key="big", use="scripts/cache.py prune --all")
    monkeypatch.setattr("sys.argv", ["cache.py", "explain", "none", f"cache.root={filled.root}"])
    assert script.main() == 1
    says(capfd.readouterr().err, key="KEY=none", use="scripts/cache.py list")
