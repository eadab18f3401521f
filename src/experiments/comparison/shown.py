"""The tables over all jobs that a person sees at once: on the terminal, in MLflow's note, in the report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiments.comparison.seed_tables import means, one_protocol, spread
from experiments.comparison.titles import ABOUT, MEANS, SPREAD

if TYPE_CHECKING:
    import pandas as pd


class Shown(NamedTuple):
    """A table under its title, "" for that of the jobs; the file of its name has all of it."""

    name: str
    title: str
    rows: "pd.DataFrame"


def shown(rows: "pd.DataFrame", main: Sequence[str], compared: "Mapping[str, pd.DataFrame]") -> list[Shown]:
    """Return the tables to show, in their order.

    Parameters
    ----------
    rows
        One per job.
    main
        The columns of it that a person reads first.
    compared
        The tables over all jobs, by name.
    """
    if "seeds" in compared:
        over, stable = compared["seeds"], compared.get("stability")
        tables = [
            Shown("seeds", MEANS, means(over, main)),
            Shown("seeds", SPREAD, spread(over, main, stable)),
        ]
    else:
        tables = [Shown("sweep", "", rows[list(main)])]
    probes = "leakage" if "leakage" in compared else "probes"  # which has the probes too
    names = [name for name in ("label_free", probes) if name in compared]
    tables += [Shown(name, ABOUT[name], compared[name]) for name in names]
    return [Shown(name, title, one_protocol(table)) for name, title, table in tables]
