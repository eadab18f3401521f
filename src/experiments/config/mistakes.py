"""Error messages for mistyped overrides, with the setting or option that was probably meant."""

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

PLUGINS = {  # packages of launchers and sweepers
    "submitit_local": "hydra-submitit-launcher",
    "submitit_slurm": "hydra-submitit-launcher",
    "ray": "hydra-ray-launcher",
    "optuna": "hydra-optuna-sweeper",
}
OptionsOfKeys = Mapping[str, Sequence[str]]  # the options of each key in conf/
Compose = Callable[[Sequence[str]], DictConfig]  # raises Hydra's exceptions


class SettingError(ValueError):
    """An unknown setting, or a missing one.

    Parameters
    ----------
    key
        The setting.
    fact
        The problem.
    instead
        What to type instead on a command line; for a recorded config, the caller gives other advice.
    """

    def __init__(self, key: str, fact: str, instead: str) -> None:
        super().__init__(f"{fact}; {instead}" if instead else fact)
        self.key = key
        self.fact = fact


def known_keys(folder: Path, groups: Sequence[str]) -> dict[str, list[str]]:
    """Return the options of each key in these groups: {"cluster.eps": ["cluster=dbscan"]}."""
    known: dict[str, list[str]] = {}
    for group in groups:
        for path in sorted((folder / group).glob("[!_]*.yaml")):
            is_list = group == "evaluator"
            option = f"{group}=[{path.stem}]" if is_list else f"{group}={path.stem}"
            prefix = f"{group}.{path.stem}" if is_list else group
            for name in _names(path):
                known.setdefault(f"{prefix}.{name}", []).append(option)
    known["hydra.launcher.n_jobs"] = ["hydra/launcher=joblib"]
    return known


def _names(path: Path) -> list[str]:
    """Return the names of the settings in an option's file and in the files that it includes."""
    node: Any = OmegaConf.load(path)
    included = [name for name in node.get("defaults", []) if isinstance(name, str) and name != "_self_"]
    names = [str(name) for name in node if name not in ("defaults", "_target_")]
    parts = [path.with_name(f"{part}.yaml") for part in included]
    return list(dict.fromkeys([*names, *(name for part in parts for name in _names(part))]))


def no_such_key(key: str, option: str, names: Sequence[str], options_of_keys: OptionsOfKeys) -> str:
    """Return a message with the typed key, the valid settings, and the one that was probably meant."""
    return f"{key}: {_valid_settings(key, option, names, options_of_keys)}"


def _valid_settings(key: str, option: str, names: Sequence[str], options_of_keys: OptionsOfKeys) -> str:
    name, hint = key.rpartition(".")[2], _did_you_mean(key, names, options_of_keys)
    return f"{option} has no setting {name}; its settings are {', '.join(names) or 'none'}{hint}"


def _did_you_mean(key: str, names: Sequence[str], options_of_keys: OptionsOfKeys) -> str:
    """Return a suggestion: keys with the same last part, else keys of similar spelling."""
    if key in options_of_keys:
        return f"; use {' or '.join(options_of_keys[key])} for {key}"
    part, _, name = key.rpartition(".")
    same = [known for known in options_of_keys if name in (known.rpartition(".")[2], known.replace(".", ""))]
    close = [f"{part}.{near}" if part else near for near in difflib.get_close_matches(name, names, n=1)]
    if not same and not close:
        ends = {known.rpartition(".")[2] for known in options_of_keys}
        alike = difflib.get_close_matches(name, ends, n=1, cutoff=0.8)
        same = [known for known in options_of_keys if known.rpartition(".")[2] in alike]
    options = {known: ", ".join(options_of_keys[known]) for known in same}
    meant = [f"{known} (of {names})" if names else known for known, names in options.items()] or close
    return f"; did you mean {' or '.join(meant)}?" if meant else ""


def no_such_option(
    error: MissingConfigException, overrides: Sequence[str], options: Callable[[str], list[str]]
) -> str:
    """Return a message with the options of a group, and the one that was probably meant."""
    group, _, name = str(error.missing_cfg_file or "").rpartition("/")
    typed = next((o for o in overrides if key_of(o).partition("@")[0] == group), f"{group}={name}")
    valid = [option for option in error.options or options(group) if not option.startswith("_")]
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.7)
    hint = f"; did you mean {close[0]}?" if close else "; one of your own needs --config-dir <folder>"
    hint = f"; to add it, pip install {PLUGINS[name]}" if name in PLUGINS else hint
    return f"{typed} is not an option; {group} has {', '.join(valid) or 'none'}{hint}"


def explain(
    error: Exception, overrides: Sequence[str], compose: Compose, options_of_keys: OptionsOfKeys
) -> str:
    """Return a message with the first override that Hydra rejects, and what to type instead.

    Parameters
    ----------
    compose
        Function that composes a config, Hydra's part included, from some of the overrides.
    options_of_keys
        The options of each key in conf/.
    """
    words = sorted(overrides, key=lambda word: "." in key_of(word) or word.startswith("~"))  # options first
    reasons: dict[int, Exception] = {}

    def fails(count: int) -> bool:
        try:
            compose(words[:count])
        except Exception as why:  # Hydra raises many types
            reasons[count] = why
        return count in reasons

    count = bisect.bisect_left(range(len(words) + 1), True, lo=1, key=fails)
    if count not in reasons:
        return _first_line(error)
    override = words[count - 1]
    return f"{override}: {_instead(override, reasons[count], compose(words[: count - 1]), options_of_keys)}"


def _instead(override: str, error: Exception, base: DictConfig, options_of_keys: OptionsOfKeys) -> str:
    """Return why Hydra rejects an override, and what to type instead."""
    (parsed,) = parse([override])
    key, value = parsed.key_or_group, override.partition("=")[2]
    choices = OmegaConf.select(base, "hydra.runtime.choices")
    is_group = key in choices or isinstance(base.get(key), DictConfig)
    if parsed.package is not None:
        typed = setting(key, value)
        return f"{key} has a fixed position in the config; type {typed}, without @{parsed.package}"
    if key.startswith("hydra.sweeper.params"):
        return (
            "this setting only changes the list of a preset; type the values instead, as in -m cluster.k=3,4"
        )
    node: Any = OmegaConf.select(base, key)
    if parsed.is_delete():
        return _deletion_error(parsed, node, base, options_of_keys)
    if override.startswith("+") and (node is not None or key in choices):
        return f"the config already has {key}; type {override.lstrip('+')}"
    if is_group and not key.startswith("hydra"):
        return f"{key} takes the name of an option; for the default option, leave {key} out"
    if key == "dataset.root" and _is_missing(base, key):
        typed = setting(key, str(parsed.value()))
        return (
            f"dataset={choices.get('dataset')} has no folder; for images without labels type "
            f"experiment=photos {typed}, and for class folders dataset=image_folder {typed}"
        )
    if node is None and _is_missing(base, key):
        return _unknown_key(key, base, options_of_keys)
    return _first_line(error.__cause__ or error)


def _deletion_error(parsed: Override, node: Any, base: DictConfig, options_of_keys: OptionsOfKeys) -> str:
    key = parsed.key_or_group
    option = base.hydra.runtime.choices.get(key)
    if option:
        return f"every run needs a {key}; type {key}=... to replace {option}"
    if isinstance(node, DictConfig):
        first = next(map(str, node), "")
        return f"{key} cannot be removed as a whole; type {key}=[...] with the rest, or ~{key}.{first}"
    if _is_missing(base, key):
        return _unknown_key(key, base, options_of_keys)
    return f"its value is {node!r}; type ~{key}"


def _is_missing(base: DictConfig, key: str) -> bool:
    missing = object()
    return OmegaConf.select(base, key, default=missing) is missing


def _keys(node: DictConfig, prefix: str = "") -> list[str]:
    """Return the keys of all settings in a config, without Hydra's."""
    keys: list[str] = []
    for name in map(str, node):
        value = None if OmegaConf.is_missing(node, name) or name == "hydra" else node._get_node(name)
        keys += _keys(value, f"{prefix}{name}.") if isinstance(value, DictConfig) else [f"{prefix}{name}"]
    return keys


def _unknown_key(key: str, base: DictConfig, options_of_keys: OptionsOfKeys) -> str:
    """Return the valid settings next to an unknown key, and the one that was probably meant."""
    parent = key.rpartition(".")[0]
    node = OmegaConf.select(base, parent) if parent else base
    others = {known: options for known, options in options_of_keys.items() if _is_missing(base, known)}
    options_of_keys = dict.fromkeys(_keys(base), ()) | others
    if not isinstance(node, DictConfig):
        names = [str(name) for name in base if name != "hydra"]
        hint = _did_you_mean(parent, names, {}) or _did_you_mean(key, [], options_of_keys)
        return f"the config has no {parent}; its settings are {', '.join(names)}{hint}"
    names = [str(name) for name in node if name not in ("_target_", "hydra")]
    target = str(node.get("_target_", "the config")).rpartition(".")[2] if parent else "the config"
    return _valid_settings(key, target, names, options_of_keys)


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
