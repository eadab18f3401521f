"""Figures are saved, loaded and compared as data."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.figures import Bars, Figure, Lines, html_page, specs
from experiments.figures.kinds import KINDS
from experiments.types import Findings


def test_a_loaded_figure_equals_the_saved_one(figure: Figure, tmp_path: Path) -> None:
    figure.save(tmp_path)
    assert type(figure).load(tmp_path) == figure


def test_figures_with_another_title_or_value_differ(figure: Figure) -> None:
    assert replace(figure, title="Something else") != figure
    arrays = [f.name for f in fields(figure) if isinstance(getattr(figure, f.name), np.ndarray)]
    for name in arrays:
        assert replace(figure, **{name: getattr(figure, name) + 1}) != figure


def test_numpy_numbers_are_saved_and_drawn_as_plain_numbers(tmp_path: Path) -> None:
    bars = Bars("Sizes", "class", "images", ("a", "b"), [np.float32(0.5), np.int64(3)])  # type: ignore[arg-type]
    plain = Bars("Sizes", "class", "images", ["a", "b"], [0.5, 3])
    assert bars == plain
    assert html_page(bars) == html_page(plain)
    bars.save(tmp_path)
    assert repr(Bars.load(tmp_path)) == repr(plain)


def test_a_figure_saved_before_a_field_was_added_is_loaded(tmp_path: Path) -> None:
    line = Lines("Line", "x", "y", [1, 2], {"a": [3, 4]})
    line.save(tmp_path)
    path = tmp_path / "fields.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["low"], values["high"]
    path.write_text(json.dumps(values), encoding="utf-8")
    assert Lines.load(tmp_path) == line


def test_findings_save_figures_metrics_and_tables(figure: Figure, tmp_path: Path) -> None:
    line = Lines("Line", "x", "y", [1, 2], {"a": [3, 4]})
    findings = Findings({"ari": 0.5}, {"rows": pd.DataFrame({"n": [1]})}, {"first": figure, "second.1": line})
    findings.save(tmp_path)
    loaded = Findings.load(tmp_path)
    assert loaded.figures == findings.figures
    assert list(loaded.figures) == ["first", "second.1"]
    assert loaded.metrics == findings.metrics
    assert list(loaded.tables) == ["rows"]


def test_findings_without_figures_save_no_folder(tmp_path: Path) -> None:
    Findings({"ari": 0.5}).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    assert Findings.load(tmp_path).figures == {}


def test_names_of_figures_in_older_caches_are_known() -> None:
    assert specs.Space is specs.Map3d
    assert {specs.Grid, specs.Sheets, specs.Contrasts} <= {*KINDS}
