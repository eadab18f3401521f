"""Command line, MLflow connection and exit code of the programs in scripts/."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from experiments.config import compose
from experiments.config.build import build
from experiments.config.plan import Plan
from experiments.context import Context
from experiments.job import console, context, interruption, program
from experiments.job.perform import EXPECTED
from experiments.recorded.samples import split_data_paths

SETTING = re.compile(r"[+~]*[a-z_][\w./@]*=|~[a-z_]")  # the beginning of a setting
FILES = (
    ".csv",
    ".tsv",
    ".parquet",
    ".pq",
    ".html",
    ".htm",
)  # key=value with such a suffix, and no dot in the key, is a file


class Connection(NamedTuple):
    """A tracking store, with the context and settings for work on its runs' data.

    Parameters
    ----------
    data_paths
        Settings with the current paths of moved data, by key.
    """

    uri: str
    ctx: Context
    data_paths: dict[str, Any]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return an argument parser whose help is the program's docstring."""
    return argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Settings are key=value, at any position, such as tracking.uri=http://localhost:5000",
    )


def run(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    *,
    valued: Sequence[str] = (),
    failed: int = 1,
) -> int:
    """Parse the command line, call `work`, and return the exit code; errors are printed as one line.

    Parameters
    ----------
    work
        Called with the parsed arguments; its `settings` are the words of the form key=value.
    valued
        Options whose values may look like a setting, such as `--log`.
    failed
        The exit code of an error.
    """

    def main() -> int:
        words, settings = separated(sys.argv[1:], valued)
        args, unknown = _parsed(parser, words, argparse.Namespace(settings=settings))
        logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[console.Handler()])
        with interruption.announced("interrupted"):
            try:
                if unknown:
                    raise ValueError(f"{unknown[0]} is not an option; use key=value, or see --help")
                return work(args)
            except EXPECTED as error:
                console.print_error(str(error))
                return failed
            except KeyboardInterrupt:
                console.print_error("interrupted")
                return interruption.EXIT_CODE

    return program.run(main)


def separated(words: Sequence[str], valued: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Return the arguments of a command line, and its settings.

    A word such as key=value.csv is a file if the file exists, or if it has the suffix of a table or page and
    no dot in its key. Other files with = in their names must be typed as ./key=value.
    """
    rest: list[str] = []
    settings: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        is_value = len(before) > len("--") and any(option.startswith(before) for option in valued)
        is_file = os.path.exists(word) or ("." not in word.partition("=")[0] and word.lower().endswith(FILES))
        is_setting = SETTING.match(word) and not is_file and not is_value
        (settings if is_setting else rest).append(word)
    return rest, settings


def _parsed(
    parser: argparse.ArgumentParser, words: Sequence[str], namespace: argparse.Namespace
) -> tuple[argparse.Namespace, list[str]]:
    try:
        return parser.parse_known_intermixed_args(words, namespace)
    except TypeError:  # argparse cannot intermix the arguments of subcommands
        return parser.parse_known_args(words, namespace)


def plan(settings: Sequence[str]) -> Plan:
    """Return the plan of these settings; programs use its cache, tracking store and device."""
    return build(compose.compose_config(settings), settings)


def connect(settings: Sequence[str]) -> Connection:
    """Return the tracking store and a context; raise ValueError for a setting that would change the run."""
    data_paths, others = split_data_paths(settings)
    checked = plan(others)
    ctx = context.make(checked, console.Report(lambda step, row: None))
    return Connection(checked.tracking.uri, ctx, data_paths)
