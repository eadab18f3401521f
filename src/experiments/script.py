"""How a program of scripts/ reads its command line, connects to MLflow, and ends with an exit code."""

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
from experiments.job import console, context, program
from experiments.job.perform import EXPECTED
from experiments.recorded.samples import split_data_paths

INTERRUPTED = 130
SETTING = re.compile(r"[+~]*[a-z_][\w./@]*=|~[a-z_]")  # how one begins
FILES = (".csv", ".tsv", ".parquet", ".pq", ".html", ".htm")  # what ends so, and has no dotted key, is a file


class Connection(NamedTuple):
    """Where a recorded run is, and what it takes to work on its data.

    Parameters
    ----------
    places
        Settings that say where the run's data is now, by key.
    """

    uri: str
    ctx: Context
    places: dict[str, Any]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser that shows a program's docstring as its help."""
    return argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Settings are key=value, anywhere on the line, such as tracking.uri=http://localhost:5000",
    )


def run(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    *,
    valued: Sequence[str] = (),
    failed: int = 1,
) -> int:
    """Parse the command line, work, and return the exit code; an error is one line.

    Parameters
    ----------
    work
        Called with the arguments; those of the form key=value are its `settings`.
    valued
        Options whose value may look like a setting, such as `--log`.
    failed
        The exit code of an error.
    """

    def main() -> int:
        words, settings = separated(sys.argv[1:], valued)
        args, unknown = _parsed(parser, words, argparse.Namespace(settings=settings))
        logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[console.Handler()])
        try:
            if unknown:
                raise ValueError(f"{unknown[0]} is no setting and no option; use key=value, or see --help")
            return work(args)
        except EXPECTED as error:
            console.complain(str(error))
            return failed
        except KeyboardInterrupt:
            console.complain("interrupted")
            return INTERRUPTED

    return program.run(main)


def separated(words: Sequence[str], valued: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Return the words of a command line, and the settings among them.

    A file may be called like a setting without a dot if it exists or ends as a table or a page does; any
    other is typed as ./key=value.
    """
    rest: list[str] = []
    settings: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        is_value = len(before) > len("--") and any(option.startswith(before) for option in valued)
        is_file = os.path.exists(word) or ("." not in word.partition("=")[0] and word.lower().endswith(FILES))
        found = SETTING.match(word) and not is_file and not is_value
        (settings if found else rest).append(word)
    return rest, settings


def _parsed(
    parser: argparse.ArgumentParser, words: Sequence[str], given: argparse.Namespace
) -> tuple[argparse.Namespace, list[str]]:
    try:
        return parser.parse_known_intermixed_args(words, given)
    except TypeError:  # it has commands, which argparse cannot intermix
        return parser.parse_known_args(words, given)


def plan(settings: Sequence[str]) -> Plan:
    """Return the run that these settings describe, of which programs use the stores and the device."""
    return build(compose.compose_config(settings), settings)


def connect(settings: Sequence[str]) -> Connection:
    """Return where recorded runs are; raise ValueError for a setting that would make it another run."""
    places, others = split_data_paths(settings)
    made = plan(others)
    return Connection(made.tracking.uri, context.make(made, console.Report(lambda step, row: None)), places)
