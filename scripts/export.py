"""Write the clusters of a recorded run as folders of images, CSV, Parquet, COCO and FiftyOne.

python scripts/export.py RUN_ID FOLDER                copies of the images, a folder for each cluster
python scripts/export.py RUN_ID FOLDER --how link     symbolic links instead
python scripts/export.py RUN_ID FOLDER --embeddings csv    also what was clustered, for dataset=embeddings
python scripts/export.py RUN_ID FOLDER dataset.root=<where the images are now>
python scripts/export.py RUN_ID FOLDER tracking.uri=http://localhost:5000
"""

import argparse
import sys
from pathlib import Path

from experiments.config import compose
from experiments.config.build import build
from experiments.job import console, context, program
from experiments.messages import counted
from experiments.recorded import Recorded
from experiments.recorded.embeddings import KINDS
from experiments.recorded.export import HOWS, NOISE, export
from experiments.recorded.samples import moved

SAID = {"data": "data/<cluster>/", "labels.json": "labels.json (FiftyOne)"}

SAME = "read back with protocol=published they give the same clusters; the run too must have had it"
EMBEDDINGS = f"write them too; .npy with its ids beside it; {SAME}"


def written(folder: Path) -> list[str]:
    """Name what was written."""
    return [SAID.get(path.name, path.name) for path in sorted(folder.iterdir())]


def main() -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_id", metavar="RUN_ID", help="of a run, or of a sweep, whose best job is taken")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to; a new or an empty one")
    parser.add_argument(
        "settings", metavar="key=value", nargs="*", default=[], help="such as tracking.uri, dataset.root"
    )
    parser.add_argument("--how", choices=HOWS, default=HOWS[0], help="default: %(default)s")
    parser.add_argument("--embeddings", choices=KINDS, help=EMBEDDINGS)
    args = parser.parse_intermixed_args()
    try:
        places, settings = moved(args.settings)
        plan = build(compose.compose_config(settings), settings)
        run = Recorded.of(plan.tracking.uri, args.run_id).best
        ctx = context.make(plan, console.Report(lambda step, row: None))
        table = export(run, args.folder, args.how, ctx, args.embeddings, places)
    except (ValueError, OSError) as error:
        console.complain(str(error))
        return 1
    noise = int((table["cluster"] < 0).sum())
    clusters = counted(table["cluster"].nunique() - bool(noise), "cluster")
    console.say(f"{counted(len(table), 'row')} in {clusters}, {noise} {NOISE}")
    console.say(f"{args.folder}: {', '.join(written(args.folder))}")
    if args.embeddings:
        console.say(f"embeddings: {SAME}, as held_out fits the rows of a split, which goes by content")
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main))
