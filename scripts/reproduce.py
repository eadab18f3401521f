"""Run a study again, and compare its published metrics with ours.

python scripts/reproduce.py readme                        the metrics of README.md
python scripts/reproduce.py patternmind seed=0,1,2        with the mean and 95 % interval over three seeds
python scripts/reproduce.py patternmind --results FOLDER  compare an earlier sweep; runs nothing

A metric is reproduced if our mean over the seeds is within the stated tolerance; the claims are in
conf/claims/. The tables are printed, and written into the sweep's folder as reproduction.csv, .md and .tex
(for booktabs). The exit code is 1 if a claimed metric is not reproduced, or if a job failed.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import script
from experiments.config import compose
from experiments.job import console
from experiments.job.perform import EXPECTED, Outcome
from experiments.report import tables
from experiments.sweep import claims
from experiments.sweep.outcomes import read_outcomes

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["metric", "published", "ours", "95 % interval", "difference", "tolerance", "verdict"]
LATEX = str.maketrans({sign: f"\\{sign}" for sign in "%_&#$"})
RUN = Path(__file__).parents[1] / "run.py"


def missing_data(overrides: Sequence[str]) -> str:
    """Return the reason why the study's data cannot be read, or "". Raise ValueError for a wrong setting."""
    sweeps = [o for o in compose.parse(overrides) if o.is_sweep_override()]
    for o in sweeps:
        if o.key_or_group.startswith("dataset"):
            raise ValueError(f"{o.input_line} has several data sets; use one at a time")
    single = [o.input_line for o in compose.parse(overrides) if not o.is_sweep_override()]
    plan = script.plan(single)
    try:
        plan.stages.dataset.count()
    except EXPECTED as error:
        return str(error)
    return ""


def run(words: Sequence[str]) -> tuple[Path, int]:
    """Run run.py in a new process; return its output folder and exit code."""
    folder = compose.new_output_folder()
    settings = [f"hydra.sweep.dir={folder}", f"hydra.run.dir={folder}"]
    done = subprocess.run([sys.executable, str(RUN), *words, *settings], check=False)
    return folder, done.returncode


def readable(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of one published table as texts."""
    import pandas as pd

    def number(value: float) -> str:
        return "" if value != value else f"{value:.4g}"

    shown = pd.DataFrame({"metric": rows["metric"], "published": rows["published"].map(number)})
    shown["ours"] = rows["ours"].map(number)
    ends = zip(rows["low"], rows["high"], strict=True)
    shown["95 % interval"] = [f"{number(low)} to {number(high)}" if low == low else "" for low, high in ends]
    shown["difference"] = [f"{value:+.3g}" if value == value else "" for value in rows["difference"]]
    shown["tolerance"] = rows["tolerance"].map(number)
    shown["verdict"] = rows["verdict"]
    return shown


def write(study: claims.Study, rows: "pd.DataFrame", folder: Path) -> None:
    """Write reproduction.csv, reproduction.md and reproduction.tex (booktabs) into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tables.to_csv(rows, folder / "reproduction.csv")
    words, latex = [f"# {study.title}\n"], ["% \\usepackage{booktabs}"]
    for name, about in study.about().items():
        part = rows[rows["table"] == name]
        shown = readable(part)
        reasons = "".join(f"\n- {why}" for why in dict.fromkeys(part["why"]) if why)
        words.append(f"## {about.title}\n\n{about.source}\n\n{tables.markdown(shown)}{reasons}\n")
        style = shown.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
        caption = f"{about.title} ({about.source})".translate(LATEX)
        latex.append(style.to_latex(hrules=True, column_format="lrrrrrl", caption=caption, position="ht"))
    (folder / "reproduction.md").write_text("\n".join(words), encoding="utf-8")
    (folder / "reproduction.tex").write_text("\n".join(latex), encoding="utf-8")


def show(study: claims.Study, rows: "pd.DataFrame") -> None:
    """Print each published table with our values."""
    for name, about in study.about().items():
        part = rows[rows["table"] == name]
        shown = readable(part)
        console.table(f"{about.title} ({about.source})", COLUMNS, shown.to_numpy().tolist())
    for why in dict.fromkeys(rows["why"]):
        if why:
            console.print_line(f"{claims.NOT_RUNNABLE}: {why}")
    counts = rows["verdict"].value_counts()
    console.print_line(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def verdict(rows: "pd.DataFrame") -> int:
    """Print each claimed metric that is not reproduced; return the exit code."""
    broken = rows[rows["claimed"] & (rows["verdict"] != claims.REPRODUCED)]
    for row in broken.itertuples():
        console.print_error(
            f"claimed as reproduced: {row.table}, {row.metric}: {row.verdict} {row.why}".rstrip()
        )
    return int(len(broken) > 0)


def run_or_read(
    study: claims.Study, overrides: Sequence[str], results: Path | None
) -> tuple["pd.DataFrame", Path, int]:
    """Run the study's commands, or read `results`; return the comparison, a folder and the exit code."""
    import pandas as pd

    if results is not None:
        jobs = read_outcomes(results)
        if not jobs:
            raise ValueError(f"--results {results} has no results; use the output folder of a sweep")
        return claims.compare_claims(study, jobs), results, _failed(jobs)
    parts, folders, code = [], [], 0
    for command, names in study.runs().items():
        words = [*command, *overrides]
        why = missing_data([word for word in words if not word.startswith("-")])
        jobs, folder = {}, compose.new_output_folder()
        if not why:
            folder, exit_code = run(words)
            jobs = read_outcomes(folder)
            code = code or int(exit_code != 0) or _failed(jobs)
            why = "" if jobs else "the command stopped; see its message above"
        parts.append(claims.compare_claims(study, jobs, why, names))
        folders.append(folder)
    return pd.concat(parts, ignore_index=True), folders[0], code


def _failed(jobs: Mapping[Path, Outcome]) -> int:
    """Print the jobs that did not finish; return the exit code."""
    failures = [outcome for outcome in jobs.values() if outcome.status != "FINISHED"]
    for outcome in failures:
        console.print_error(
            f"{outcome.status} job {' '.join(outcome.overrides)}: {outcome.error}".rstrip(": ")
        )
    return int(len(failures) > 0)


def reproduce(study: claims.Study, overrides: Sequence[str], results: Path | None) -> int:
    """Compare a study with our metrics, print and write the tables; return the exit code."""
    rows, folder, code = run_or_read(study, overrides, results)
    show(study, rows)
    write(study, rows, folder)
    console.print_line(f"tables: {folder / 'reproduction.md'}, .csv and .tex")
    return verdict(rows) or code


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    arguments.add_argument("study", help=f"one of {', '.join(claims.studies())}")
    arguments.add_argument("--results", type=Path, help="folder of an earlier sweep")
    return arguments


def main() -> int:
    """Read the command line; return the exit code."""

    def work(args: argparse.Namespace) -> int:
        return reproduce(claims.read_study(args.study), args.settings, args.results)

    return script.run(parser(), work, valued=("--results",))


if __name__ == "__main__":
    sys.exit(main())
