"""Only classes of saved values are imported."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.messages import says

from experiments.reducer.l2 import Normalised
from experiments.store.cache import Store
from experiments.store.values import class_name, digest, file_digest, joined, load_saved_class
from experiments.types import Findings

FOREIGN = ("os:system", "pathlib:Path", "joblib:numpy_pickle", "nowhere:Thing", ":x", "experiments.types:T")


def test_a_saved_class_is_loaded_by_its_name(tmp_path: Path) -> None:
    assert load_saved_class(class_name(Normalised()), tmp_path, "transform") is Normalised
    with pytest.raises(ValueError) as error:
        load_saved_class(class_name(Normalised()), tmp_path, "embed")
    assert "embed" in says(error, key=class_name(Normalised()), use="a folder that this project saved")


@pytest.mark.parametrize("class_", FOREIGN)
def test_no_other_class_is_loaded(tmp_path: Path, class_: str) -> None:
    store = Store(tmp_path)
    store.fitted("value", Normalised)
    meta_file = tmp_path / "value" / "meta.json"
    meta_file.write_text(
        json.dumps(json.loads(meta_file.read_text(encoding="utf-8")) | {"class": class_}), encoding="utf-8"
    )
    with pytest.raises(ValueError) as error:
        Store(tmp_path).fitted("value", Normalised)
    says(error, key=f"{tmp_path}/value", use=f" {class_},")

    Findings({"one": 1.0}).save(tmp_path / "value")
    (tmp_path / "value" / "figures.json").write_text(json.dumps({"map": class_}), encoding="utf-8")
    with pytest.raises(ValueError) as error:
        Findings.load(tmp_path / "value")
    says(error, key=f"{tmp_path}/value", use=f" {class_},")


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_file_has_the_digest_of_its_array(tmp_path: Path, order: str) -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(tmp_path / "x.npy", np.asarray(values, order=order))  # type: ignore[call-overload]
    assert file_digest(tmp_path / "x.npy") == digest(values)


@pytest.mark.parametrize("n", [0, 1, 70_000])
def test_many_texts_are_joined_like_few(n: int) -> None:
    texts = np.arange(n).astype(str)
    assert joined(texts, "\n") == "\n".join(texts)
    assert joined(texts) == "".join(texts)
