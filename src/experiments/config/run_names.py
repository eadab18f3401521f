"""Names of runs: the typed settings with the shortest unambiguous keys."""

from collections.abc import Sequence
from dataclasses import fields

from experiments.config.compose import STORAGE_AND_HYDRA
from experiments.config.overrides import key_of, parse
from experiments.config.plan import Settings
from experiments.config.stage import GROUPS

LAST_KEYS = ("dataset", "dataset.root", "dataset.path")
TOP = (*GROUPS, "evaluator", *(f.name for f in fields(Settings)))  # top-level keys


def run_name(overrides: Sequence[str]) -> str:
    """Return a run's name: typed settings, except those of cache, tracking and Hydra; paths are shortened.

    The data set comes last, because tables of runs truncate long names and mostly show one data set.
    """
    typed = [override for override in overrides if not key_of(override).startswith(STORAGE_AND_HYDRA)]
    typed.sort(key=lambda override: key_of(override) in LAST_KEYS)
    short = short_keys([key_of(override) for override in typed])
    words = []
    for override in typed:
        key, sign, value = override.partition("=")
        if value.startswith(("'", '"')) and not (parsed := parse([override])[0]).is_sweep_override():
            value = str(parsed.value())
        prefix = "~" if key.startswith("~") else ""
        words.append(f"{prefix}{short[key_of(override)]}{sign}{value.rstrip('/').rpartition('/')[2]}")
    return " ".join(words) or "run"


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Return each key's shortest unambiguous end, such as `k` of `cluster.k`."""
    return {key: _short(key, [other for other in keys if other != key]) for key in keys}


def _short(key: str, others: Sequence[str]) -> str:
    parts = key.split(".")
    for count in range(1, len(parts)):
        end = ".".join(parts[-count:])
        if end not in TOP and not any(other == end or other.endswith(f".{end}") for other in others):
            return end
    return key
