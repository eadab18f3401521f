"""What runs are called: by what was typed for them, with the shortest keys that tell settings apart."""

from collections.abc import Sequence
from dataclasses import fields

from experiments.config.compose import PLACES
from experiments.config.overrides import key_of, parse
from experiments.config.plan import Settings
from experiments.config.stage import GROUPS

DATA = ("dataset", "dataset.root", "dataset.path")
TOP = (*GROUPS, "evaluator", *(f.name for f in fields(Settings)))  # keys that have no longer form


def run_name(overrides: Sequence[str]) -> str:
    """Name a run by what was typed for it, paths by their last part; where it is kept is left out.

    Which data it is stands last: pages show how a name begins, and runs of one data set side by side.
    """
    typed = [override for override in overrides if not key_of(override).startswith(PLACES)]
    typed.sort(key=lambda override: key_of(override) in DATA)
    short = short_keys([key_of(override) for override in typed])
    named = []
    for override in typed:
        key, sign, value = override.partition("=")
        if value.startswith(("'", '"')) and not (parsed := parse([override])[0]).is_sweep_override():
            value = str(parsed.value())
        prefix = "~" if key.startswith("~") else ""
        named.append(f"{prefix}{short[key_of(override)]}{sign}{value.rstrip('/').rpartition('/')[2]}")
    return " ".join(named) or "run"


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Return as many last parts of each key as tell it from the others and from the run's own settings."""
    return {key: _short(key, [other for other in keys if other != key]) for key in keys}


def _short(key: str, others: Sequence[str]) -> str:
    parts = key.split(".")
    for count in range(1, len(parts)):
        end = ".".join(parts[-count:])
        if end not in TOP and not any(other == end or other.endswith(f".{end}") for other in others):
            return end
    return key
