"""What a mistyped override is answered with: the setting or option that was meant."""

import bisect
import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf

from experiments.config.overrides import key_of, parse
from experiments.messages import setting

PLUGINS = {  # options of Hydra's own groups, and what to install for them
    "submitit_local": "hydra-submitit-launcher",
    "submitit_slurm": "hydra-submitit-launcher",
    "ray": "hydra-ray-launcher",
    "optuna": "hydra-optuna-sweeper",
}
Elsewhere = Mapping[str, Sequence[str]]  # every key of conf/, and the options that have it
Compose = Callable[[Sequence[str]], DictConfig]  # raises what Hydra raises


class SettingError(ValueError):
    """A setting that no stage has, or that a stage lacks.

    Parameters
    ----------
    key
        The setting.
    fact
        What is wrong.
    instead
        What to type instead of a composed setting; a recorded config has other remedies.
    """

    def __init__(self, key: str, fact: str, instead: str) -> None:
        super().__init__(f"{fact}; {instead}" if instead else fact)
        self.key = key
        self.fact = fact


def known_keys(folder: Path, groups: Sequence[str]) -> dict[str, list[str]]:
    """Return every key that options of the groups have, and these: {"cluster.eps": ["cluster=dbscan"]}."""
    known: dict[str, list[str]] = {}
    for group in groups:
        for path in sorted((folder / group).glob("[!_]*.yaml")):
            is_list = group == "evaluator"
            option = f"{group}=[{path.stem}]" if is_list else f"{group}={path.stem}"
            place = f"{group}.{path.stem}" if is_list else group
            for name in _names(path):
                known.setdefault(f"{place}.{name}", []).append(option)
    known["hydra.launcher.n_jobs"] = ["hydra/launcher=joblib"]
    return known


def _names(path: Path) -> list[str]:
    """Return the settings in an option's file, and in those that it includes."""
    node: Any = OmegaConf.load(path)
    included = [name for name in node.get("defaults", []) if isinstance(name, str) and name != "_self_"]
    names = [str(name) for name in node if name not in ("defaults", "_target_")]
    parts = [path.with_name(f"{part}.yaml") for part in included]
    return list(dict.fromkeys([*names, *(name for part in parts for name in _names(part))]))


def no_such_key(key: str, option: str, names: Sequence[str], elsewhere: Elsewhere) -> str:
    """Return which settings there are, and which one was meant, after the key as typed."""
    return f"{key}: {_settings(key, option, names, elsewhere)}"


def _settings(key: str, option: str, names: Sequence[str], elsewhere: Elsewhere) -> str:
    name, hint = key.rpartition(".")[2], _meant(key, names, elsewhere)
    return f"{option} has no setting {name}; its settings are {', '.join(names) or 'none'}{hint}"


def _meant(key: str, names: Sequence[str], elsewhere: Elsewhere) -> str:
    """Return the keys that end as the one typed, else those that are spelt alike."""
    if key in elsewhere:
        return f"; {' or '.join(elsewhere[key])} has it"
    part, _, name = key.rpartition(".")
    same = [known for known in elsewhere if known.rpartition(".")[2] == name]
    close = [f"{part}.{near}" if part else near for near in difflib.get_close_matches(name, names, n=1)]
    if not same and not close:
        ends = {known.rpartition(".")[2] for known in elsewhere}
        alike = difflib.get_close_matches(name, ends, n=1, cutoff=0.8)
        same = [known for known in elsewhere if known.rpartition(".")[2] in alike]
    options = {known: ", ".join(elsewhere[known]) for known in same}
    meant = [f"{known} (of {of})" if of else known for known, of in options.items()] or close
    return f"; did you mean {' or '.join(meant)}?" if meant else ""


def no_such_option(
    error: MissingConfigException, overrides: Sequence[str], options: Callable[[str], list[str]]
) -> str:
    """Return which options a group has, and which one was meant."""
    group, _, name = str(error.missing_cfg_file or "").rpartition("/")
    typed = next((o for o in overrides if key_of(o).partition("@")[0] == group), f"{group}={name}")
    valid = [option for option in error.options or options(group) if not option.startswith("_")]
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    hint = f"; pip install {PLUGINS[name]} brings it" if name in PLUGINS else hint
    return f"{typed} is not an option; {group} has {', '.join(valid) or 'none'}{hint}"


def explain(error: Exception, overrides: Sequence[str], compose: Compose, elsewhere: Elsewhere) -> str:
    """Return which override the config cannot take, and what to type instead.

    Parameters
    ----------
    compose
        Composes some of the overrides, Hydra's own part included.
    elsewhere
        Every key of conf/, and the options that have it.
    """
    words = sorted(overrides, key=lambda word: "." in key_of(word) or word.startswith("~"))  # choices first
    reasons: dict[int, Exception] = {}

    def fails(count: int) -> bool:
        try:
            compose(words[:count])
        except Exception as why:  # whatever Hydra raises
            reasons[count] = why
        return count in reasons

    count = bisect.bisect_left(range(len(words) + 1), True, lo=1, key=fails)
    if count not in reasons:
        return _first_line(error)
    override = words[count - 1]
    return f"{override}: {_instead(override, reasons[count], compose(words[: count - 1]), elsewhere)}"


def _instead(override: str, error: Exception, base: DictConfig, elsewhere: Elsewhere) -> str:
    """Return why one override cannot be taken, and what to type instead."""
    (parsed,) = parse([override])
    key, value = parsed.key_or_group, override.partition("=")[2]
    choices = OmegaConf.select(base, "hydra.runtime.choices")
    is_group = key in choices or isinstance(base.get(key), DictConfig)
    if parsed.package is not None:
        return f"an option stands where its group does; type {setting(key, value)}, without @{parsed.package}"
    if key.startswith("hydra.sweeper.params"):
        return "only a preset's list can be changed so; type the values themselves, as in -m cluster.k=3,4"
    node: Any = OmegaConf.select(base, key)
    if parsed.is_delete():
        return _no_deletion(parsed, node, base, elsewhere)
    if override.startswith("+") and (node is not None or key in choices):
        return f"{key} is there already; type {override.lstrip('+')}"
    if is_group and not key.startswith("hydra"):
        return f"{key} takes the name of an option, and is left out for the usual one"
    if node is None and _is_missing(base, key):
        return _no_place(key, base, elsewhere)
    return _first_line(error.__cause__ or error)


def _no_deletion(parsed: Override, node: Any, base: DictConfig, elsewhere: Elsewhere) -> str:
    key = parsed.key_or_group
    chosen = base.hydra.runtime.choices.get(key)
    if chosen:
        return f"a run needs one, and it is {chosen}; type {key}=... for another"
    if isinstance(node, DictConfig):
        one = next(map(str, node), "")
        return f"{key} cannot be removed so; type {key}=[...] with those that you want, or ~{key}.{one}"
    return _no_place(key, base, elsewhere) if _is_missing(base, key) else f"it is {node!r}; type ~{key}"


def _is_missing(base: DictConfig, key: str) -> bool:
    nothing = object()
    return OmegaConf.select(base, key, default=nothing) is nothing


def _keys(node: DictConfig, prefix: str = "") -> list[str]:
    """Return the keys of all settings in a config, those of Hydra left out."""
    keys: list[str] = []
    for name in map(str, node):
        value = None if OmegaConf.is_missing(node, name) or name == "hydra" else node._get_node(name)
        keys += _keys(value, f"{prefix}{name}.") if isinstance(value, DictConfig) else [f"{prefix}{name}"]
    return keys


def _no_place(key: str, base: DictConfig, elsewhere: Elsewhere) -> str:
    """Return what the config has where a key was looked for in vain."""
    place = key.rpartition(".")[0]
    node = OmegaConf.select(base, place) if place else base
    others = {known: of for known, of in elsewhere.items() if _is_missing(base, known)}
    elsewhere = dict.fromkeys(_keys(base), ()) | others
    if not isinstance(node, DictConfig):
        names = [str(name) for name in base if name != "hydra"]
        hint = _meant(place, names, {}) or _meant(key, [], elsewhere)
        return f"the config has no {place}; its settings are {', '.join(names)}{hint}"
    names = [str(name) for name in node if name not in ("_target_", "hydra")]
    target = str(node.get("_target_", "the config")).rpartition(".")[2] if place else "the config"
    return _settings(key, target, names, elsewhere)


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
