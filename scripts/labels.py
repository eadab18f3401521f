"""Correct the labels of a recorded run by hand, and compare the metrics before and after.

python scripts/labels.py template RUN_ID           a table to edit: write labels into applied_label
python scripts/labels.py page RUN_ID               the same table with its images, to edit in a browser
python scripts/labels.py page RUN_ID dataset.root=<where the images are now>
python scripts/labels.py apply RUN_ID label_overrides_template.csv
python scripts/labels.py apply RUN_ID FILE --who Ada tracking.uri=http://localhost:5000

Type a FILE whose name has a = as ./key=value, unless it ends in .csv, .tsv, .parquet or .html.
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
from experiments.recorded.labelling.clustered import ClusteredSamples
from experiments.recorded.labelling.scoring import SCORES
from experiments.recorded.samples import pictures_of

SHOWN_LINES = 5


def make_template(args: argparse.Namespace, clustered: ClusteredSamples, _ctx: Context) -> None:
    """Write the table to edit."""
    log, corrections = clustered.log(args.log)
    rows = template.template(clustered, corrections)
    template.write(rows, args.file)
    doubts, noise = int(template.doubtful(rows).sum()), int((rows["cluster"] < 0).sum())
    bare = int(template.unlabelled(rows).sum())
    console.print_line(
        f"{args.file}: {counted(len(rows), 'row')}, first {doubts} with another label than their cluster"
        f"{f', then {bare} without a label' if bare else ''}; {noise} {'is' if noise == 1 else 'are'} noise"
    )
    filled = int((rows["applied_label"] != "").sum())
    if filled:
        console.print_line(f"{counted(filled, 'row has its', 'rows have their')} applied_label from {log}")
    console.print_line(
        "fill in applied_label where the current label is wrong or missing "
        f"({WITHDRAWN} for no label), leave it empty elsewhere, then:\n"
        f"{template.apply_command(args.run_id, args.file, options(args))}"
    )


def make_page(args: argparse.Namespace, clustered: ClusteredSamples, ctx: Context) -> None:
    """Write the page for editing the table in a browser."""
    page.check_file(args.file)
    rows = template.template(clustered, clustered.log(args.log)[1])
    shown = page.select_rows(rows)
    ids, side = shown["image_id"].to_numpy(str), tiles.tile_side(len(shown))
    try:
        images = (
            tiles.no_images(side)
            if args.names
            else pictures_of(clustered.run, ids, side, ctx, args.data_paths)
        )
    except (ValueError, OSError) as error:
        raise ValueError(f"{error}; for a page without images, use --names") from error
    left_out, doubts = len(rows) - len(shown), int(template.doubtful(shown).sum())
    unlabelled = int(template.unlabelled(shown).sum())
    bare = f", {unlabelled} without a label" if unlabelled else ""
    run, typed = clustered.run.id, [word for word in options(args) if "@" not in word]  # without passwords
    html = page.render(shown, images, run=run, name=clustered.name, left_out=left_out, options=typed)
    args.file.write_text(html, encoding="utf-8")
    console.print_line(
        f"{args.file}: {len(shown)} of {counted(len(rows), 'row')}, {doubts} with a doubtful label{bare}"
    )
    console.print_line(
        "open it in a browser, choose labels, export the CSV, then apply the exported file:\n"
        f"{template.apply_command(args.run_id, page.export_name(run), options(args))}"
    )


def apply_file(args: argparse.Namespace, clustered: ClusteredSamples, _ctx: Context) -> None:
    """Apply an edited table, and print the changes."""
    done = apply(
        clustered, args.file, args.who, log=args.log, accept_new=args.accept_new, accept_old=args.accept_old
    )
    if done.missing:
        images = counted(done.missing, "image of the run has", "images of the run have")
        console.print_line(f"{images} no row in {args.file}; their labels do not change")
    if done.stale:
        labels = counted(len(done.stale), "label is", "labels are")
        console.print_line(f"{labels} older than in {done.log} and not applied (to apply, use --accept-old):")
        print_first(done.stale)
    if done.emptied:
        console.print_line(
            f"{counted(len(done.emptied), 'empty row has', 'empty rows have')} a correction in {done.log}, "
            "which stays:"
        )
        print_first(done.emptied)
    if done.folder is None:
        images = counted(done.labelled_rows - len(done.stale), "image")
        console.print_line(f"nothing to change: {images} already with the labels of {args.file}")
        return
    if done.new:
        first = ", ".join(f"{label} ({row})" for label, row in list(done.new.items())[:SHOWN_LINES])
        console.print_line(
            f"{counted(len(done.new), 'new label')}: {first}{', ...' if len(done.new) > SHOWN_LINES else ''}"
        )
    print_result(done)


def print_first(lines: Sequence[str]) -> None:
    """Print the first lines, and the number of the others."""
    for line in lines[:SHOWN_LINES]:
        console.print_line(f"  {line}")
    if len(lines) > SHOWN_LINES:
        console.print_line(f"  and {len(lines) - SHOWN_LINES} more")


def print_result(done: Applied) -> None:
    """Print the metrics before and after, the written files, and the next step."""
    rows = []
    for name in ("labelled", *SCORES):
        old, new = done.metrics.get(f"{name}{BEFORE}"), done.metrics.get(name)
        rows.append([name, *("" if value is None else f"{value:.4g}" for value in (old, new))])
    title = f"{counted(len(done.changes), 'label')} changed, {done.confirmed} confirmed"
    console.table(title, ["", "before", "after"], rows)
    if done.scored_images_note:
        console.print_line(done.scored_images_note)
    recorded = f"not recorded: {done.unrecorded}" if done.unrecorded else f"run {done.run_id}"
    console.print_line(f"{recorded}; changes.csv and crosstabs in {done.folder}")
    relative = Path(os.path.relpath(done.log))
    path = os.path.abspath(done.log) if ".." in relative.parts else str(relative)
    console.print_line(f"to use the corrected labels in a run, add: {setting('dataset.corrections', path)}")
    if done.unlabelled:
        images = counted(done.unlabelled, "image has", "images have")
        console.print_line(f"{images} no label; to exclude them from that run, add: dataset.unlabelled=drop")


def options(args: argparse.Namespace) -> list[str]:
    """Return the typed options for the next command, without paths of images, which it does not read."""
    settings = [word for word in args.settings if key_of(word) not in args.data_paths]
    return [*(["--log", str(args.log)] if args.log else []), *settings]


def user() -> str:
    """Return the user's name, or `unknown`."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, a number without a name
        return "unknown"


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    commands = arguments.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("run_id", metavar="RUN_ID", help="id of a run, or of a sweep for its best job")
    shared.add_argument("--log", type=Path, help="correction log; default: corrections/<data set>.csv")
    making = commands.add_parser("template", parents=[shared], help="write a table to edit")
    making.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path(template.NAME))
    making.set_defaults(work=make_template)
    paging = commands.add_parser("page", parents=[shared], help="write a page to edit in a browser")
    paging.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("labels.html"))
    paging.add_argument("--names", action="store_true", help="show names instead of images")
    paging.set_defaults(work=make_page)
    applying = commands.add_parser("apply", parents=[shared], help="apply an edited table")
    applying.add_argument("file", metavar="FILE", type=Path)
    applying.add_argument(
        "--who", default=user(), help="name of the person who decided; default: %(default)s"
    )
    applying.add_argument("--accept-new", action="store_true", help="accept labels that look mistyped")
    applying.add_argument(
        "--accept-old",
        action="store_true",
        help="accept labels that were corrected since the table was written",
    )
    applying.set_defaults(work=apply_file)
    return arguments


def correct(args: argparse.Namespace) -> int:
    """Run the command."""
    uri, ctx, args.data_paths = script.connect(args.settings)
    args.work(args, ClusteredSamples.of(uri, args.run_id), ctx)
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), correct, valued=("--log", "--who"))


if __name__ == "__main__":
    sys.exit(main())
