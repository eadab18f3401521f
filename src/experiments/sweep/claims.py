"""What was published, and whether the jobs of a sweep give it again: conf/claims/<study>.yaml."""

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
FREE = (
    "seed",
    "dataset.root",
    "dataset.name",
    "device",
    "threads",
    "figures",
    "cache",
    "tracking",
    "hydra",
)  # as one likes


@dataclass(frozen=True)
class Claim:
    """One published figure, and where ours stands.

    Parameters
    ----------
    name
        What it is called in the published table.
    published, tolerance
        In `unit`: `%` (ours times 100) or empty.
    metric
        Name of ours; or, with `table`, the column of that table of the job.
    where
        The row of `table`: {epoch: 5}.
    job
        The settings of the jobs that give it: {cluster.k: 233}; all jobs if empty.
    claimed
        We say that it is reproduced, and are wrong if it is not.
    lacks
        What it would take to compute it; empty if nothing.
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
            raise ValueError(f"{self.name}: unit={self.unit} is none; use % or leave it out")


@dataclass(frozen=True)
class Table:
    """Figures that were published together: `source` says where; what claims share stands in `each`.

    `run` is the command that gives them, if it is not the study's.
    """

    title: str
    source: str
    rows: list[Any]
    each: dict[str, Any] = field(default_factory=dict)
    run: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """A publication: the command that gives its figures, the size of its data, its tables by name.

    `protocol` is what its jobs have to be of, whatever else a sweep holds; empty: any.
    """

    title: str
    run: list[str]
    tables: dict[str, Any]
    protocol: str = ""
    samples: int = 0
    classes: int = 0

    def claims(self) -> dict[str, list[Claim]]:
        """Return the claims of each table."""
        return {name: [_checked(Claim, {**t.each, **row}) for row in t.rows] for name, t in self._tables()}

    def about(self) -> dict[str, Table]:
        """Return the tables themselves."""
        return dict(self._tables())

    def runs(self) -> dict[tuple[str, ...], list[str]]:
        """Return each command, and the tables that it gives."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name, table in self._tables():
            found.setdefault(tuple(table.run or self.run), []).append(name)
        return found

    def _tables(self) -> list[tuple[str, Table]]:
        return [(name, _checked(Table, table)) for name, table in self.tables.items()]


def studies(folder: Path = CLAIMS) -> list[str]:
    """Name the studies that have claims."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read(name: str, folder: Path = CLAIMS) -> Study:
    """Read a study's claims; raise ValueError that says what is wrong with the file, or which there are."""
    path = folder / f"{name}.yaml"
    if not path.exists():
        raise ValueError(f"{name} is no study with claims; use {' or '.join(studies(folder))}")
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


def compared(
    study: Study, jobs: Mapping[Path, Outcome], absent: str = "", names: Sequence[str] | None = None
) -> "pd.DataFrame":
    """Hold each published figure against ours.

    Parameters
    ----------
    names
        The tables that these jobs are for; None: all.
    jobs
        How each job ended, by its folder.
    absent
        Why nothing could be run; empty if it was.

    Returns
    -------
    DataFrame
        table, figure, published, ours (mean over the seeds), low, high (its 95 % interval), seeds,
        difference, tolerance, verdict, claimed, why (not runnable); in the unit of the claim.
    """
    import pandas as pd

    jobs = {f: o for f, o in jobs.items() if o.status == "FINISHED" and study.protocol in ("", o.protocol)}
    claims, about, data = study.claims(), study.about(), other_data(study, jobs)
    named = {key for each in claims.values() for claim in each for key in claim.job}
    rows = []
    for name in about if names is None else names:
        run = about[name].run or study.run
        own = {folder: job for folder, job in jobs.items() if _ran(run, job)}
        other = data or _other_settings(run, named, own)
        rows += [{"table": name, **_row(claim, own, absent, other)} for claim in claims[name]]
    return pd.DataFrame(rows)


def _words(run: Sequence[str]) -> list[str]:
    """Return what every job of a command has among its settings."""
    words = [word for word in run if not word.startswith("-") and not _is_free(word)]
    return [o.input_line for o in compose.parse(words) if not o.is_sweep_override()]


def _is_free(word: str) -> bool:
    return compose.key_of(word).startswith(FREE)


def _ran(run: Sequence[str], job: Outcome) -> bool:
    return set(_words(run)) <= set(job.overrides)


def _other_settings(run: Sequence[str], named: Collection[str], jobs: Mapping[Path, Outcome]) -> str:
    """Say so if a job has settings that neither the command nor a claim names: they are other figures."""
    words = _words(run)
    typed = [word for job in jobs.values() for word in job.overrides if word not in words]
    other = [word for word in typed if compose.key_of(word) not in named and not _is_free(word)]
    return f"other settings than the published ones: {' '.join(dict.fromkeys(other))}" if other else ""


def other_data(study: Study, jobs: Mapping[Path, Outcome]) -> str:
    """Say so if the jobs ran on data of another size than was published on."""
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


def _row(claim: Claim, jobs: Mapping[Path, Outcome], absent: str, other: str) -> dict[str, Any]:
    """Hold one figure against ours.

    Parameters
    ----------
    other
        Why ours are other figures than the published ones; empty if they are the same.
    """
    why = claim.lacks or absent
    values, missing = ([], why) if why else _values(claim, jobs)
    why = missing or other
    row: dict[str, Any] = {"figure": claim.name, "published": claim.published}
    mean, low, high = mean_interval(values) if values else (np.nan,) * 3
    difference = mean - claim.published
    within = abs(difference) <= claim.tolerance * (1 + 1e-9)  # exactly the tolerance is within it
    verdict = NOT_RUNNABLE if why else REPRODUCED if within else DIFFERS
    row |= {"ours": mean, "low": low, "high": high, "seeds": len(values), "difference": difference}
    return row | {"tolerance": claim.tolerance, "verdict": verdict, "claimed": claim.claimed, "why": why}


def _values(claim: Claim, jobs: Mapping[Path, Outcome]) -> tuple[list[float], str]:
    """Return ours per seed; nothing, and why, if no job gives it."""
    by_seed: dict[Any, list[float]] = {}
    chosen = {f: o for f, o in jobs.items() if _is_of(claim, o)}
    if not chosen:
        wanted = " ".join(f"{key}={value}" for key, value in claim.job.items())
        return [], f"no job {wanted or 'at all'} of this command and protocol finished"
    for folder, outcome in chosen.items():
        value = _from_table(claim, folder) if claim.table else outcome.metrics.get(claim.metric)
        if value is not None and np.isfinite(value):
            seed = summary.settings(outcome).get("seed", "")
            by_seed.setdefault(seed, []).append(value * SCALE[claim.unit])
    row = " ".join(f"{key}={value}" for key, value in claim.where.items())
    place = f"{claim.table}.csv has no row {row}" if claim.table else f"no job gave {claim.metric}"
    return [float(np.mean(values)) for values in by_seed.values()], "" if by_seed else place


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
