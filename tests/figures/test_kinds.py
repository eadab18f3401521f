"""The registry of figure kinds is complete."""

import pytest

from experiments import figures
from experiments.figures import specs
from experiments.figures.kinds import KINDS, kind_of


def test_every_class_of_figures_has_a_row() -> None:
    classes = {
        value for value in vars(specs).values() if isinstance(value, type) and issubclass(value, specs.Figure)
    }
    assert classes - {specs.Figure, specs.Panels} == set(KINDS)
    assert {kind.__name__ for kind in classes} <= set(figures.__all__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_is_drawn_and_has_a_page(kind: type) -> None:
    row = KINDS[kind]
    ways = [way for way in (row.draw, row.paste) if callable(way)]
    assert len(ways) == (0 if kind is figures.Map3d else 1)
    assert (row.plot is None) != (row.page is None)


def test_the_error_of_a_missing_row_names_the_file() -> None:
    with pytest.raises(TypeError, match=r"Figure has no row in figures/kinds\.py"):
        kind_of(specs.Figure("Nothing"))
