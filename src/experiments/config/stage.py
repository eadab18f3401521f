"""Build one stage from its node of the config; the stage's class is the schema."""

import importlib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from experiments.config import steps
from experiments.config.compose import CONF, ROOT, known_keys, options, working_directory
from experiments.config.mistakes import SettingError, no_such_key
from experiments.config.text_fields import PATH_KEY
from experiments.messages import StageError, literal
from experiments.store.values import OtherCodeError
from experiments.types import Backbone, Cluster, Dataset, Evaluator, Reducer, missing_members

PROTOCOLS: dict[str, type] = {
    "dataset": Dataset,
    "backbone": Backbone,
    "reducer": Reducer,
    "cluster": Cluster,
    "evaluator": Evaluator,
}
GROUPS = ("dataset", "backbone", "reducer", "cluster")
PATH = "path"  # dataclass field metadata {"path": True}: a file or folder, made absolute when it is built
# or {"path": is_path}: a field of words or paths; is_path(value) is True for a path
HOLDS = "holds"  # {"holds": "reducer"}: a dict[str, Any] field of stages of that group, by name


def build_stage(key: str, node: Any, typed: Iterable[str] = (), group: str = "") -> Any:
    """Build a stage from its node of the config.

    Parameters
    ----------
    key
        The node's key, such as `cluster` or `evaluator.external`.
    group
        The group of the stage; by default, the first part of `key`.
    """
    group = group or key.split(".")[0]
    values = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    if not isinstance(values, dict) or "_target_" not in values:
        inner = values if isinstance(values, dict) else ()
        unused = ", ".join(f"{key}.{name!s}" for name in inner) or key
        raise ValueError(
            f"{unused} belongs to an option that is not chosen (a preset may set it); choose one of "
            f"{group}={'|'.join(options(group))}, or remove it with ~{key}"
        )
    values = dict(values)
    target = str(values.pop("_target_"))
    module, _, name = target.rpartition(".")
    try:
        stage = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise OtherCodeError(
            target,
            f"{key}._target_={target} cannot be imported: {error}",
            "install the module, or add its folder to PYTHONPATH",
        ) from error
    missing = [] if is_dataclass(stage) else ["@dataclass"]
    missing += missing_members(PROTOCOLS[group], stage)
    if missing:
        raise ValueError(
            f"{key}._target_={target} is not a {group}: it lacks {', '.join(missing)}; see "
            f"experiments.types.{PROTOCOLS[group].__name__}"
        )
    return checked(stage, values, key, typed)


def checked(schema: type, values: Any, parent: str, typed: Iterable[str]) -> Any:
    """Build a dataclass from the settings below the key `parent`; raise ValueError with the first bad key."""
    prefix = f"{parent}." if parent else ""
    plain = _plain(schema, values, parent, typed)
    hints = typing.get_type_hints(schema)
    built: dict[str, Any] = {}
    for f in fields(schema):
        key, value = f"{prefix}{f.name}", plain[f.name]
        if f.metadata.get(HOLDS):
            group = f.metadata[HOLDS]
            value = {name: build_stage(f"{key}.{name}", node, typed, group) for name, node in value.items()}
        if group := f.metadata.get(steps.STEPS):
            value = [_step(parent, name, node, typed, group) for name, node in value]
        value = _with_absolute_path(value, f.metadata, key, typed)
        built[f.name] = tuple(value) if typing.get_origin(hints[f.name]) is tuple else value
    return schema(**built)


def _plain(schema: type, values: Any, parent: str, typed: Iterable[str]) -> Any:
    """Return the settings of a stage by name; raise ValueError for a wrong name, type or missing value."""
    prefix = f"{parent}." if parent else ""
    names = [f.name for f in fields(schema)]
    values = steps.gather_settings(schema, values, parent)
    unknown = [str(key) for key in values if key not in names]
    if unknown:
        key = f"{prefix}{unknown[0]}"
        instead = "" if key in typed else f"if a preset set it, remove it with ~{key}"
        raise SettingError(key, no_such_key(key, schema.__name__, names, known_keys()), instead)
    try:
        unresolved = values if OmegaConf.is_config(values) else literals(values)  # already resolved
        merged = OmegaConf.merge(OmegaConf.structured(schema), unresolved)
        return OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key, reason = f"{prefix}{error.full_key}", str(error).splitlines()[0]
        if isinstance(error, MissingMandatoryValue):
            use = f"type {key}=..., see conf/{_conf_file(parent)}"
            raise SettingError(key, f"{key} has no value", use) from None
        raise ValueError(f"{key}: {reason}; see conf/{_conf_file(parent)}") from None


def _step(parent: str, name: str, node: Any, typed: Iterable[str], group: str) -> tuple[str, Any]:
    try:
        return name, build_stage(f"{parent}.{name}", node, typed, group)
    except StageError as error:
        raise error.of_step(name) from None


def _with_absolute_path(value: Any, metadata: Mapping[Any, Any], key: str, typed: Iterable[str]) -> Any:
    """Return a field's value; a path is made absolute."""
    inner = metadata.get(PATH_KEY)
    if inner and value and value.get(inner):
        is_typed = key in typed or f"{key}.{inner}" in typed
        return value | {inner: absolute(value[inner], is_typed)}
    check = metadata.get(PATH)
    is_path = value and (check(value) if callable(check) else check)
    return absolute(value, key in typed) if is_path else value


def _conf_file(key: str) -> str:
    group = key.split(".")[0]
    return group if group and (CONF / group).is_dir() else "config.yaml"


def absolute(path: str, typed: bool) -> str:
    """Return an absolute path; typed ones are relative to the working directory, others to the root."""
    return str((working_directory() if typed else ROOT) / Path(path).expanduser())


def literals(value: Any) -> Any:
    """Return values with escaped ${...}, so that OmegaConf does not resolve texts a second time."""
    if isinstance(value, dict):
        return {key: literals(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [literals(inner) for inner in value]
    return literal(value) if isinstance(value, str) else value
