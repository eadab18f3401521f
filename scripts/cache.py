"""Show, explain or prune the cache of finished work.

python scripts/cache.py list                  each value, and sums by what made it and by data set
python scripts/cache.py explain KEY           what a key was made of; its first characters will do
python scripts/cache.py prune --days 30       what nobody used for 30 days
python scripts/cache.py prune --keep 5        the least recently used, until 5 GB are left
python scripts/cache.py prune --all           everything, and what interrupted processes left unfinished
python scripts/cache.py list cache.root=<folder>
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import script
from experiments.job import console
from experiments.messages import counted
from experiments.store.cache import Store
from experiments.store.entries import Entry, entries, entry

GB = 1e9
DAY = 86_400


def show(_args: argparse.Namespace, store: Store) -> None:
    """Print what is cached, largest first, and how much each stage takes for each data set."""
    found = entries(store.root)
    console.table("cached", ["key", "size", "unused for"], [[e.key, *measured([e])] for e in found])
    groups: dict[tuple[str, str], list[Entry]] = {}
    for each in found:
        groups.setdefault((each.name, each.dataset), []).append(each)
    largest = sorted(groups.items(), key=lambda group: -sum(each.size for each in group[1]))
    rows = [[name, data, str(len(group)), *measured(group)] for (name, data), group in largest]
    console.table("by stage and data set", ["made by", "data set", "values", "size", "unused for"], rows)
    console.print_line(f"{counted(len(found), 'value')}, {sum(each.size for each in found) / GB:.2f} GB")


def measured(found: Sequence[Entry]) -> list[str]:
    """Return the size of some values, and how long none of them was used."""
    unused = time.time() - max(each.used for each in found)
    return [f"{sum(each.size for each in found) / 1e6:,.1f} MB", f"{unused / DAY:.1f} days"]


def explain(args: argparse.Namespace, store: Store) -> None:
    """Print what a key was made of, and which of its inputs are cached."""
    found = entry(store.root, args.key)
    if found.made_of is None:
        console.print_line(
            f"{found.key} says nothing of what it was made of: an older commit cached it, or its name says "
            f"it all; scripts/cache.py prune --all and a new run explain it"
        )
        return
    console.print_line(f"{found.key}{f', computed for {found.dataset}' if found.dataset else ''}")
    console.print_line(json.dumps(in_lines(found.made_of), indent=2, ensure_ascii=False))
    for key in found.inputs():
        told = f"cached: scripts/cache.py explain {key}" if store.holds(key) else "not cached any more"
        console.print_line(f"input {key}: {told}")


def in_lines(value: Any) -> Any:
    """Return JSON values with each list of names in one line."""
    if isinstance(value, dict):
        return {name: in_lines(inner) for name, inner in value.items()}
    is_names = isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    return ", ".join(value) if is_names else value


def chosen(found: Sequence[Entry], days: float | None, keep: float | None) -> list[Entry]:
    """Return what to remove: the unused for `days`, or the least recently used beyond `keep` GB."""
    if days is not None:
        return [each for each in found if time.time() - each.used > days * DAY]
    if keep is None:
        return list(found)
    doomed, left = [], sum(each.size for each in found)
    for each in sorted(found, key=lambda each: each.used):
        if left > keep * GB:
            doomed.append(each)
            left -= each.size
    return doomed


def prune(args: argparse.Namespace, store: Store) -> None:
    """Remove what no process is at work on; say how much went."""
    doomed = chosen(entries(store.root), args.days, args.keep)
    unfinished = [*store.root.glob(".work/*"), *store.root.glob(".partial/*")] if args.all else []
    keys = [*(each.key for each in doomed), *(path.name.partition("@")[0] for path in unfinished)]
    left = {key for key in keys if not store.remove(key)}
    gone = [each for each in doomed if each.key not in left]
    console.print_line(
        f"removed {counted(len(gone), 'value')}, {sum(each.size for each in gone) / GB:.2f} GB"
    )
    if left:
        console.print_line(f"left {len(left)} that a process is at work on")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = script.parser(__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="show what is cached")
    listing.set_defaults(work=show)
    explaining = commands.add_parser("explain", help="show what a key was made of")
    explaining.add_argument("key", metavar="KEY", help="of a value, or its first characters")
    explaining.set_defaults(work=explain)
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
