"""The main tables of a sweep, for the terminal, MLflow's description and the report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiments.comparison.seed_tables import means, one_protocol, spread
from experiments.comparison.titles import ABOUT, MEANS, SPREAD

if TYPE_CHECKING:
    import pandas as pd


class SummaryTable(NamedTuple):
    """A table with a title ("" for the table of jobs); the file `name` has the complete table."""

    name: str
    title: str
    rows: "pd.DataFrame"


def summary_tables(
    rows: "pd.DataFrame", main: Sequence[str], compared: "Mapping[str, pd.DataFrame]"
) -> list[SummaryTable]:
    """Return the main tables in the order to show them.

    Parameters
    ----------
    rows
        A row per job.
    main
        Names of its main columns.
    compared
        Tables over all jobs, by name.
    """
    if "seeds" in compared:
        seed_rows, stability = compared["seeds"], compared.get("stability")
        tables = [
            SummaryTable("seeds", MEANS, means(seed_rows, main)),
            SummaryTable("seeds", SPREAD, spread(seed_rows, main, stability)),
        ]
    else:
        tables = [SummaryTable("sweep", "", rows[list(main)])]
    probes = "leakage" if "leakage" in compared else "probes"  # the leakage table contains the probes
    names = [name for name in ("label_free", probes) if name in compared]
    tables += [SummaryTable(name, ABOUT[name], compared[name]) for name in names]
    return [SummaryTable(name, title, one_protocol(table)) for name, title, table in tables]
