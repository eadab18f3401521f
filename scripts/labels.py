"""Correct the labels of a recorded run by hand, and see what that changes.

python scripts/labels.py template RUN_ID           a table to edit: write labels into applied_label
python scripts/labels.py page RUN_ID               the same table with its images, to edit in a browser
python scripts/labels.py apply RUN_ID label_overrides_template.csv
python scripts/labels.py apply RUN_ID FILE --who Ada tracking.uri=http://localhost:5000
"""

import argparse
import getpass
import os
import sys
from pathlib import Path

from experiments import compose, config, console, context
from experiments.figures import tiles
from experiments.labelling import page, template
from experiments.labelling.applying import BEFORE, Applied, apply
from experiments.labelling.clustered import Clustered
from experiments.labelling.scoring import SCORES
from experiments.recorded_samples import pictures_of
from experiments.types import Context

FEW = 5


def make_template(args: argparse.Namespace, clustered: Clustered, _ctx: Context) -> None:
    """Write the table to edit."""
    log, so_far = clustered.log(args.log)
    rows = template.template(clustered, so_far)
    template.write(rows, args.file)
    doubts, noise = int(template.doubtful(rows).sum()), int((rows["cluster"] < 0).sum())
    console.say(
        f"{args.file}: {len(rows)} rows, first {doubts} whose label is not their cluster's; {noise} are noise"
    )
    filled = int((rows["applied_label"] != "").sum())
    if filled:
        console.say(f"{filled} have their applied_label from {log}")
    console.say(
        "write a label into applied_label where the current one is wrong, leave the others empty, then:\n"
        f"python scripts/labels.py apply {args.run_id} {args.file}"
    )


def make_page(args: argparse.Namespace, clustered: Clustered, ctx: Context) -> None:
    """Write the page that edits the table in a browser."""
    page.check(args.file)
    rows = template.template(clustered, clustered.log(args.log)[1])
    shown = page.fitting(rows)
    ids, side = shown["image_id"].to_numpy(str), tiles.side(len(shown))
    try:
        images = tiles.none(side) if args.names else pictures_of(clustered.run, ids, side, ctx)
    except (ValueError, OSError) as error:
        raise ValueError(f"{error}; --names makes a page of names, without images") from error
    left_out, doubts = len(rows) - len(shown), int(template.doubtful(shown).sum())
    made = page.page(shown, images, run=clustered.run.id, name=clustered.name, left_out=left_out)
    args.file.write_text(made, encoding="utf-8")
    console.say(f"{args.file}: {len(shown)} of {len(rows)} rows, {doubts} of them doubtful")
    console.say(
        "open it in a browser, choose labels, export the CSV, then:\n"
        f"python scripts/labels.py apply {args.run_id} {template.NAME}"
    )


def apply_file(args: argparse.Namespace, clustered: Clustered, _ctx: Context) -> None:
    """Apply an edited table, and print what that changed."""
    done = apply(clustered, args.file, args.who, log=args.log, accept_new=args.accept_new)
    if done.missing:
        console.say(f"{done.missing} images of the run have no row in {args.file}, and stay as they are")
    if done.changes.empty:
        console.say(f"nothing changes: what {args.file} says of {done.given} images holds already")
        return
    if done.new:
        some = ", ".join(f"{label} (line {line})" for label, line in list(done.new.items())[:FEW])
        console.say(f"{len(done.new)} new labels: {some}{', ...' if len(done.new) > FEW else ''}")
    tell(done)


def tell(done: Applied) -> None:
    """Print figures before and after, where everything is, and how to go on."""
    rows = []
    for name in ("labelled", *SCORES):
        old, new = done.metrics.get(f"{name}{BEFORE}"), done.metrics.get(name)
        rows.append([name, *("" if value is None else f"{value:.4g}" for value in (old, new))])
    console.table(f"{len(done.changes)} labels changed", ["", "before", "after"], rows)
    recorded = f"not recorded: {done.lost}" if done.lost else f"run {done.run_id}"
    console.say(f"{recorded}; changes.csv and crosstabs in {done.folder}")
    here = Path(os.path.relpath(done.log))
    place = os.path.abspath(done.log) if ".." in here.parts else here
    console.say(f"to use the corrected labels in a run, add: dataset.corrections={place}")


def user() -> str:
    """Return who is at work, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, a number without a name
        return "unknown"


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = made.add_subparsers(dest="command", required=True)
    each = argparse.ArgumentParser(add_help=False, epilog="and settings, such as tracking.uri=<server>")
    each.add_argument("run_id", metavar="RUN_ID", help="of a run, or of a sweep, whose best job is taken")
    each.add_argument("--log", type=Path, help="of corrections; default: corrections/<data set>.csv")
    making = commands.add_parser("template", parents=[each], epilog=each.epilog, help="write a table to edit")
    making.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path(template.NAME))
    making.set_defaults(work=make_template)
    paging = commands.add_parser(
        "page", parents=[each], epilog=each.epilog, help="write a page that edits it in a browser"
    )
    paging.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("labels.html"))
    paging.add_argument("--names", action="store_true", help="names instead of images, which may be gone")
    paging.set_defaults(work=make_page)
    applying = commands.add_parser(
        "apply", parents=[each], epilog=each.epilog, help="take over what was edited"
    )
    applying.add_argument("file", metavar="FILE", type=Path)
    applying.add_argument("--who", default=user(), help="who decided so; default: %(default)s")
    applying.add_argument("--accept-new", action="store_true", help="labels that look mistyped are meant so")
    applying.set_defaults(work=apply_file)
    return made


def main() -> int:
    """Read the command line; return the exit code."""
    words = sys.argv[1:]
    settings = [word for word in words if "=" in word and word[0] != "-" and not Path(word).exists()]
    args = parser().parse_args([word for word in words if word not in settings])
    try:
        plan = config.build(compose.compose_config(settings), settings)
        ctx = context.make(plan, console.Report(lambda step, row: None))
        args.work(args, Clustered.of(plan.tracking.uri, args.run_id), ctx)
    except (ValueError, OSError) as error:
        console.complain(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
