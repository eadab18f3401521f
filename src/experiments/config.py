"""Turn composed YAML into checked stages. The stage class is its own schema."""

import difflib
import importlib
import os
import typing
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from experiments.types import Stages

ROOT = Path(os.environ.get("EXPERIMENTS_ROOT", Path(__file__).parents[2]))
CONF = ROOT / "conf"
GROUPS = ("dataset", "backbone", "reducer", "cluster")
OUTPUT = "EXPERIMENTS_OUTPUT"  # where conf/config.yaml tells Hydra to put a run or a sweep
PATH = "path"  # dataclass field metadata {"path": True}: a file or folder, made absolute here
PATH_KEY = "path_key"  # {"path_key": "path"}: a dict field that holds such a path under this key


@dataclass(frozen=True)
class Cache:
    """Where finished work is kept."""

    root: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Tracking:
    """Where runs are recorded; `experiment` None names it after the data set."""

    uri: str = ""
    experiment: str | None = None


@dataclass(frozen=True)
class Settings:
    """What holds for a whole run."""

    seed: int
    protocol: str
    objective: str
    device: str
    precision: str
    threads: Any
    plan: bool

    def __post_init__(self) -> None:
        _one_of("protocol", self.protocol, ("held_out", "published"))
        _one_of("device", self.device, ("auto", "cpu", "cuda"))
        _one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        if self.seed < 0:
            raise ValueError(f"seed={self.seed} is negative; use 0 or more")
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
    keys = {_key(override) for override in typed}
    known = [*GROUPS, "evaluator", "cache", "tracking", *(f.name for f in fields(Settings))]
    for key in cfg:
        if key not in known:
            raise ValueError(_no_such_key(str(key), "the config", known))
    top = {f.name: cfg[f.name] for f in fields(Settings)}
    settings = _checked(Settings, top, "", keys)
    chosen = {group: build_stage(group, cfg[group], keys) for group in GROUPS}
    evaluators = {
        str(name): build_stage(f"evaluator.{name}", node, keys)
        for name, node in (cfg.get("evaluator") or {}).items()
    }
    if not evaluators:
        raise ValueError(f"evaluator=[] judges nothing; use one or more of {', '.join(options('evaluator'))}")
    stages = Stages(**chosen, evaluators=evaluators, protocol=settings.protocol)
    if "objective" in keys:  # the default may be missing, one that somebody asked for may not
        check_objective(settings.objective, stages)
    tracking = _checked(Tracking, cfg.tracking, "tracking", keys)
    sqlite = "sqlite:///"
    if tracking.uri.startswith(sqlite):
        place = _absolute(tracking.uri.removeprefix(sqlite), "tracking.uri" in keys)
        tracking = Tracking(f"{sqlite}{place}", tracking.experiment)
    cache = _checked(Cache, cfg.cache, "cache", keys)
    cache = Cache(_absolute(cache.root, "cache.root" in keys), cache.enabled)
    return Plan(cfg, stages, settings, cache, tracking)


def build_stage(place: str, node: Any, typed: Iterable[str] = ()) -> Any:
    """Build the stage that the config node at `place` describes."""
    values = OmegaConf.to_container(node, resolve=True)
    if not isinstance(values, dict) or "_target_" not in values:
        left = ", ".join(f"{place}.{key!s}" for key in values or ()) or place
        raise ValueError(
            f"{left} belongs to an option that is not chosen (an experiment may set it); choose one of "
            f"{place.split('.')[0]}={'|'.join(options(place.split('.')[0]))}, or remove it with ~{place}"
        )
    target = str(values.pop("_target_"))
    module, _, name = target.rpartition(".")
    try:
        stage = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise ValueError(f"{place}._target_={target} cannot be imported: {error}") from error
    return _checked(stage, values, place, typed)


def _checked(schema: type, values: Any, place: str, typed: Iterable[str]) -> Any:
    prefix = f"{place}." if place else ""
    names = [f.name for f in fields(schema)]
    unknown = [str(key) for key in values if key not in names]
    if unknown:
        raise ValueError(_no_such_key(f"{prefix}{unknown[0]}", schema.__name__, names))
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), values)
        plain = OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{prefix}{error.full_key}: {reason}; see conf/{_where(place)}") from None
    hints = typing.get_type_hints(schema)
    built: dict[str, Any] = {}
    for f in fields(schema):
        value = _placed(plain[f.name], f.metadata, f"{prefix}{f.name}", typed)  # type: ignore[index, call-overload]
        built[f.name] = tuple(value) if typing.get_origin(hints[f.name]) is tuple else value
    return schema(**built)


def _placed(value: Any, metadata: Mapping[Any, Any], key: str, typed: Iterable[str]) -> Any:
    """Make the path that a field holds absolute."""
    inner = metadata.get(PATH_KEY)
    if inner and value and value.get(inner):
        here = key in typed or f"{key}.{inner}" in typed
        return value | {inner: _absolute(value[inner], here)}
    return _absolute(value, key in typed) if metadata.get(PATH) and value else value


def compose_config(
    overrides: Sequence[str], *, hydra: bool = False, directory: str | None = None
) -> DictConfig:
    """Compose conf/config.yaml with these overrides; raise ValueError that says what to type instead.

    Parameters
    ----------
    hydra
        Keep Hydra's own part.
    directory
        A folder of further options, as in --config-dir.
    """
    if not (CONF / "config.yaml").exists():
        raise ValueError(f"no configs in {CONF}; install a clone (pip install -e .), or set EXPERIMENTS_ROOT")
    search = [f"hydra.searchpath=[file://{os.path.abspath(directory)}]"] if directory else []
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        try:
            return compose("config", overrides=[*search, *overrides], return_hydra_config=hydra)
        except MissingConfigException as error:
            raise ValueError(_no_such_option(error, overrides)) from error
        except (ConfigCompositionException, HydraException, OmegaConfBaseException) as error:
            raise ValueError(_explain(error, overrides, search)) from error


def options(group: str) -> list[str]:
    """Name the options of a config group."""
    return sorted(path.stem for path in (CONF / group).glob("[!_]*.yaml"))


@contextmanager
def output_folder() -> Iterator[Path]:
    """Name a new folder for a run or a sweep; a random end keeps two of the same second apart."""
    now = datetime.now().astimezone()
    folder = ROOT / "outputs" / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}-{uuid.uuid4().hex[:6]}"
    os.environ[OUTPUT] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop(OUTPUT, None)


def without_hydra(cfg: DictConfig) -> DictConfig:
    """Return the experiment's own part of a config composed with Hydra's."""
    plain = cfg.copy()
    with open_dict(plain):
        plain.pop("hydra", None)
    return plain


def flatten(tree: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """{'cluster': {'k': 10}} -> {'cluster.k': 10}."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, Mapping) and value
        flat |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def choices() -> dict[str, Any]:
    """Return what Hydra chose in each group of the job at work."""
    return dict(HydraConfig.get().runtime.choices)


def _where(place: str) -> str:
    group = place.split(".")[0]
    return group if group and (CONF / group).is_dir() else "config.yaml"


def _one_of(key: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise ValueError(f"{key}={value} is not an option; use {' or '.join(valid)}")


def check_objective(objective: str, stages: Stages) -> None:
    """Raise ValueError unless an evaluator that was chosen gives the objective."""
    given = [name for evaluator in stages.evaluators.values() for name in evaluator.METRICS]
    if objective not in given:
        raise ValueError(
            f"objective={objective} is given by none of the evaluators chosen "
            f"({', '.join(stages.evaluators)}); use one of {', '.join(given)}, or choose its evaluator"
        )


def _absolute(path: str, typed: bool) -> str:
    return str((Path.cwd() if typed else ROOT) / Path(path).expanduser())


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _no_such_key(key: str, option: str, names: Sequence[str]) -> str:
    place, _, name = key.rpartition(".")
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {f'{place}.' if place else ''}{close[0]}?" if close else ""
    return f"{key}: {option} has no setting {name}; its settings are {', '.join(names)}{hint}"


def _no_such_option(error: MissingConfigException, overrides: Sequence[str]) -> str:
    missing = str(error.missing_cfg_file or "")
    group, _, name = missing.rpartition("/")
    typed = next((o for o in overrides if _key(o) == group), f"{group}={name}")
    valid = options(group)
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{typed} is not an option; {group} has {', '.join(valid) or 'none'}{hint}"


def _explain(error: Exception, overrides: Sequence[str], search: Sequence[str]) -> str:
    """Say which override the config has no place for, and what it has; else Hydra's first line."""
    plain = [o for o in overrides if not o.startswith(("+", "~", "hydra"))]
    values = [o for o in plain if not (CONF / _key(o)).is_dir()]
    base = compose("config", overrides=[*search, *(o for o in plain if o not in values)])
    for override in values:
        if OmegaConf.select(base, _key(override), default=error) is error:
            return f"{override}: {_place_for(_key(override), base)}"
    return next(line for line in str(error).splitlines() if line.strip())


def _place_for(key: str, base: DictConfig) -> str:
    place = key.rpartition(".")[0]
    node = OmegaConf.select(base, place) if place else base
    if not isinstance(node, DictConfig):
        return _no_such_key(place, "the config", [str(k) for k in base]).partition(": ")[2]
    names = [str(k) for k in node if k not in ("_target_", "hydra")]
    target = str(node.get("_target_", "the config")).rpartition(".")[2] if place else "the config"
    return _no_such_key(key, target, names).partition(": ")[2]


def parse(overrides: Sequence[str]) -> list[Any]:
    """Parse overrides as Hydra does; raise ValueError on what is not `key=value`."""
    try:
        return list(OverridesParser.create().parse_overrides(list(overrides)))
    except HydraException as error:
        raise ValueError(f"{str(error).splitlines()[0]}; write key=value, such as cluster.k=20") from error
