"""Compare published metrics, the claims of conf/claims/<study>.yaml, with metrics of a sweep's jobs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from experiments.comparison.intervals import mean_interval
from experiments.config import compose
from experiments.job import summary
from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.perform import Outcome

if TYPE_CHECKING:
    import pandas as pd

REPRODUCED, DIFFERS, NOT_RUNNABLE = "reproduced", "differs", "not runnable here"
CLAIMS = compose.CONF / "claims"
SCALE = {"%": 100.0, "": 1.0}
FREE_KEYS = (  # settings that a reproduction may change
    "seed",
    "dataset.root",
    "dataset.name",
    "device",
    "threads",
    "figures",
    "label_free",
    "map",
    "objective",
    "report",
    "resume",
    "cache",
    "tracking",
    "hydra",
)


@dataclass(frozen=True)
class Claim:
    """A published metric, and how to find the value of our jobs.

    Parameters
    ----------
    name
        Its name in the published table.
    published, tolerance
        In `unit`: `%` (our value times 100) or empty.
    metric
        Our metric's name; with `table`, the column of that table of the job.
    where
        The row of `table`: {epoch: 5}.
    job
        Settings of the jobs that compute it: {cluster.k: 233}; all jobs if empty.
    claimed
        True if this project states that it is reproduced; then a different value is an error.
    lacks
        Missing parts for computing it, or "".
    """

    name: str
    published: float
    tolerance: float
    metric: str
    table: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    job: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    claimed: bool = False
    lacks: str = ""

    def __post_init__(self) -> None:
        if self.unit not in SCALE:
            raise ValueError(f"{self.name}: unit={self.unit} is not a unit; use % or leave it out")


@dataclass(frozen=True)
class Table:
    """Metrics that were published in one table; `shared` has the fields that all its claims share.

    `source` cites the publication. `run` is the command that computes them, if it is not the study's.
    """

    title: str
    source: str
    rows: list[Any]
    shared: dict[str, Any] = field(default_factory=dict)
    run: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """A publication: the command that computes its metrics, the size of its data, its tables by name.

    Only jobs of `protocol` count, if it is not empty.
    """

    title: str
    run: list[str]
    tables: dict[str, Any]
    protocol: str = ""
    samples: int = 0
    classes: int = 0

    def claims(self) -> dict[str, list[Claim]]:
        """Return the claims of each table."""
        return {name: [_checked(Claim, {**t.shared, **row}) for row in t.rows] for name, t in self._tables()}

    def about(self) -> dict[str, Table]:
        """Return the tables by name."""
        return dict(self._tables())

    def runs(self) -> dict[tuple[str, ...], list[str]]:
        """Return the tables of each command."""
        tables: dict[tuple[str, ...], list[str]] = {}
        for name, table in self._tables():
            tables.setdefault(tuple(table.run or self.run), []).append(name)
        return tables

    def _tables(self) -> list[tuple[str, Table]]:
        return [(name, _checked(Table, table)) for name, table in self.tables.items()]


def studies(folder: Path = CLAIMS) -> list[str]:
    """Return the names of all studies."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read_study(name: str, folder: Path = CLAIMS) -> Study:
    """Read a study's claims; raise ValueError for an unknown study or an error in the file."""
    path = folder / f"{name}.yaml"
    if not path.exists():
        raise ValueError(f"{name} is not a study; use {' or '.join(studies(folder))}")
    try:
        study: Study = _checked(Study, OmegaConf.to_container(OmegaConf.load(path)))
        study.claims()
    except OmegaConfBaseException as error:
        raise ValueError(f"{path.name}: {error.full_key}: {str(error).splitlines()[0]}") from error
    except (YAMLError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: {' '.join(str(error).split())}; see {Claim.__name__}") from error
    return study


def _checked(schema: type, values: Any) -> Any:
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), values))


def compare_claims(
    study: Study, jobs: Mapping[Path, Outcome], not_run: str = "", names: Sequence[str] | None = None
) -> "pd.DataFrame":
    """Compare each published metric with our jobs' metric.

    Parameters
    ----------
    names
        The tables that these jobs compute; None: all.
    jobs
        Outcomes by the jobs' folders.
    not_run
        Why no job could be run; empty if jobs ran.

    Returns
    -------
    DataFrame
        table, metric (the claim's name), published, ours (mean over the seeds), low, high (its 95 %
        interval), seeds, difference, tolerance, verdict, claimed, why (not runnable); in the claim's unit.
    """
    import pandas as pd

    jobs = {f: o for f, o in jobs.items() if o.status == "FINISHED" and study.protocol in ("", o.protocol)}
    claims, about, data = study.claims(), study.about(), other_data(study, jobs)
    claim_keys = {key for table in claims.values() for claim in table for key in claim.job}
    rows = []
    for name in about if names is None else names:
        run = about[name].run or study.run
        of_command = {folder: job for folder, job in jobs.items() if _ran(run, job)}
        mismatch = data or _other_settings(run, claim_keys, of_command)
        rows += [{"table": name, **_row(claim, of_command, not_run, mismatch)} for claim in claims[name]]
    return pd.DataFrame(rows)


def _words(run: Sequence[str]) -> list[str]:
    """Return the settings that all jobs of a command share."""
    words = [word for word in run if not word.startswith("-") and not _is_free(word)]
    return [o.input_line for o in compose.parse(words) if not o.is_sweep_override()]


def _is_free(word: str) -> bool:
    return compose.key_of(word).startswith(FREE_KEYS)


def _ran(run: Sequence[str], job: Outcome) -> bool:
    return set(_words(run)) <= set(job.overrides)


def _other_settings(run: Sequence[str], claim_keys: Collection[str], jobs: Mapping[Path, Outcome]) -> str:
    """Return a reason if a job has settings of neither the command nor a claim, which change its metrics."""
    words = _words(run)
    typed = [word for job in jobs.values() for word in job.overrides if word not in words]
    other = [word for word in typed if compose.key_of(word) not in claim_keys and not _is_free(word)]
    return f"other settings than the published ones: {' '.join(dict.fromkeys(other))}" if other else ""


def other_data(study: Study, jobs: Mapping[Path, Outcome]) -> str:
    """Return a reason if the jobs' data has other numbers of samples or classes than the published study."""
    import pandas as pd

    for folder in jobs:
        if study.samples:
            samples = pd.read_parquet(folder / ASSIGNMENTS)
            n, c = len(samples), len(set(samples["label"]) - {""}) if "label" in samples else 0
            if (n, c) != (study.samples, study.classes):
                return (
                    f"other data: {n:,} samples of {c} classes, published for {study.samples:,} of "
                    f"{study.classes}"
                )
    return ""


def _row(claim: Claim, jobs: Mapping[Path, Outcome], not_run: str, mismatch: str) -> dict[str, Any]:
    """Compare one published metric with our jobs' metric.

    Parameters
    ----------
    mismatch
        Why our metrics cannot be compared with the published ones; empty if they can.
    """
    why = claim.lacks or not_run
    values, missing = ([], why) if why else _values(claim, jobs)
    why = missing or mismatch
    row: dict[str, Any] = {"metric": claim.name, "published": claim.published}
    mean, low, high = mean_interval(values) if values else (np.nan,) * 3
    difference = mean - claim.published
    within = abs(difference) <= claim.tolerance * (1 + 1e-9)  # exactly the tolerance is within it
    verdict = NOT_RUNNABLE if why else REPRODUCED if within else DIFFERS
    row |= {"ours": mean, "low": low, "high": high, "seeds": len(values), "difference": difference}
    return row | {"tolerance": claim.tolerance, "verdict": verdict, "claimed": claim.claimed, "why": why}


def _values(claim: Claim, jobs: Mapping[Path, Outcome]) -> tuple[list[float], str]:
    """Return our values, one per seed; or an empty list and the reason if no job has the metric."""
    by_seed: dict[Any, list[float]] = {}
    chosen = {f: o for f, o in jobs.items() if _is_of(claim, o)}
    if not chosen:
        settings = " ".join(f"{key}={value}" for key, value in claim.job.items())
        return [], f"no job {f'with {settings} ' if settings else ''}of this command and protocol finished"
    for folder, outcome in chosen.items():
        value = _from_table(claim, folder) if claim.table else outcome.metrics.get(claim.metric)
        if value is not None and np.isfinite(value):
            seed = summary.settings(outcome).get("seed", "")
            by_seed.setdefault(seed, []).append(value * SCALE[claim.unit])
    row = " ".join(f"{key}={value}" for key, value in claim.where.items())
    why = f"{claim.table}.csv has no row {row}" if claim.table else f"no job has the metric {claim.metric}"
    return [float(np.mean(values)) for values in by_seed.values()], "" if by_seed else why


def _is_of(claim: Claim, outcome: Outcome) -> bool:
    settings = summary.settings(outcome)
    return all(str(settings.get(key)) == str(value) for key, value in claim.job.items())


def _from_table(claim: Claim, folder: Path) -> float | None:
    import pandas as pd

    path = folder / f"{claim.table}.csv"
    if not path.exists():
        return None
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)  # a class may be called NA, or 01
    if claim.metric not in rows or not set(claim.where) <= set(rows):
        return None
    for key, value in claim.where.items():
        rows = rows[rows[key] == str(value)]
    return float(rows[claim.metric].iloc[0] or "nan") if len(rows) == 1 else None
