"""Write the clusters of a recorded run as folders of images, CSV, Parquet, COCO and FiftyOne.

python scripts/export.py RUN_ID FOLDER                copies of the images, a folder for each cluster
python scripts/export.py RUN_ID FOLDER --how link     symbolic links instead
python scripts/export.py RUN_ID FOLDER --embeddings csv    also the embeddings, for dataset=embeddings
python scripts/export.py RUN_ID FOLDER dataset.root=<where the images are now>
python scripts/export.py RUN_ID FOLDER tracking.uri=http://localhost:5000
"""

import argparse
import sys
from pathlib import Path

from experiments import script
from experiments.job import console
from experiments.messages import counted
from experiments.recorded import PastRun
from experiments.recorded.embeddings import KINDS
from experiments.recorded.export import HOWS, NOISE, export

NAMES = {"data": "data/<cluster>/", "labels.json": "labels.json (FiftyOne)"}

SAME = "clustering them with protocol=published gives the same clusters if the run had protocol=published"
EMBEDDINGS = f"also write the embeddings; .npy with the ids in a second file; {SAME}"


def written(folder: Path) -> list[str]:
    """Return the names of the exported files and folders."""
    return [NAMES.get(path.name, path.name) for path in sorted(folder.iterdir())]


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    arguments.add_argument("run_id", metavar="RUN_ID", help="id of a run, or of a sweep for its best job")
    arguments.add_argument("folder", metavar="FOLDER", type=Path, help="a new or an empty folder")
    arguments.add_argument("--how", choices=HOWS, default=HOWS[0], help="default: %(default)s")
    arguments.add_argument("--embeddings", choices=KINDS, help=EMBEDDINGS)
    return arguments


def export_run(args: argparse.Namespace) -> int:
    """Export a run, and print the written files."""
    uri, ctx, data_paths = script.connect(args.settings)
    run = PastRun.of(uri, args.run_id).best
    table = export(run, args.folder, args.how, ctx, args.embeddings, data_paths)
    noise = int((table["cluster"] < 0).sum())
    clusters = counted(table["cluster"].nunique() - bool(noise), "cluster")
    console.print_line(f"{counted(len(table), 'row')} in {clusters}, {noise} {NOISE}")
    console.print_line(f"{args.folder}: {', '.join(written(args.folder))}")
    if args.embeddings:
        console.print_line(
            f"embeddings: {SAME}; with held_out, the reducer is fitted on the training rows of a new split"
        )
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), export_run)


if __name__ == "__main__":
    sys.exit(main())
