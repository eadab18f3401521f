"""Cache keys remember their parts, in a few lines."""

import json
import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from tests.messages import says

from experiments.context import Context
from experiments.store.cache import Store
from experiments.store.entries import entries, entry
from experiments.store.keys import FullList, Key, cache_key, digest_of
from experiments.store.sources import source
from experiments.store.values import digest


@dataclass(frozen=True)
class Mean:
    """A stage."""

    VERSION: ClassVar[int] = 3

    of: int


def test_names_of_parts_are_not_hashed() -> None:
    assert cache_key("mean", stage=Mean(2), rows=1) == f"mean-{digest(Mean(2), 1)}"
    assert cache_key("mean", a=1) == cache_key("mean", b=1) != cache_key("mean", a=2)


def test_the_text_is_readable_json() -> None:
    key = cache_key("mean", stage=Mean(2), input="embeddings-0123456789abcdef")
    name = f"{Mean.__module__}.Mean"
    assert key.text == {
        "stage": {"class": name, "VERSION": 3, "source": digest(source(Mean)), "fields": {"of": 2}},
        "input": "embeddings-0123456789abcdef",
    }


def test_long_parts_are_shown_as_their_digest() -> None:
    rows = np.arange(100_000)
    key = cache_key("mean", rows=rows, ids="x" * 100_000, names=["a"] * 1_000, few=["a", "b"])
    assert key.text is not None
    assert key.text["rows"] == {"dtype": "<i8", "shape": [100_000], "digest": digest(rows)}
    assert key.text["ids"] == {"length": 100_000, "digest": digest("x" * 100_000)}
    assert key.text["names"]["length"] == 1_000
    assert key.text["few"] == ["a", "b"]
    assert len(json.dumps(key.text)) < 500


def test_a_full_list_is_shown_whole_and_hashed_like_a_list() -> None:
    names = [f"metric_{number}" for number in range(100)]
    key = cache_key("internal", metrics=FullList(names))
    assert key.text == {"metrics": names}
    assert key == cache_key("internal", metrics=names)


def test_a_digest_is_shown_with_its_parts_and_a_cache_key_by_name() -> None:
    input_key = digest_of(samples=digest_of(ids="a"), reduced=cache_key("reduced", of=1))
    text = cache_key("mean", input=input_key).text
    assert text is not None
    assert text["input"]["digest"] == input_key
    assert text["input"]["samples"] == {"digest": digest("a"), "ids": "a"}
    assert text["input"]["reduced"] == f"reduced-{digest(1)}"


def test_copies_keep_the_text() -> None:
    key = cache_key("mean", of=1)
    assert pickle.loads(pickle.dumps(key)).text == key.text == {"of": 1}


def test_the_text_is_written_next_to_the_value(tmp_path: object) -> None:
    store = Store(tmp_path, dataset="digits")  # type: ignore[arg-type]
    ctx = Context.plain(store).with_input(samples=digest_of(ids="a"))
    store.array(ctx.key(Mean(2)), lambda: np.zeros(3))
    store.array("plain", lambda: np.zeros(3))
    with_text, without_text = (entry(store.root, name) for name in (ctx.key(Mean(2)), "plain"))
    assert with_text.made_of == ctx.key(Mean(2)).text
    assert with_text.made_of is not None
    assert with_text.made_of["device"] == "cpu"
    assert (with_text.dataset, with_text.name, with_text.inputs()) == ("digits", "test_keys", [])
    assert (without_text.made_of, without_text.name) == (None, "plain")


def test_an_unambiguous_prefix_finds_a_key(store: Store) -> None:
    keys = [Key(f"pca-{digits}") for digits in ("0123", "0199", "4567")]
    for key in keys:
        store.array(key, lambda: np.zeros(3))
    for prefix in ("pca-4567", "pca-4", "45"):
        assert entry(store.root, prefix).key == "pca-4567"
    with pytest.raises(ValueError, match="KEY=01") as error:
        entry(store.root, "01")
    says(error, key="KEY=01", use="pca-0123 or pca-0199")
    for prefix in ("umap", "", "../x"):
        with pytest.raises(ValueError, match="KEY=") as error:
            entry(store.root, prefix)
        says(error, key=f"KEY={prefix}", use="scripts/cache.py list")
    assert len(entries(store.root)) == len(keys)
