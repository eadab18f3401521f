"""What a folder says it holds is imported only if it is a kept value."""

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


def test_a_value_s_class_is_found_by_its_name(tmp_path: Path) -> None:
    assert load_saved_class(class_name(Normalised()), tmp_path, "transform") is Normalised
    with pytest.raises(ValueError) as error:
        load_saved_class(class_name(Normalised()), tmp_path, "embed")
    assert "embed" in says(error, key=class_name(Normalised()), use="what was saved here")


@pytest.mark.parametrize("named", FOREIGN)
def test_neither_the_store_nor_findings_load_anything_else(tmp_path: Path, named: str) -> None:
    store = Store(tmp_path)
    store.fitted("value", Normalised)
    about = tmp_path / "value" / "meta.json"
    about.write_text(
        json.dumps(json.loads(about.read_text(encoding="utf-8")) | {"class": named}), encoding="utf-8"
    )
    with pytest.raises(ValueError) as error:
        Store(tmp_path).fitted("value", Normalised)
    says(error, key=f"{tmp_path}/value", use=f" {named},")

    Findings({"one": 1.0}).save(tmp_path / "value")
    (tmp_path / "value" / "figures.json").write_text(json.dumps({"map": named}), encoding="utf-8")
    with pytest.raises(ValueError) as error:
        Findings.load(tmp_path / "value")
    says(error, key=f"{tmp_path}/value", use=f" {named},")


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_in_a_file_has_the_digest_of_its_values(tmp_path: Path, order: str) -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(tmp_path / "x.npy", np.asarray(values, order=order))  # type: ignore[call-overload]
    assert file_digest(tmp_path / "x.npy") == digest(values)


@pytest.mark.parametrize("n", [0, 1, 70_000])
def test_many_texts_are_joined_as_few_are(n: int) -> None:
    texts = np.arange(n).astype(str)
    assert joined(texts, "\n") == "\n".join(texts)
    assert joined(texts) == "".join(texts)
