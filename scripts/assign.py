"""Assign new images to the clusters of a recorded run, without refitting.

python scripts/assign.py RUN_ID FOLDER                     a folder, a zip or tar, or image files
python scripts/assign.py RUN_ID one.jpg two.png --out new.csv
python scripts/assign.py RUN_ID new_rows.csv               for a run on a table or on embeddings; .npy too
python scripts/assign.py RUN_ID FOLDER --far 0.95 tracking.uri=http://localhost:5000
"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import script
from experiments.context import Context
from experiments.job import artifacts, console, model
from experiments.messages import counted
from experiments.recorded import PastRun
from experiments.recorded.new_rows import EXTENSIONS, new_rows
from experiments.recorded.samples import config_of
from experiments.report import tables
from experiments.samples import Samples, ValueRange

if TYPE_CHECKING:
    import pandas as pd


def read_images(paths: list[str], value_range: ValueRange, ctx: Context) -> Samples:
    """Read a folder, an archive or image files, with the image settings of the run."""
    root = Path(paths[0]).expanduser().absolute()
    if len(paths) == 1 and not model.is_image(root):
        return model.from_folder(root, ctx, value_range, "FOLDER")
    return model.from_images(paths, ctx, value_range)


def read_rows(paths: list[str], fitted: model.Model, run: PastRun, saved: Path, ctx: Context) -> Samples:
    """Read a table or array of new rows, for a run that clustered vectors."""
    if len(paths) != 1 or Path(paths[0]).suffix.lower() not in EXTENSIONS:
        raise ValueError(
            f"RUN_ID={run.id} clustered {fitted.kind} and not images; use a single "
            f"{', '.join(EXTENSIONS)} file; in Python, pass its model a column `vector`: "
            f"mlflow.pyfunc.load_model('{saved}').predict(...)"
        )
    return new_rows(Path(paths[0]).expanduser().absolute(), fitted.features, id_column(run), "FOLDER", ctx)


def id_column(run: PastRun) -> str | None:
    """Return the column of ids of a run, or of the best job of a sweep; None if no column was set."""
    column = config_of(run.best).dataset.get("id")
    return None if column is None else str(column)


def skipped_list(out: Path) -> Path:
    """Return the path of the list of skipped files."""
    return out.with_name(f"{out.stem}_skipped_files.csv")


def check_arguments(paths: list[str], out: Path, far: float) -> None:
    """Raise ValueError for missing data, a result that cannot be written, or a `far` that is no quantile."""
    if not paths:
        raise ValueError("FOLDER|FILE is missing; use a folder, a zip or tar, or image files")
    for source in (Path(path).expanduser().absolute() for path in paths):
        if not source.exists():
            raise ValueError(f"FOLDER={source} does not exist; use a folder, a zip or tar, or image files")
    for path in (out, skipped_list(out)):
        if path.exists():
            raise ValueError(f"--out {out}: {path} exists already; use another file: --out <file>")
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"--out {out} cannot be written into {folder}; use another file")
    model.check_far(far, "--far ")


def add_names(table: "pd.DataFrame", run: PastRun) -> None:
    """Add the names of the clusters, if the run gave them names."""
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="assign-") as folder:
        known = pd.read_parquet(run.file(artifacts.ASSIGNMENTS, Path(folder)))
    if "name" in known:
        names = known.drop_duplicates("cluster").set_index("cluster")["name"]
        table.insert(list(table).index("cluster") + 1, "name", table["cluster"].map(names).fillna(""))


def print_sizes(table: "pd.DataFrame", samples: Samples, out: Path) -> None:
    """Print the sizes of the clusters."""
    sizes = table["cluster"].value_counts()
    rows = [[str(number), str(count)] for number, count in sizes.head(10).items()]
    console.table("largest clusters", ["cluster", samples.content.KIND], rows)
    noise, far = int((table["cluster"] < 0).sum()), int(table["far"].sum())
    kind = samples.content.KIND
    clusters = counted(len(sizes) - bool(noise), "cluster")
    total = f"{counted(len(table), kind.removesuffix('s'), kind)} in {clusters}"
    console.print_line(f"{total}, {noise} noise, {far} far; see {out}")
    if samples.skipped:
        name, why = samples.skipped[0]
        count = counted(len(samples.skipped), "file")
        console.print_line(f"{count} skipped, such as {name} ({why}); see {skipped_list(out)}")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    arguments.add_argument("run_id", metavar="RUN_ID", help="id of a run, or of a sweep for its best job")
    arguments.add_argument("paths", metavar="FOLDER|FILE", nargs="*", default=[])
    arguments.add_argument("--out", type=Path, default=Path("assigned.csv"), help="default: %(default)s")
    arguments.add_argument(
        "--far",
        type=float,
        default=model.FAR,
        help="quantile of its cluster's distances above which an image is far; default: %(default)s",
    )
    return arguments


def assign(args: argparse.Namespace) -> int:
    """Assign the images or rows, write the table, and print the sizes of the clusters."""
    check_arguments(args.paths, args.out, args.far)
    uri, device, moved = script.connect(args.settings)
    if moved:
        raise ValueError(
            f"{next(iter(moved))} is a path of the run's data, but this reads only new data; leave it out"
        )
    run = PastRun.of(uri, args.run_id)
    folder = run.model
    with run.naming_other_code():
        fitted = model.Model.load(folder)
    with model.scratch() as ctx:
        ctx = replace(ctx, device=device.device, threads=device.threads, report=device.report)
        if fitted.kind == "images":
            samples = read_images(args.paths, fitted.value_range, ctx)
        else:
            samples = read_rows(args.paths, fitted, run, folder.parent, ctx)
        table = fitted.assign(samples, ctx, args.far)
        add_names(table, run.best)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tables.to_csv(table, args.out)
    if samples.skipped:
        tables.to_csv(artifacts.reasons_table(samples.skipped), skipped_list(args.out))
    print_sizes(table, samples, args.out)
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), assign, valued=("--out",))


if __name__ == "__main__":
    sys.exit(main())
