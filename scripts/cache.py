"""List, explain or prune the cache.

python scripts/cache.py list                  all values, and totals by stage and data set
python scripts/cache.py explain KEY           the parts of the cache key that begins with KEY
python scripts/cache.py prune --days 30       remove values that were not used for 30 days
python scripts/cache.py prune --keep 5        remove the least recently used values beyond 5 GB
python scripts/cache.py prune --all           remove all values, and unfinished ones of interrupted processes
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
    """Print the cached values, largest first, and the size of each stage's values for each data set."""
    values = entries(store.root)
    console.table("cached", ["key", "size", "unused for"], [[v.key, *size_and_age([v])] for v in values])
    groups: dict[tuple[str, str], list[Entry]] = {}
    for value in values:
        groups.setdefault((value.name, value.dataset), []).append(value)
    largest = sorted(groups.items(), key=lambda group: -total_size(group[1]))
    rows = [[name, data, str(len(group)), *size_and_age(group)] for (name, data), group in largest]
    console.table("by stage and data set", ["stage", "data set", "values", "size", "unused for"], rows)
    console.print_line(f"{counted(len(values), 'value')}, {total_size(values) / GB:.2f} GB")


def total_size(values: Sequence[Entry]) -> int:
    """Return the total size of values in bytes."""
    return sum(value.size for value in values)


def size_and_age(values: Sequence[Entry]) -> list[str]:
    """Return the total size of values, and the days since the last use."""
    unused = time.time() - max(value.used for value in values)
    return [f"{total_size(values) / 1e6:,.1f} MB", f"{unused / DAY:.1f} days"]


def explain(args: argparse.Namespace, store: Store) -> None:
    """Print the parts of a key, and which of its inputs are cached."""
    value = entry(store.root, args.key)
    if value.made_of is None:
        console.print_line(
            f"{value.key} has no record of its parts: an older commit cached it, or its name is the key's "
            f"only part; to record them, use scripts/cache.py prune --all and run again"
        )
        return
    console.print_line(f"{value.key}{f', computed for {value.dataset}' if value.dataset else ''}")
    console.print_line(json.dumps(join_names(value.made_of), indent=2, ensure_ascii=False))
    for key in value.inputs():
        state = f"cached: scripts/cache.py explain {key}" if store.holds(key) else "no longer cached"
        console.print_line(f"input {key}: {state}")


def join_names(value: Any) -> Any:
    """Join each list of names in JSON values to one text."""
    if isinstance(value, dict):
        return {name: join_names(inner) for name, inner in value.items()}
    is_names = isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    return ", ".join(value) if is_names else value


def select(values: Sequence[Entry], days: float | None, keep: float | None) -> list[Entry]:
    """Return the values to remove: unused for `days`, or the least recently used beyond `keep` GB."""
    if days is not None:
        return [value for value in values if time.time() - value.used > days * DAY]
    if keep is None:
        return list(values)
    selected, size = [], total_size(values)
    for value in sorted(values, key=lambda value: value.used):
        if size > keep * GB:
            selected.append(value)
            size -= value.size
    return selected


def prune(args: argparse.Namespace, store: Store) -> None:
    """Remove values that no process uses, and print their number and size."""
    selected = select(entries(store.root), args.days, args.keep)
    unfinished = [*store.root.glob(".work/*"), *store.root.glob(".partial/*")] if args.all else []
    keys = [*(value.key for value in selected), *(path.name.partition("@")[0] for path in unfinished)]
    in_use = {key for key in keys if not store.remove(key)}
    removed = [value for value in selected if value.key not in in_use]
    console.print_line(f"removed {counted(len(removed), 'value')}, {total_size(removed) / GB:.2f} GB")
    if in_use:
        console.print_line(f"skipped {counted(len(in_use), 'value')} in use by a process")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    commands = arguments.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="list the cached values")
    listing.set_defaults(work=show)
    explaining = commands.add_parser("explain", help="show the parts of a key")
    explaining.add_argument("key", metavar="KEY", help="a value's key, or its first characters")
    explaining.set_defaults(work=explain)
    pruning = commands.add_parser("prune", help="remove values")
    which = pruning.add_mutually_exclusive_group(required=True)
    which.add_argument("--days", type=float, help="remove values that were not used for this many days")
    which.add_argument("--keep", type=float, help="remove the least recently used values beyond this many GB")
    which.add_argument("--all", action="store_true", help="remove all values")
    pruning.set_defaults(work=prune)
    return arguments


def work(args: argparse.Namespace) -> int:
    """Run the command."""
    args.work(args, Store(Path(script.plan(args.settings).cache.root)))
    return 0


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), work)


if __name__ == "__main__":
    sys.exit(main())
