"""Correct the labels of a recorded run by hand, and see what that changes.

python scripts/labels.py template RUN_ID           a table to edit: write labels into applied_label
python scripts/labels.py page RUN_ID               the same table with its images, to edit in a browser
python scripts/labels.py page RUN_ID dataset.root=<where the images are now>
python scripts/labels.py apply RUN_ID label_overrides_template.csv
python scripts/labels.py apply RUN_ID FILE --who Ada tracking.uri=http://localhost:5000

A FILE may be called key=value if it ends as a table or a page does; else type ./key=value.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import script
from experiments.config.compose import key_of
from experiments.context import Context
from experiments.figures.html import tiles
from experiments.job import console
from experiments.messages import counted, setting
from experiments.recorded.labelling import page, template
from experiments.recorded.labelling.applying import BEFORE, Applied, apply
from experiments.recorded.labelling.checking import WITHDRAWN
from experiments.recorded.labelling.clustered import Clustered
from experiments.recorded.labelling.scoring import SCORES
from experiments.recorded.samples import pictures_of

FEW = 5


def make_template(args: argparse.Namespace, clustered: Clustered, _ctx: Context) -> None:
    """Write the table to edit."""
    log, so_far = clustered.log(args.log)
    rows = template.template(clustered, so_far)
    template.write(rows, args.file)
    doubts, noise = int(template.doubtful(rows).sum()), int((rows["cluster"] < 0).sum())
    bare = int(template.unlabelled(rows).sum())
    console.print_line(
        f"{args.file}: {counted(len(rows), 'row')}, first {doubts} whose label is not their cluster's"
        f"{f', then {bare} without a label' if bare else ''}; {noise} {'is' if noise == 1 else 'are'} noise"
    )
    filled = int((rows["applied_label"] != "").sum())
    if filled:
        console.print_line(f"{counted(filled, 'row has its', 'rows have their')} applied_label from {log}")
    console.print_line(
        "write a label into applied_label where the current one is wrong or missing "
        f"({WITHDRAWN} for no label), leave the others empty, then:\n"
        f"{template.command(args.run_id, args.file, options(args))}"
    )


def make_page(args: argparse.Namespace, clustered: Clustered, ctx: Context) -> None:
    """Write the page that edits the table in a browser."""
    page.check(args.file)
    rows = template.template(clustered, clustered.log(args.log)[1])
    shown = page.fitting(rows)
    ids, side = shown["image_id"].to_numpy(str), tiles.side(len(shown))
    try:
        images = tiles.none(side) if args.names else pictures_of(clustered.run, ids, side, ctx, args.places)
    except (ValueError, OSError) as error:
        raise ValueError(f"{error}; --names makes a page of names, without images") from error
    left_out, doubts = len(rows) - len(shown), int(template.doubtful(shown).sum())
    unlabelled = int(template.unlabelled(shown).sum())
    bare = f", {unlabelled} without a label" if unlabelled else ""
    run, told = clustered.run.id, [word for word in options(args) if "@" not in word]  # no password in a file
    made = page.page(shown, images, run=run, name=clustered.name, left_out=left_out, options=told)
    args.file.write_text(made, encoding="utf-8")
    console.print_line(
        f"{args.file}: {len(shown)} of {counted(len(rows), 'row')}, {doubts} of them doubtful{bare}"
    )
    console.print_line(
        "open it in a browser, choose labels, export the CSV, then apply the file that you exported:\n"
        f"{template.command(args.run_id, page.exported(run), options(args))}"
    )


def apply_file(args: argparse.Namespace, clustered: Clustered, _ctx: Context) -> None:
    """Apply an edited table, and print what that changed."""
    done = apply(
        clustered, args.file, args.who, log=args.log, accept_new=args.accept_new, accept_old=args.accept_old
    )
    if done.missing:
        gone = counted(done.missing, "image of the run has", "images of the run have")
        console.print_line(f"{gone} no row in {args.file}, and keep the label that is there")
    if done.stale:
        older = counted(len(done.stale), "label is older than one", "labels are older than those")
        console.print_line(f"{older} in {done.log}, and not applied (--accept-old applies it all the same):")
        some(done.stale)
    if done.emptied:
        console.print_line(
            f"{counted(len(done.emptied), 'row')} left empty, of which {done.log} says something:"
        )
        some(done.emptied)
    if done.folder is None:
        images = counted(done.given - len(done.stale), "image")
        console.print_line(f"nothing changes: what {args.file} says of {images} holds already")
        return
    if done.new:
        first = ", ".join(f"{label} ({place})" for label, place in list(done.new.items())[:FEW])
        console.print_line(
            f"{counted(len(done.new), 'new label')}: {first}{', ...' if len(done.new) > FEW else ''}"
        )
    tell(done)


def some(lines: Sequence[str]) -> None:
    """Print the first of many lines."""
    for line in lines[:FEW]:
        console.print_line(f"  {line}")
    if len(lines) > FEW:
        console.print_line(f"  and {len(lines) - FEW} more")


def tell(done: Applied) -> None:
    """Print figures before and after, where everything is, and how to go on."""
    rows = []
    for name in ("labelled", *SCORES):
        old, new = done.metrics.get(f"{name}{BEFORE}"), done.metrics.get(name)
        rows.append([name, *("" if value is None else f"{value:.4g}" for value in (old, new))])
    title = f"{counted(len(done.changes), 'label')} changed, {done.confirmed} confirmed"
    console.table(title, ["", "before", "after"], rows)
    if done.others_scored:
        console.print_line(done.others_scored)
    recorded = f"not recorded: {done.lost}" if done.lost else f"run {done.run_id}"
    console.print_line(f"{recorded}; changes.csv and crosstabs in {done.folder}")
    here = Path(os.path.relpath(done.log))
    place = os.path.abspath(done.log) if ".." in here.parts else str(here)
    console.print_line(f"to use the corrected labels in a run, add: {setting('dataset.corrections', place)}")
    if done.unlabelled:
        images = counted(done.unlabelled, "image has", "images have")
        console.print_line(f"{images} no label still; dataset.unlabelled=drop leaves them out of that run")


def options(args: argparse.Namespace) -> list[str]:
    """Return what was typed and holds for the next step too, which needs no images."""
    settings = [word for word in args.settings if key_of(word) not in args.places]
    return [*(["--log", str(args.log)] if args.log else []), *settings]


def user() -> str:
    """Return who is at work, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, a number without a name
        return "unknown"


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = script.parser(__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    each = argparse.ArgumentParser(add_help=False)
    each.add_argument("run_id", metavar="RUN_ID", help="of a run, or of a sweep, whose best job is taken")
    each.add_argument("--log", type=Path, help="of corrections; default: corrections/<data set>.csv")
    making = commands.add_parser("template", parents=[each], help="write a table to edit")
    making.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path(template.NAME))
    making.set_defaults(work=make_template)
    paging = commands.add_parser("page", parents=[each], help="write a page that edits it in a browser")
    paging.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("labels.html"))
    paging.add_argument("--names", action="store_true", help="names instead of images, which may be gone")
    paging.set_defaults(work=make_page)
    applying = commands.add_parser("apply", parents=[each], help="take over what was edited")
    applying.add_argument("file", metavar="FILE", type=Path)
    applying.add_argument("--who", default=user(), help="who decided so; default: %(default)s")
    applying.add_argument("--accept-new", action="store_true", help="labels that look mistyped are meant so")
    applying.add_argument(
        "--accept-old", action="store_true", help="labels that were corrected since are meant so"
    )
    applying.set_defaults(work=apply_file)
    return made


def correct(args: argparse.Namespace) -> int:
    """Do what the command says."""
    uri, ctx, args.places = script.connect(args.settings)
    args.work(args, Clustered.of(uri, args.run_id), ctx)
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), correct, valued=("--log", "--who"))


if __name__ == "__main__":
    sys.exit(main())
