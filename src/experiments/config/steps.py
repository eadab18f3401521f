"""Steps of a chain of reducers: `reducer.steps=[l2,pca] reducer.pca.n_components=64`.

The list has names of options in conf/reducer or --config-dir; a step's settings are next to the list.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import OverrideType
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from experiments.config.overrides import parse
from experiments.config.text_fields import schema

GROUP = "reducer"
KEY = f"{GROUP}.steps"
CHAIN = f"{GROUP}=chain"  # the option that reducer.steps=[...] implies
STEPS = "steps"  # dataclass field metadata {"steps": "reducer"}: pairs of an option's name and its stage


def expand(words: Sequence[str]) -> list[str]:
    """Return overrides for Hydra: `reducer.steps` adds `reducer=chain`, settings of steps get `++`.

    Raises
    ------
    ValueError
        `reducer.steps` is not a list of names.
    """
    overrides = parse(words)
    keys = {override.key_or_group for override in overrides}
    chain = [CHAIN] if KEY in keys and GROUP not in keys else []
    return chain + [_expand(override) for override in overrides]


def _expand(override: Any) -> str:
    word, key = str(override.input_line), str(override.key_or_group)
    group, _, rest = key.partition(".")
    if group != GROUP:
        return word
    if rest.startswith("steps."):
        name = rest.split(".")[1]
        setting = rest.removeprefix("steps.") if rest.count(".") > 1 else f"{name}.<setting>"
        raise ValueError(
            f"{word}: {KEY} is a list of names; type '{KEY}=[...]' with or without {name}, "
            f"and settings as {GROUP}.{setting}=..."
        )
    if key == KEY and not override.is_sweep_override():
        _check(override.value())
    is_setting = "." in rest and override.type == OverrideType.CHANGE
    return f"++{word}" if is_setting else word


def names(node: Any, stage: Any) -> list[str] | None:
    """Return the names of the steps in a stage's config; None for a stage without steps."""
    field = _field(stage)
    if field is None:
        return None
    value: Any = node.get(field)
    value = OmegaConf.to_container(value) if isinstance(value, (ListConfig, DictConfig)) else value
    _check(value)
    return list(value)


def add_option_settings(cfg: DictConfig, runtime: Any) -> None:
    """Add the settings of each step's option file to a chain; settings of presets and commands override them.

    Parameters
    ----------
    cfg
        A composed config, changed in place.
    runtime
        hydra.runtime of the config: its search path.

    Raises
    ------
    ValueError
        A step's name is not an option.
    """
    node = cfg.get(GROUP)
    steps = names(node, schema(GROUP, cfg)) if isinstance(node, DictConfig) else None
    if not steps:
        return
    folders = [Path(source.path) / GROUP for source in runtime.config_sources if source.schema == "file"]
    paths = {path.stem: path for folder in reversed(folders) for path in folder.glob("[!_]*.yaml")}
    options = {name: _option(path) for name, path in paths.items()}
    known = [name for name, option in options.items() if option.get("_target_") != node.get("_target_")]
    for name in dict.fromkeys(steps):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(
                f"{KEY}=[{','.join(steps)}]: {name} is not an option of a step; use "
                f"{', '.join(sorted(known))}{hint}"
            )
        with open_dict(cfg):
            node[name] = OmegaConf.merge(options[name], node.get(name) or {})


def remove_unused_settings(cfgs: Sequence[DictConfig], swept: Sequence[str]) -> None:
    """Remove typed settings of a step from jobs without the step, if another job has the step.

    Parameters
    ----------
    cfgs
        The configs of all jobs, or of one job of a checked sweep; changed in place.
    swept
        The keys whose values differ between the jobs.

    Raises
    ------
    ValueError
        A setting of the step is swept, so jobs without the step would be equal.
    """
    if not {KEY, GROUP} & set(swept):
        return
    chains = [(cfg, names(cfg[GROUP], schema(GROUP, cfg)) or []) for cfg in cfgs]
    everywhere = {name for _, chain in chains for name in chain}
    for cfg, chain in chains:
        for name in _names_with_settings(cfg) - set(chain):
            key = next((key for key in swept if key.startswith(f"{GROUP}.{name}.")), "")
            if key and name in everywhere:
                raise ValueError(
                    f"{key} is swept, but chains without {name} ignore it and would repeat the same job; "
                    f"sweep the chains with {name} in a separate command"
                )
            if len(cfgs) == 1 or name in everywhere:
                with open_dict(cfg):
                    del cfg[GROUP][name]


def _names_with_settings(cfg: DictConfig) -> set[str]:
    """Return the names of steps that have settings next to the fields of the reducer."""
    stage = schema(GROUP, cfg)
    field_names = {f.name for f in fields(stage)} if stage else set()
    return {str(name) for name in cfg[GROUP] if isinstance(cfg[GROUP][name], DictConfig)} - field_names


def gather_settings(stage: type, values: Mapping[str, Any], parent: str) -> Mapping[str, Any]:
    """Return the settings of a stage, with the settings of each step moved into the list of steps.

    Raises
    ------
    ValueError
        A setting belongs to a step that is not in the list.
    """
    field_names = [f.name for f in fields(stage)]
    nested = {
        key: value for key, value in values.items() if key not in field_names and isinstance(value, dict)
    }
    steps = names(values, stage)
    unused = next((key for key in nested if key not in (steps or ())), None)
    if parent == GROUP and unused and nested[unused]:
        setting, value = next(iter(nested[unused].items()))
        typed = f"{parent}.{unused}.{setting}={value}"
        if steps is None:
            raise ValueError(
                f"{typed} is for a step, but {stage.__name__} has no steps; use {parent}.{setting}={value}, "
                f"or add '{KEY}=[{unused}]' for a chain"
            )
        raise ValueError(
            f"{typed} is for a step that is not in {KEY}=[{','.join(steps)}]; add {unused} to the list, or "
            f"remove {parent}.{unused}"
        )
    if steps is None:
        return values
    rest = {key: value for key, value in values.items() if key not in steps}
    return rest | {str(_field(stage)): [[name, nested.get(name)] for name in steps]}


def _field(stage: Any) -> str | None:
    return next((f.name for f in fields(stage) if STEPS in f.metadata), None) if stage else None


def _option(path: Path) -> Any:
    """Return the settings in an option's file and in the files that it includes."""
    node: Any = OmegaConf.load(path)
    included: Iterable[Any] = node.pop("defaults", [])
    parts = [_option(path.with_name(f"{part}.yaml")) for part in included if part != "_self_"]
    return OmegaConf.merge(*parts, node)


def _check(value: Any) -> None:
    """Raise ValueError unless `reducer.steps` is a list of names."""
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return
    named = list(value) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    example = f"[{','.join(map(str, named))}]" if named and value else "[l2,pca]"
    raise ValueError(
        f"{KEY}={value} is not a list of reducers; use '{KEY}={example}', with settings of a step such as "
        f"{GROUP}.pca.n_components=64; for no steps, {GROUP}=identity"
    )
