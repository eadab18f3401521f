"""Steps of a chain: `reducer.steps=[l2,pca] reducer.pca.n_components=64`.

The list names options of the group, in conf/ or --config-dir; the settings of each stand next to it.
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
CHAIN = f"{GROUP}=chain"  # the option that reducer.steps=[...] chooses where none is typed
STEPS = "steps"  # dataclass field metadata {"steps": "reducer"}: names of options, and what is built of them


def expanded(words: Sequence[str]) -> list[str]:
    """Return overrides as Hydra takes them: steps choose the chain, and settings of steps are added to it.

    Raises
    ------
    ValueError
        For steps that are no list of names.
    """
    overrides = parse(words)
    keys = {override.key_or_group for override in overrides}
    chain = [CHAIN] if KEY in keys and GROUP not in keys else []
    return chain + [_expanded(override) for override in overrides]


def _expanded(override: Any) -> str:
    word, key = str(override.input_line), str(override.key_or_group)
    group, _, rest = key.partition(".")
    if group != GROUP:
        return word
    if rest.startswith("steps."):
        name = rest.split(".")[1]
        setting = rest.removeprefix("steps.") if rest.count(".") > 1 else f"{name}.<setting>"
        raise ValueError(
            f"{word}: {KEY} is a list of names; type '{KEY}=[...]' with {name} at its place or without it, "
            f"and settings as {GROUP}.{setting}=..."
        )
    if key == KEY and not override.is_sweep_override():
        _check(override.value())
    is_setting = "." in rest and override.type == OverrideType.CHANGE
    return f"++{word}" if is_setting else word


def names(node: Any, stage: Any) -> list[str] | None:
    """Return the names of the steps in a stage's config; None if such a stage has no steps."""
    field = _field(stage)
    if field is None:
        return None
    value: Any = node.get(field)
    value = OmegaConf.to_container(value) if isinstance(value, (ListConfig, DictConfig)) else value
    _check(value)
    return list(value)


def fill(cfg: DictConfig, runtime: Any) -> None:
    """Give each step of a chain the settings of its option; those of a preset or typed ones go before.

    Parameters
    ----------
    cfg
        A composed config; it is changed.
    runtime
        Hydra's account of it: where configs were looked for.

    Raises
    ------
    ValueError
        For a name that is not an option.
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
                f"{KEY}=[{','.join(steps)}]: {name} is not an option for a step; use "
                f"{', '.join(sorted(known))}{hint}"
            )
        with open_dict(cfg):
            node[name] = OmegaConf.merge(options[name], node.get(name) or {})


def leave_out(cfgs: Sequence[DictConfig], swept: Sequence[str]) -> None:
    """Remove from each job of a sweep over chains what was typed for a step that other jobs alone have.

    Parameters
    ----------
    cfgs
        Of all jobs, which are changed; of one job alone, all were looked at before.
    swept
        The keys that the jobs differ in.

    Raises
    ------
    ValueError
        For a setting that is swept, and that some jobs lack: these would be the same job several times.
    """
    if not {KEY, GROUP} & set(swept):
        return
    chains = [(cfg, names(cfg[GROUP], schema(GROUP, cfg)) or []) for cfg in cfgs]
    everywhere = {name for _, chain in chains for name in chain}
    for cfg, chain in chains:
        for name in _apart(cfg) - set(chain):
            key = next((key for key in swept if key.startswith(f"{GROUP}.{name}.")), "")
            if key and name in everywhere:
                raise ValueError(
                    f"{key} is swept, and some jobs have no step {name}: they would all be the same; sweep "
                    f"the chains with {name} in a command of their own"
                )
            if len(cfgs) == 1 or name in everywhere:
                with open_dict(cfg):
                    del cfg[GROUP][name]


def _apart(cfg: DictConfig) -> set[str]:
    """Return the names under which a reducer has settings that are not its own fields."""
    stage = schema(GROUP, cfg)
    own = {f.name for f in fields(stage)} if stage else set()
    return {str(name) for name in cfg[GROUP] if isinstance(cfg[GROUP][name], DictConfig)} - own


def gathered(stage: type, values: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Return the settings of a stage; those of its steps stand in the list that names them.

    Raises
    ------
    ValueError
        For settings of a step that there is not.
    """
    own = [f.name for f in fields(stage)]
    apart = {key: value for key, value in values.items() if key not in own and isinstance(value, dict)}
    steps = names(values, stage)
    unused = next((key for key in apart if key not in (steps or ())), None)
    if place == GROUP and unused and apart[unused]:
        setting, value = next(iter(apart[unused].items()))
        typed = f"{place}.{unused}.{setting}={value}"
        if steps is None:
            raise ValueError(
                f"{typed} is for a step, and {stage.__name__} has none; type {place}.{setting}={value}, or "
                f"add '{KEY}=[{unused}]' for a chain"
            )
        raise ValueError(
            f"{typed} is for a step that is not in {KEY}=[{','.join(steps)}]; add {unused} to them, or leave "
            f"{place}.{unused} out"
        )
    if steps is None:
        return values
    rest = {key: value for key, value in values.items() if key not in steps}
    return rest | {str(_field(stage)): [[name, apart.get(name)] for name in steps]}


def _field(stage: Any) -> str | None:
    return next((f.name for f in fields(stage) if STEPS in f.metadata), None) if stage else None


def _option(path: Path) -> Any:
    """Return the settings in an option's file, and in those that it includes."""
    node: Any = OmegaConf.load(path)
    included: Iterable[Any] = node.pop("defaults", [])
    parts = [_option(path.with_name(f"{part}.yaml")) for part in included if part != "_self_"]
    return OmegaConf.merge(*parts, node)


def _check(value: Any) -> None:
    """Raise ValueError for what is no list of names."""
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return
    named = list(value) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    example = f"[{','.join(map(str, named))}]" if named and value else "[l2,pca]"
    raise ValueError(
        f"{KEY}={value} is no list of reducers; type '{KEY}={example}', and the settings of a step as "
        f"{GROUP}.pca.n_components=64; without steps, {GROUP}=identity"
    )
