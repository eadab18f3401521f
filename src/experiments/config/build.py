"""Turn composed YAML into checked stages. The stage class is its own schema."""

import importlib
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from experiments.config import steps
from experiments.config.compose import CONF, ROOT, key_of, known_keys, options, working_directory
from experiments.config.mistakes import SettingError, no_such_key
from experiments.config.text_fields import PATH_KEY
from experiments.messages import keys_within, literal
from experiments.metric_names import Name
from experiments.store.values import OtherCodeError
from experiments.types import Backbone, Cluster, Dataset, Evaluator, Reducer, Stages

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
LABEL_FREE = "label_free"  # the evaluator that label_free=true adds
SQLITE = "sqlite:///"
HOLDS = "holds"  # {"holds": "reducer"}: a dict[str, Any] field of stages of that group, by name


@dataclass(frozen=True)
class Cache:
    """Where finished work is kept."""

    root: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Tracking:
    """Where runs are recorded; `experiment` None names it after the data set.

    `log_model` says which jobs of a sweep record their model; a single run is its own best.
    """

    uri: str = ""
    experiment: str | None = None
    log_model: str = "best"

    def __post_init__(self) -> None:
        _one_of("tracking.log_model", self.log_model, ("best", "all", "none"))


@dataclass(frozen=True)
class Settings:
    """What holds for a whole run."""

    seed: int
    protocol: str
    objective: str
    device: str
    precision: str
    threads: Any
    figures: str
    report: str
    label_free: bool
    resume: Any
    plan: bool

    def __post_init__(self) -> None:
        _one_of("protocol", self.protocol, ("held_out", "published"))
        _one_of("device", self.device, ("auto", "cpu", "cuda"))
        _one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        _one_of("figures", self.figures, ("auto", "all", "none"))
        _one_of("report", self.report, ("auto", "all", "none"))
        if not 0 <= self.seed < 2**32:  # scikit-learn takes no larger ones
            raise ValueError(f"seed={self.seed} is not a seed; use 0 to {2**32 - 1}")
        if self.threads != "auto" and not (isinstance(self.threads, int) and self.threads > 0):
            raise ValueError(f"threads={self.threads} is not a number of cores; use auto, or 1 or more")


@dataclass(frozen=True)
class Plan:
    """One checked run: its stages, its settings, and the config that they were built from."""

    cfg: DictConfig
    stages: Stages
    settings: Settings
    cache: Cache
    tracking: Tracking


def build(cfg: DictConfig, typed: Iterable[str] = ()) -> Plan:
    """Build every stage; raise ValueError naming the first bad key.

    Parameters
    ----------
    typed
        The overrides of the command line: a path in one of them is relative to the working directory,
        a path in a config to the project root.
    """
    try:
        return _built(cfg, {key_of(override) for override in typed})
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise ValueError(f"{key}{str(error).splitlines()[0]}; see conf/config.yaml") from error


def _built(cfg: DictConfig, keys: set[str]) -> Plan:
    _check_keys(cfg)
    settings = _checked(Settings, {f.name: cfg[f.name] for f in fields(Settings)}, "", keys)
    stages = _stages(cfg, settings, keys)
    if "objective" in keys:  # the default may be missing, one that somebody asked for may not
        check_objective(settings.objective, stages)
    cache = _checked(Cache, cfg.cache, "cache", keys)
    cache = Cache(_absolute(cache.root, "cache.root" in keys), cache.enabled)
    return Plan(cfg, stages, settings, cache, _tracking(cfg, keys))


def _check_keys(cfg: DictConfig) -> None:
    """Raise ValueError for a key that is none, and for a part that a run cannot be without."""
    known = [*GROUPS, "evaluator", "cache", "tracking", *(f.name for f in fields(Settings))]
    for key in cfg:
        if key not in known:
            raise ValueError(no_such_key(str(key), "the config", known, known_keys()))
    for key in (*GROUPS, "cache", "tracking"):
        if not isinstance(cfg.get(key), DictConfig):
            choice = (
                f"use {key}={'|'.join(options(key))}" if key in GROUPS else "set the values in it instead"
            )
            raise ValueError(f"{key}={cfg.get(key)} leaves a run without one; {choice}")


def _stages(cfg: DictConfig, settings: Settings, keys: set[str]) -> Stages:
    """Build all stages; label_free=true adds its evaluator."""
    chosen = {group: build_stage(group, cfg[group], keys) for group in GROUPS}
    nodes = {str(name): node for name, node in (cfg.get("evaluator") or {}).items()}
    evaluators = {name: build_stage(f"evaluator.{name}", node, keys) for name, node in nodes.items()}
    if settings.label_free and LABEL_FREE not in evaluators:
        node = OmegaConf.load(CONF / "evaluator" / f"{LABEL_FREE}.yaml")
        evaluators[LABEL_FREE] = build_stage(f"evaluator.{LABEL_FREE}", node)
    if not evaluators:
        raise ValueError(f"evaluator=[] judges nothing; use one or more of {', '.join(options('evaluator'))}")
    return Stages(**chosen, evaluators=evaluators, protocol=settings.protocol)


def _tracking(cfg: DictConfig, keys: set[str]) -> Tracking:
    """Build it; the path of a SQLite store is made absolute."""
    tracking: Tracking = _checked(Tracking, cfg.tracking, "tracking", keys)
    if not tracking.uri.startswith(SQLITE):
        return tracking
    path, mark, query = tracking.uri.removeprefix(SQLITE).partition("?")  # ?timeout=60 is the driver's
    place = _absolute(path, "tracking.uri" in keys)
    return replace(tracking, uri=f"{SQLITE}{place}{mark}{query}")


def placed(plan: Plan) -> DictConfig:
    """Return the config of a run with every path absolute, so that it means the same wherever it is read."""
    cfg = plan.cfg.copy()
    stages = {group: getattr(plan.stages, group) for group in GROUPS}
    stages |= {f"evaluator.{name}": stage for name, stage in plan.stages.evaluators.items()}
    for place, stage in stages.items():
        for f in fields(stage):
            if f.metadata.get(PATH) or f.metadata.get(PATH_KEY):
                OmegaConf.update(cfg, f"{place}.{f.name}", _literal(getattr(stage, f.name)), force_add=True)
    OmegaConf.update(cfg, "cache.root", literal(plan.cache.root))
    OmegaConf.update(cfg, "tracking.uri", literal(plan.tracking.uri))
    return cfg


def _literal(value: Any) -> Any:
    """Return values as they stand in a config, which resolves ${...} in texts."""
    if isinstance(value, dict):
        return {key: _literal(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_literal(inner) for inner in value]
    return literal(value) if isinstance(value, str) else value


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
    return _checked(stage, values, place, typed)


def _verbs(protocol: type) -> set[str]:
    return {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}


def _checked(schema: type, values: Any, place: str, typed: Iterable[str]) -> Any:
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
        raise SettingError(no_such_key(left, schema.__name__, names, known_keys()), instead)
    try:
        unread = values if OmegaConf.is_config(values) else _literal(values)  # these are resolved already
        merged = OmegaConf.merge(OmegaConf.structured(schema), unread)
        return OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key, reason = f"{prefix}{error.full_key}", str(error).splitlines()[0]
        if isinstance(error, MissingMandatoryValue):
            raise ValueError(f"{key} has no value; type {key}=..., see conf/{_where(place)}") from None
        raise ValueError(f"{key}: {reason}; see conf/{_where(place)}") from None


def _step(place: str, name: str, node: Any, typed: Iterable[str], group: str) -> tuple[str, Any]:
    with keys_within(group, name):
        return name, build_stage(f"{place}.{name}", node, typed, group)


def _placed(value: Any, metadata: Mapping[Any, Any], key: str, typed: Iterable[str]) -> Any:
    """Make the path that a field holds absolute."""
    inner = metadata.get(PATH_KEY)
    if inner and value and value.get(inner):
        here = key in typed or f"{key}.{inner}" in typed
        return value | {inner: _absolute(value[inner], here)}
    tells = metadata.get(PATH)
    is_path = value and (tells(value) if callable(tells) else tells)
    return _absolute(value, key in typed) if is_path else value


def _where(place: str) -> str:
    group = place.split(".")[0]
    return group if group and (CONF / group).is_dir() else "config.yaml"


def _one_of(key: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise ValueError(f"{key}={value} is not an option; use {' or '.join(valid)}")


def check_objective(objective: str, stages: Stages) -> None:
    """Raise ValueError unless an evaluator that was chosen gives the objective."""
    given = [name for evaluator in stages.evaluators.values() for name in evaluator.METRICS]
    plain = [name for name in given if not Name.parse(name).rows]
    if objective not in given:
        raise ValueError(
            f"objective={objective} is given by none of the evaluators chosen "
            f"({', '.join(stages.evaluators)}); use one of {', '.join(plain)}, some also with _validation or "
            "_test, or choose its evaluator"
        )


def _absolute(path: str, typed: bool) -> str:
    return str((working_directory() if typed else ROOT) / Path(path).expanduser())
