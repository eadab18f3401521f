"""Put new images into the clusters of a recorded run, without refitting anything.

python scripts/assign.py RUN_ID FOLDER                     a folder, a zip or tar, or image files
python scripts/assign.py RUN_ID one.jpg two.png --out new.csv
python scripts/assign.py RUN_ID new_rows.csv               of a run on a table or on embeddings; .npy too
python scripts/assign.py RUN_ID FOLDER --far 0.95 tracking.uri=http://localhost:5000
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import script
from experiments.context import Context
from experiments.job import artifacts, console, model
from experiments.messages import counted
from experiments.recorded import Recorded
from experiments.recorded.new_rows import ENDINGS, new_rows
from experiments.recorded.samples import config_of
from experiments.report import tables
from experiments.samples import Samples, ValueRange

if TYPE_CHECKING:
    import pandas as pd


def read(places: list[str], value_range: ValueRange, ctx: Context) -> Samples:
    """Read what was named, one folder or archive or image files, as the run read its own."""
    root = Path(places[0]).expanduser().absolute()
    if len(places) == 1 and not model.is_image(root):
        return model.from_folder(root, ctx, value_range, "FOLDER")
    return model.from_images(places, ctx, value_range)


def read_rows(places: list[str], fitted: model.Model, run: Recorded, served: Path, ctx: Context) -> Samples:
    """Read the one table, or array, that was named, for a run that clustered vectors."""
    if len(places) != 1 or Path(places[0]).suffix.lower() not in ENDINGS:
        raise ValueError(
            f"RUN_ID={run.id} clustered {fitted.kind}, and here are images; use one "
            f"{', '.join(ENDINGS)} file; from Python, give its model a column `vector`: "
            f"mlflow.pyfunc.load_model('{served}').predict(...)"
        )
    return new_rows(Path(places[0]).expanduser().absolute(), fitted.features, id_column(run), "FOLDER", ctx)


def id_column(run: Recorded) -> str | None:
    """Return the column of ids that was named for a run, or for the best job of a sweep."""
    named = config_of(run.best).dataset.get("id")
    return None if named is None else str(named)


def left_out(out: Path) -> Path:
    """Return where the files are listed that are left out."""
    return out.with_name(f"{out.stem}_skipped_files.csv")


def claim(out: Path) -> None:
    """Make the folder of the result, before an hour goes into assigning what could not be written."""
    for path in (out, left_out(out)):
        if path.exists():
            raise ValueError(f"--out {out}: {path} is there already; name another file")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch(exist_ok=False)
    except OSError as error:
        raise ValueError(f"--out {out} cannot be written ({error.strerror}); name another file") from error
    out.unlink()


def tell(table: "pd.DataFrame", samples: Samples, out: Path) -> None:
    """Print how many went where."""
    sizes = table["cluster"].value_counts()
    rows = [[str(number), str(count)] for number, count in sizes.head(10).items()]
    console.table("largest clusters among them", ["cluster", samples.content.KIND], rows)
    noise, far = int((table["cluster"] < 0).sum()), int(table["far"].sum())
    kind = samples.content.KIND
    clusters = counted(len(sizes) - bool(noise), "cluster")
    told = f"{counted(len(table), kind.removesuffix('s'), kind)} in {clusters}"
    console.print_line(f"{told}, {noise} noise, {far} far; see {out}")
    if samples.skipped:
        name, why = samples.skipped[0]
        left = counted(len(samples.skipped), "file")
        console.print_line(f"{left} left out, such as {name} ({why}); see {left_out(out)}")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = script.parser(__doc__)
    made.add_argument("run_id", metavar="RUN_ID", help="of a run, or of a sweep, whose best job is taken")
    made.add_argument("places", metavar="FOLDER|FILE", nargs="*", default=[])
    made.add_argument("--out", type=Path, default=Path("assigned.csv"), help="default: %(default)s")
    made.add_argument(
        "--far",
        type=float,
        default=model.FAR,
        help="far is what is farther than this share of a cluster's own images; default: %(default)s",
    )
    return made


def assign(args: argparse.Namespace) -> int:
    """Assign what was named, write the table, and print how many went where."""
    if not args.places:
        raise ValueError("no image is named; give a folder, a zip or tar, or image files")
    uri, device, moved = script.connect(args.settings)
    if moved:
        raise ValueError(
            f"{next(iter(moved))} says where the run's own data is, and assigning reads none of it; leave it "
            "out"
        )
    run = Recorded.of(uri, args.run_id)
    place = run.model
    with run.by_its_code():
        fitted = model.Model.load(place)
    with model.scratch() as ctx:
        ctx = replace(ctx, device=device.device, threads=device.threads, report=device.report)
        if fitted.kind == "images":
            samples = read(args.places, fitted.value_range, ctx)
        else:
            samples = read_rows(args.places, fitted, run, place.parent, ctx)
        claim(args.out)
        table = fitted.assign(samples, ctx, args.far)
    tables.to_csv(table, args.out)
    if samples.skipped:
        tables.to_csv(artifacts.reasons_table(samples.skipped), left_out(args.out))
    tell(table, samples, args.out)
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), assign, valued=("--out",))


if __name__ == "__main__":
    sys.exit(main())
