"""Names that look like numbers or missing values survive the way from a folder to the log and back."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.messages import says

from experiments.dataset.labels.apply_corrections import apply_corrections
from experiments.dataset.labels.joining import JoinedLabels
from experiments.recorded.labelling import template
from experiments.recorded.labelling.applying import apply
from experiments.recorded.labelling.checking import edits
from experiments.recorded.labelling.clustered import ClusteredSamples

CAFE = unicodedata.normalize("NFD", "café")
CLASSES = (
    " cat",
    "cat",
    "Cat",
    CAFE,
    "NA",
    "None",
    "nan",
    "null",
    "1",
    "01",
    "1.0",
    "true",
    "total",
    "cluster",
)
FILES = ("0.png", "a,b.png", 'a"b.png', "=1+1.png", "line\nbreak.png", " x.png")


@pytest.fixture
def odd(tmp_path: Path, of_photos: Callable[..., ClusteredSamples]) -> ClusteredSamples:
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "odd" / name).mkdir(parents=True)
        for file in FILES:
            pixels = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "odd" / name / file)
    return of_photos(root=tmp_path / "odd")


def test_odd_names_go_from_a_folder_through_a_template_to_the_log_and_back(
    odd: ClusteredSamples, tmp_path: Path
) -> None:
    labels = dict(zip(odd.ids.tolist(), odd.table["label"], strict=True))
    assert labels == {f"{name}/{file}": name for name in CLASSES for file in FILES}

    table, path = template.template(odd, []), tmp_path / "edited.csv"
    template.write(table, path)
    untouched = edits(path, odd.ids.tolist(), CLASSES, accept_new=False)
    assert (untouched.labels, untouched.missing) == ({}, 0)

    path.unlink()
    logged = ~table["image_id"].str.contains("\n")  # a log has a line for each image
    template.write(table.assign(applied_label=table["current_label"].where(logged, "")), path)
    done = apply(odd, path, "Ada")
    assert (done.confirmed, len(done.changes), done.new) == (logged.sum(), 0, {})

    path.unlink()
    wanted = dict(zip(odd.ids.tolist(), np.roll(odd.table["label"], len(FILES)), strict=True))
    template.write(table.assign(applied_label=table["image_id"].map(wanted).where(logged, "")), path)
    done = apply(odd, path, "Ada")
    assert len(done.changes) == logged.sum()
    unlabelled = JoinedLabels(np.full(len(odd.ids), -1), ())
    corrected_labels = apply_corrections(unlabelled, odd.log()[0], odd.ids, odd.table["hash"].to_numpy(str))
    assert corrected_labels.labels is not None
    names = ["" if label < 0 else corrected_labels.class_names[label] for label in corrected_labels.labels]
    expected = {name: "" if "\n" in name else label for name, label in wanted.items()}
    assert dict(zip(odd.ids.tolist(), names, strict=True)) == expected
    assert done.folder is not None
    crosstab = pd.read_csv(done.folder / "cluster_label_crosstab_after.csv")
    assert crosstab["total"].iloc[-1] == len(labels)
    assert {"total_", "cluster_"} <= set(crosstab)


@pytest.mark.parametrize(
    ("label", "meant"),
    [("café", CAFE), (" cat", " cat"), ("cat", "cat"), (" dog ", "dog"), ("bird ", "bird"), ("NA", "NA")],
)
def test_labels_are_matched_despite_spaces_and_unicode_forms(tmp_path: Path, label: str, meant: str) -> None:
    path = tmp_path / "edited.csv"
    path.write_text(f"image_id,applied_label\na.png,{label}\n", encoding="utf-8")
    known = [" cat", "cat", CAFE, "dog", "NA"]
    assert edits(path, ["a.png"], known, accept_new=False).labels == {"a.png": meant}


def test_a_class_named_like_the_removal_sign_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "edited.csv"
    path.write_text("image_id,applied_label\na.png,-\n", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        edits(path, ["a.png"], ["-", "cat"], accept_new=False)
    says(error, key="line 2: '-'", use="rename the class")
