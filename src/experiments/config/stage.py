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
from experiments.messages import keys_within, literal
from experiments.store.values import OtherCodeError
from experiments.types import Backbone, Cluster, Dataset, Evaluator, Reducer

PROTOCOLS: dict[str, type] = {
    "dataset": Dataset,
    "backbone": Backbone,
    "reducer": Reducer,
    "cluster": Cluster,
    "evaluator": Evaluator,
}
GROUPS = ("dataset", "backbone", "reducer", "cluster")
PATH = "path"  # dataclass field metadata {"path": True}: a file or folder, made absolute here
#   or {"path": tells}: a field of words or paths, and a function that tells whether a value is a path
HOLDS = "holds"  # {"holds": "reducer"}: a dict[str, Any] field of stages of that group, by name


def build_stage(place: str, node: Any, typed: Iterable[str] = (), group: str = "") -> Any:
    """Build the stage that the config node at `place` describes.

    Parameters
    ----------
    group
        What kind of stage it has to be; the first word of `place` if that says so.
    """
    group = group or place.split(".")[0]
    values = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    if not isinstance(values, dict) or "_target_" not in values:
        inner = values if isinstance(values, dict) else ()
        left = ", ".join(f"{place}.{key!s}" for key in inner) or place
        raise ValueError(
            f"{left} belongs to an option that is not chosen (an experiment may set it); choose one of "
            f"{group}={'|'.join(options(group))}, or remove it with ~{place}"
        )
    values = dict(values)
    target = str(values.pop("_target_"))
    module, _, name = target.rpartition(".")
    try:
        stage = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise OtherCodeError(
            target,
            f"{place}._target_={target} cannot be imported: {error}",
            "install your own module, or name its folder in PYTHONPATH",
        ) from error
    missing = [] if is_dataclass(stage) else ["@dataclass"]
    missing += [verb for verb in sorted(_verbs(PROTOCOLS[group])) if not hasattr(stage, verb)]
    if missing:
        raise ValueError(
            f"{place}._target_={target} is no {group}: it lacks {', '.join(missing)}; see "
            f"experiments.types.{PROTOCOLS[group].__name__}"
        )
    return checked(stage, values, place, typed)


def _verbs(protocol: type) -> set[str]:
    return {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}


def checked(schema: type, values: Any, place: str, typed: Iterable[str]) -> Any:
    """Build a dataclass from the values at `place`; raise ValueError that names the first bad key."""
    prefix = f"{place}." if place else ""
    plain = _plain(schema, values, place, typed)
    hints = typing.get_type_hints(schema)
    built: dict[str, Any] = {}
    for f in fields(schema):
        key, value = f"{prefix}{f.name}", plain[f.name]
        if f.metadata.get(HOLDS):
            held = f.metadata[HOLDS]
            value = {name: build_stage(f"{key}.{name}", node, typed, held) for name, node in value.items()}
        if group := f.metadata.get(steps.STEPS):
            value = [_step(place, name, node, typed, group) for name, node in value]
        value = _placed(value, f.metadata, key, typed)
        built[f.name] = tuple(value) if typing.get_origin(hints[f.name]) is tuple else value
    return schema(**built)


def _plain(schema: type, values: Any, place: str, typed: Iterable[str]) -> Any:
    """Return the values of a stage by name, of the types that it declares; raise ValueError otherwise."""
    prefix = f"{place}." if place else ""
    names = [f.name for f in fields(schema)]
    values = steps.gathered(schema, values, place)
    unknown = [str(key) for key in values if key not in names]
    if unknown:
        left = f"{prefix}{unknown[0]}"
        instead = "" if left in typed else f"if an experiment set it, remove it with ~{left}"
        raise SettingError(left, no_such_key(left, schema.__name__, names, known_keys()), instead)
    try:
        unread = values if OmegaConf.is_config(values) else literals(values)  # these are resolved already
        merged = OmegaConf.merge(OmegaConf.structured(schema), unread)
        return OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key, reason = f"{prefix}{error.full_key}", str(error).splitlines()[0]
        if isinstance(error, MissingMandatoryValue):
            use = f"type {key}=..., see conf/{_where(place)}"
            raise SettingError(key, f"{key} has no value", use) from None
        raise ValueError(f"{key}: {reason}; see conf/{_where(place)}") from None


def _step(place: str, name: str, node: Any, typed: Iterable[str], group: str) -> tuple[str, Any]:
    with keys_within(group, name):
        return name, build_stage(f"{place}.{name}", node, typed, group)


def _placed(value: Any, metadata: Mapping[Any, Any], key: str, typed: Iterable[str]) -> Any:
    """Make the path that a field holds absolute."""
    inner = metadata.get(PATH_KEY)
    if inner and value and value.get(inner):
        here = key in typed or f"{key}.{inner}" in typed
        return value | {inner: absolute(value[inner], here)}
    tells = metadata.get(PATH)
    is_path = value and (tells(value) if callable(tells) else tells)
    return absolute(value, key in typed) if is_path else value


def _where(place: str) -> str:
    group = place.split(".")[0]
    return group if group and (CONF / group).is_dir() else "config.yaml"


def absolute(path: str, typed: bool) -> str:
    """Return a path that was typed below the working directory, one of a config below the project root."""
    return str((working_directory() if typed else ROOT) / Path(path).expanduser())


def literals(value: Any) -> Any:
    """Return values as they stand in a config, which resolves ${...} in texts."""
    if isinstance(value, dict):
        return {key: literals(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [literals(inner) for inner in value]
    return literal(value) if isinstance(value, str) else value
