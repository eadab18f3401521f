"""Show or prune the store of finished work.

python scripts/cache.py list
python scripts/cache.py prune --days 30       what nobody used for 30 days
python scripts/cache.py prune --keep 5        the least recently used, until 5 GB are left
python scripts/cache.py prune --all           everything, and what interrupted processes left unfinished
python scripts/cache.py list cache.root=<folder>
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.config import compose
from experiments.config.build import build
from experiments.job import console, program
from experiments.messages import counted
from experiments.store.cache import Entry, Store

GB = 1e9
DAY = 86_400


def show(entries: Sequence[Entry]) -> None:
    """Print what is kept, largest first."""
    now = time.time()
    rows = [[e.key, f"{e.size / 1e6:,.1f} MB", f"{(now - e.used) / DAY:.1f} days"] for e in entries]
    console.table("kept", ["key", "size", "unused for"], rows)
    console.say(f"{counted(len(entries), 'value')}, {sum(entry.size for entry in entries) / GB:.2f} GB")


def chosen(entries: Sequence[Entry], days: float | None, keep: float | None) -> list[Entry]:
    """Return what to remove: the unused for `days`, or the least recently used beyond `keep` GB."""
    if days is not None:
        return [entry for entry in entries if time.time() - entry.used > days * DAY]
    if keep is None:
        return list(entries)
    doomed, left = [], sum(entry.size for entry in entries)
    for entry in sorted(entries, key=lambda entry: entry.used):
        if left > keep * GB:
            doomed.append(entry)
            left -= entry.size
    return doomed


def prune(store: Store, doomed: Sequence[Entry], *, everything: bool) -> None:
    """Remove what no process is at work on; say how much went."""
    unfinished = [*store.root.glob(".work/*"), *store.root.glob(".partial/*")] if everything else []
    keys = [*(entry.key for entry in doomed), *(path.name.partition("@")[0] for path in unfinished)]
    left = {key for key in keys if not store.remove(key)}
    gone = [entry for entry in doomed if entry.key not in left]
    console.say(f"removed {counted(len(gone), 'value')}, {sum(entry.size for entry in gone) / GB:.2f} GB")
    if left:
        console.say(f"left {len(left)} that a process is at work on")


def main() -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="show what is kept")
    pruning = commands.add_parser("prune", help="make room")
    for command in (listing, pruning):
        command.add_argument(
            "settings", metavar="key=value", nargs="*", default=[], help="such as cache.root"
        )
    which = pruning.add_mutually_exclusive_group(required=True)
    which.add_argument("--days", type=float, help="remove what nobody used for so many days")
    which.add_argument("--keep", type=float, help="remove the least used beyond so many GB")
    which.add_argument("--all", action="store_true", help="remove everything")
    args = parser.parse_args()
    try:
        plan = build(compose.compose_config(args.settings), args.settings)
    except ValueError as error:
        console.complain(str(error))
        return 1
    store = Store(Path(plan.cache.root))
    entries = store.entries()
    if args.command == "list":
        show(entries)
    else:
        prune(store, chosen(entries, args.days, args.keep), everything=args.all)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main))
