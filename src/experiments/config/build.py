"""Build checked stages from composed YAML; each stage's class is the schema of its settings."""

from collections.abc import Collection, Iterable
from dataclasses import fields, replace

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.compose import CONF, key_of, known_keys, options
from experiments.config.mistakes import no_such_key
from experiments.config.plan import Cache, Plan, Settings, Tracking
from experiments.config.stage import GROUPS, PATH, absolute, build_stage, checked, literals
from experiments.config.text_fields import PATH_KEY
from experiments.messages import literal
from experiments.metric_names import Name, comparable
from experiments.types import Stages

LABEL_FREE = "label_free"  # the evaluator of label_free=true
SQLITE = "sqlite:///"


def build(cfg: DictConfig, typed: Iterable[str] = ()) -> Plan:
    """Build every stage; raise ValueError naming the first bad key.

    Parameters
    ----------
    typed
        The overrides of the command line. Their paths are relative to the working directory; paths in a
        config are relative to the project root.
    """
    try:
        return _build(cfg, {key_of(override) for override in typed})
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise ValueError(f"{key}{str(error).splitlines()[0]}; see conf/config.yaml") from error


def _build(cfg: DictConfig, keys: set[str]) -> Plan:
    _check_keys(cfg)
    settings = checked(Settings, {f.name: cfg[f.name] for f in fields(Settings) if f.name in cfg}, "", keys)
    stages = _stages(cfg, settings, keys)
    if "objective" in keys:  # only a typed objective must be among the metrics; the default may be missing
        check_objective(settings.objective, stages)
    cache = checked(Cache, cfg.cache, "cache", keys)
    cache = Cache(absolute(cache.root, "cache.root" in keys), cache.enabled)
    named = _with_dataset_name(cfg, stages.dataset.display_name)
    return Plan(named, stages, settings, cache, _tracking(cfg, keys))


def _with_dataset_name(cfg: DictConfig, name: str) -> DictConfig:
    """Return the config with the data set's name filled in, so that moved data keeps its name."""
    if "name" not in cfg.dataset:
        return cfg
    copy = cfg.copy()
    OmegaConf.update(copy, "dataset.name", literal(name))
    return copy


def _check_keys(cfg: DictConfig) -> None:
    """Raise ValueError for an unknown key, and for a missing stage, cache or tracking."""
    known = [*GROUPS, "evaluator", "cache", "tracking", *(f.name for f in fields(Settings))]
    for key in cfg:
        if key not in known:
            raise ValueError(no_such_key(str(key), "the config", known, known_keys()))
    for key in (*GROUPS, "cache", "tracking"):
        if not isinstance(cfg.get(key), DictConfig):
            use = f"use {key}={'|'.join(options(key))}" if key in GROUPS else f"set {key}.<setting> instead"
            raise ValueError(f"{key}={cfg.get(key)}, but every run needs a {key}; {use}")


def _stages(cfg: DictConfig, settings: Settings, keys: set[str]) -> Stages:
    """Build all stages; label_free=true adds its evaluator."""
    chosen = {group: build_stage(group, cfg[group], keys) for group in GROUPS}
    nodes = {str(name): node for name, node in (cfg.get("evaluator") or {}).items()}
    evaluators = {name: build_stage(f"evaluator.{name}", node, keys) for name, node in nodes.items()}
    if settings.label_free and LABEL_FREE not in evaluators:
        node = OmegaConf.load(CONF / "evaluator" / f"{LABEL_FREE}.yaml")
        evaluators[LABEL_FREE] = build_stage(f"evaluator.{LABEL_FREE}", node)
    if not evaluators:
        raise ValueError(
            f"evaluator=[] computes no metrics; use one or more of {', '.join(options('evaluator'))}"
        )
    return Stages(**chosen, evaluators=evaluators, protocol=settings.protocol)


def _tracking(cfg: DictConfig, keys: set[str]) -> Tracking:
    """Build the tracking settings, with an absolute path for a SQLite store."""
    tracking: Tracking = checked(Tracking, cfg.tracking, "tracking", keys)
    if not tracking.uri.startswith(SQLITE):
        return tracking
    path, mark, query = tracking.uri.removeprefix(SQLITE).partition("?")  # ?timeout=60 is for the driver
    return replace(tracking, uri=f"{SQLITE}{absolute(path, 'tracking.uri' in keys)}{mark}{query}")


def with_absolute_paths(plan: Plan) -> DictConfig:
    """Return the config of a run with absolute paths, so that it can be read from any working directory."""
    cfg = plan.cfg.copy()
    stages = {group: getattr(plan.stages, group) for group in GROUPS}
    stages |= {f"evaluator.{name}": stage for name, stage in plan.stages.evaluators.items()}
    for key, stage in stages.items():
        for f in fields(stage):
            if f.metadata.get(PATH) or f.metadata.get(PATH_KEY):
                OmegaConf.update(cfg, f"{key}.{f.name}", literals(getattr(stage, f.name)), force_add=True)
    OmegaConf.update(cfg, "cache.root", literal(plan.cache.root))
    OmegaConf.update(cfg, "tracking.uri", literal(plan.tracking.uri))
    return cfg


def check_objective(objective: str, stages: Stages, varied: Collection[str] = ()) -> None:
    """Raise ValueError unless an evaluator computes the objective, and it can compare the varied settings."""
    metrics = [name for evaluator in stages.evaluators.values() for name in evaluator.METRICS]
    plain = [name for name in metrics if not Name.parse(name).rows]
    if objective not in metrics:
        raise ValueError(
            f"objective={objective} is not a metric of the chosen evaluators "
            f"({', '.join(stages.evaluators)}); use one of {', '.join(plain)}, some also with _validation or "
            "_test, or add the evaluator that computes it"
        )
    if not comparable(objective, varied):
        raise ValueError(
            f"objective={objective} cannot compare reducers or backbones, which change it by themselves; "
            "use objective=ari, or for reducers label_free=true objective=silhouette_embeddings"
        )
