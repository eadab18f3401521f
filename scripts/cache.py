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

from experiments import script
from experiments.job import console
from experiments.messages import counted
from experiments.store.cache import Entry, Store

GB = 1e9
DAY = 86_400


def show(_args: argparse.Namespace, store: Store) -> None:
    """Print what is kept, largest first."""
    entries, now = store.entries(), time.time()
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


def prune(args: argparse.Namespace, store: Store) -> None:
    """Remove what no process is at work on; say how much went."""
    doomed = chosen(store.entries(), args.days, args.keep)
    unfinished = [*store.root.glob(".work/*"), *store.root.glob(".partial/*")] if args.all else []
    keys = [*(entry.key for entry in doomed), *(path.name.partition("@")[0] for path in unfinished)]
    left = {key for key in keys if not store.remove(key)}
    gone = [entry for entry in doomed if entry.key not in left]
    console.say(f"removed {counted(len(gone), 'value')}, {sum(entry.size for entry in gone) / GB:.2f} GB")
    if left:
        console.say(f"left {len(left)} that a process is at work on")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = script.parser(__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="show what is cached")
    listing.set_defaults(work=show)
    pruning = commands.add_parser("prune", help="make room")
    which = pruning.add_mutually_exclusive_group(required=True)
    which.add_argument("--days", type=float, help="remove what nobody used for so many days")
    which.add_argument("--keep", type=float, help="remove the least used beyond so many GB")
    which.add_argument("--all", action="store_true", help="remove everything")
    pruning.set_defaults(work=prune)
    return made


def work(args: argparse.Namespace) -> int:
    """Do what the command says."""
    args.work(args, Store(Path(script.plan(args.settings).cache.root)))
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), work)


if __name__ == "__main__":
    sys.exit(main())
