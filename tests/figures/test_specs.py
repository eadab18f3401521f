"""A picture is a value: kept, loaded and compared by what it shows."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.figures import Bars, Lines, page
from experiments.figures.specs import Figure
from experiments.types import Findings


def test_what_is_loaded_equals_what_was_kept(figure: Figure, tmp_path: Path) -> None:
    figure.save(tmp_path)
    assert type(figure).load(tmp_path) == figure


def test_another_title_or_another_value_is_another_picture(figure: Figure) -> None:
    assert replace(figure, title="Something else") != figure
    arrays = [f.name for f in fields(figure) if isinstance(getattr(figure, f.name), np.ndarray)]
    for name in arrays:
        assert replace(figure, **{name: getattr(figure, name) + 1}) != figure


def test_numbers_of_numpy_are_drawn_and_kept_as_plain_ones(tmp_path: Path) -> None:
    bars = Bars("Sizes", "class", "images", ("a", "b"), [np.float32(0.5), np.int64(3)])  # type: ignore[arg-type]
    plain = Bars("Sizes", "class", "images", ["a", "b"], [0.5, 3])
    assert bars == plain
    assert page(bars) == page(plain)
    bars.save(tmp_path)
    assert repr(Bars.load(tmp_path)) == repr(plain)


def test_what_was_kept_before_a_field_was_added_is_read(tmp_path: Path) -> None:
    line = Lines("Line", "x", "y", [1, 2], {"a": [3, 4]})
    line.save(tmp_path)
    path = tmp_path / "fields.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["low"], values["high"]
    path.write_text(json.dumps(values), encoding="utf-8")
    assert Lines.load(tmp_path) == line


def test_findings_keep_their_pictures_beside_figures_and_tables(figure: Figure, tmp_path: Path) -> None:
    line = Lines("Line", "x", "y", [1, 2], {"a": [3, 4]})
    found = Findings({"ari": 0.5}, {"rows": pd.DataFrame({"n": [1]})}, {"first": figure, "second.1": line})
    found.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.figures == found.figures
    assert list(again.figures) == ["first", "second.1"]
    assert again.metrics == found.metrics
    assert list(again.tables) == ["rows"]


def test_findings_without_pictures_are_kept_as_before(tmp_path: Path) -> None:
    Findings({"ari": 0.5}).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    assert Findings.load(tmp_path).figures == {}
