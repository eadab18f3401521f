"""Parse a command line into checked jobs and the overrides for Hydra."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser  # the parser of hydra.main
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.config import compose, presets, steps, text_fields
from experiments.config.build import build, check_objective
from experiments.config.concurrency import count_parallel_jobs
from experiments.config.overrides import Typed, key_of, parse, typed
from experiments.config.plan import Plan
from experiments.messages import setting
from experiments.numerics.threads import cores

log = logging.getLogger(__name__)

RESUME = "resume"  # a setting of the whole command, not of its jobs
PARAMS = "hydra.sweeper.params"


@dataclass(frozen=True)
class Request:
    """The checked jobs of a command line, and how to run them.

    Parameters
    ----------
    plans
        One per job. For an optimiser, which chooses jobs while it runs, only the initial plan.
    jobs
        The overrides of each job.
    swept
        The keys whose values differ between the jobs.
    typed
        The overrides of the command line, without resume.
    hydra_overrides
        The overrides for Hydra: the same jobs, each sweep as a list of values.
    resume
        The sweep to resume: empty, `true`, a run's id or a folder.
    parallel_jobs
        Number of jobs that the launcher runs in parallel on this machine.
    """

    plans: list[Plan]
    jobs: list[list[str]]
    swept: list[str]
    multirun: bool
    optimiser: bool
    folder: Path
    typed: list[str]
    hydra_overrides: list[str]
    resume: str = ""
    parallel_jobs: int = 1

    @property
    def threads(self) -> int:
        """Threads of each job with threads=auto."""
        return max(1, cores() // self.parallel_jobs)


def parse_arguments(words: Sequence[str] | None = None) -> Any:
    """Return flags and overrides, as Hydra's own parser does; raise ValueError for an unknown flag."""
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(words)


def parse_request(args: Any) -> Request:
    """Compose and build every job; raise ValueError with the correct command otherwise."""
    refuse_flags(args)
    overrides = steps.expand([word for word in args.overrides if key_of(word) != RESUME])
    lines = _expand_sweeps(overrides, args.config_dir)
    fixed = [str(line) for line in lines if not line.is_sweep]
    base = compose.compose_config(fixed, hydra=True, directory=args.config_dir)
    multirun = args.multirun or base.hydra.mode == RunMode.MULTIRUN
    _refuse_sweeps([line for line in lines if line.is_sweep], base, multirun=multirun)
    optimiser = not str(base.hydra.sweeper._target_).endswith("BasicSweeper")
    resume = _resume(args.overrides, multirun=multirun, optimiser=optimiser)
    if multirun and not optimiser:
        return _sweep(base, overrides, lines, args.config_dir, resume)
    plan = build(compose.without_hydra(base), overrides)
    if optimiser:
        varied = [*(base.hydra.sweeper.params or ()), *(key_of(line.key) for line in lines if line.is_sweep)]
        check_objective(plan.settings.objective, plan.stages, varied)
    folder = Path(base.hydra.sweep.dir if multirun else base.hydra.run.dir).absolute()
    words = overrides if optimiser else text_fields.quote_texts(fixed, base)
    parallel = count_parallel_jobs(base.hydra, None, cores()) if multirun else 1
    return Request(
        [plan], [overrides], [], multirun, optimiser, folder, overrides, words, parallel_jobs=parallel
    )


def _expand_sweeps(words: Sequence[str], directory: str | None) -> list[Typed]:
    """Return overrides with the values of each sweep as a list."""
    options = partial(compose.options, directory=directory)
    return [typed(override, options) for override in parse(words)]


def _sweep(
    base: DictConfig, overrides: list[str], lines: list[Typed], directory: str | None, resume: str
) -> Request:
    """Return the request of a grid sweep, which defines all jobs in advance.

    Parameters
    ----------
    base
        The config without the swept values.
    lines
        The overrides with expanded sweeps, without those of a preset.
    """
    _refuse_intervals(lines)
    _refuse_presets(lines, directory)
    lists = _preset_lists(base, overrides)
    lines = [*_expand_sweeps([f"{key}={value}" for key, value in lists.items()], directory), *lines]
    jobs, cfgs = _compose_jobs(lines, base, directory)
    texts = [_quote_texts(line, cfgs) for line in lines]
    if texts != lines:
        jobs, cfgs = _compose_jobs(texts, base, directory)
    _refuse_shared_folder(base, len(jobs))
    swept = _differing_keys(lines, jobs)
    steps.remove_unused_settings(cfgs, swept)
    return Request(
        [build(cfg, overrides) for cfg in cfgs],
        jobs,
        swept,
        multirun=True,
        optimiser=False,
        folder=Path(base.hydra.sweep.dir).absolute(),
        typed=overrides,
        hydra_overrides=[*map(str, texts), *([f"{PARAMS}=null"] if base.hydra.sweeper.params else [])],
        resume=resume,
        parallel_jobs=count_parallel_jobs(base.hydra, len(jobs), cores()),
    )


def _preset_lists(base: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """Return a preset's sweep lists, except settings of options that are not chosen."""
    lists = base.hydra.sweeper.params or {}
    ignored = presets.inapplicable(set(lists).difference(map(key_of, overrides)), base)
    if ignored:
        log.warning("the preset's sweep: ignored settings of other options: %s", ", ".join(ignored))
    return {str(key): value for key, value in lists.items() if key not in ignored}


def _differing_keys(lines: Sequence[Typed], jobs: Sequence[Sequence[str]]) -> list[str]:
    """Return the swept keys whose values differ between the jobs."""
    keys = dict.fromkeys(key_of(line.key) for line in lines if line.is_sweep)
    return [key for key in keys if len({_value(job, key) for job in jobs}) > 1]


def _refuse_shared_folder(base: DictConfig, jobs: int) -> None:
    """Raise ValueError if all jobs of a sweep would write into one folder."""
    subdir = str(OmegaConf.to_container(base.hydra.sweep, resolve=False)["subdir"])  # type: ignore[index, call-overload]
    if jobs > 1 and "${" not in subdir:
        raise ValueError(
            f"hydra.sweep.subdir={subdir} puts all {jobs} jobs into one folder; remove it, or use "
            "hydra.sweep.subdir='${hydra:job.num}'"
        )


def _refuse(message: str) -> NoReturn:
    raise ValueError(
        f"{message}; settings are key=value without dashes; run.py --help lists flags and options"
    )


def refuse_flags(args: Any) -> None:
    """Raise ValueError for a flag of Hydra that changes the jobs after they were checked."""
    if args.experimental_rerun is not None:
        raise ValueError(
            f"--experimental-rerun={args.experimental_rerun} is not supported; to repeat a recorded run, use "
            "python scripts/verify.py RUN_ID"
        )
    if args.run and args.multirun:
        raise ValueError("--run --multirun exclude each other; use one of them")
    if args.config_name not in (None, "config", "config.yaml"):
        name = args.config_name.removesuffix(".yaml")
        raise ValueError(
            f"--config-name={args.config_name}: the config is always conf/config.yaml; save your settings as "
            f"conf/experiment/{name}.yaml (or DIR/experiment/{name}.yaml with --config-dir DIR), and use "
            f"{setting('experiment', name)}"
        )
    if args.config_path is not None and Path(args.config_path).absolute() != compose.CONF:
        path = args.config_path
        raise ValueError(
            f"--config-path={path}: the configs are always in conf/; to add your own, use --config-dir={path}"
        )


def _refuse_sweeps(sweeps: Sequence[Typed], base: DictConfig, *, multirun: bool) -> None:
    """Raise ValueError for a list of values without -m, or of a setting of Hydra."""
    for sweep in sweeps:
        if sweep.key.startswith(("hydra.", "hydra/")):
            raise ValueError(f"{sweep.line}: a setting of Hydra cannot be swept; use a single value")
        if not multirun:
            quoted = setting(sweep.key, sweep.line.partition("=")[2])
            hint = f", or {quoted} if it is a single text" if text_fields.is_text(sweep.key, base) else ""
            raise ValueError(
                f"{sweep.line} has several values; type -m before it to run a job for each{hint}"
            )


def _refuse_intervals(lines: Sequence[Typed]) -> None:
    for line in lines:
        if line.is_sweep and not line.values:
            raise ValueError(f"{line.line} is only for optimisers; use {line.key}=range(1,10,2), or 3,5,9")


def _refuse_presets(lines: Sequence[Typed], directory: str | None) -> None:
    """Raise ValueError for several presets if one of them has a sweep list, which Hydra would ignore."""
    keys = {key_of(line.key) for line in lines}
    for line in lines:
        for name in line.values if line.key == "experiment" and line.is_sweep else ():
            cfg = compose.compose_config([f"experiment={name}"], hydra=True, directory=directory)
            params = cfg.hydra.sweeper.params or {}
            lists = " ".join(f"{key}={value}" for key, value in params.items() if key not in keys)
            if lists:
                raise ValueError(
                    f"{line.line}: {name} sweeps {lists}, which a sweep over presets ignores; type that list "
                    "as well, or run each preset in its own command"
                )


def _resume(overrides: Sequence[str], *, multirun: bool, optimiser: bool) -> str:
    """Return the value of `resume` as typed; empty to start a new run or sweep."""
    words = [word.partition("=")[2].strip("'\"") for word in overrides if key_of(word) == RESUME]
    word = words[-1] if words else ""
    if word.lower() in ("", "null", "false"):
        return ""
    if not multirun:
        raise ValueError(
            f"resume={word} is for sweeps (-m); to resume a single run, use the same command without it"
        )
    if optimiser:
        raise ValueError(
            f"resume={word}: an optimiser decides its jobs while it runs; use the optimiser's own storage, "
            "such as Optuna's hydra.sweeper.storage"
        )
    return word


def _compose_jobs(
    lines: Sequence[Typed], base: DictConfig, directory: str | None
) -> tuple[list[list[str]], list[DictConfig]]:
    """Return the overrides and the config of each job; each combination of options is composed once."""
    jobs = BasicSweeper.split_arguments(parse([str(line) for line in lines]), None)[0]
    fixed = parse([str(line) for line in lines if not line.is_sweep])
    composed = {_choice(fixed): compose.without_hydra(base)}
    cfgs = []
    for job in jobs:
        overrides = parse(job)
        values, choice = [o for o in overrides if _is_value(o)], _choice(overrides)
        if choice not in composed or not all(_has(composed[choice], o.key_or_group) for o in values):
            composed[choice] = compose.compose_config(job, directory=directory)
        cfg = composed[choice].copy()
        for value in values:
            OmegaConf.update(cfg, value.key_or_group, value.value())
        cfgs.append(cfg)
    return jobs, cfgs


def _choice(overrides: Sequence[Override]) -> tuple[str, ...]:
    """Return the overrides that choose options; jobs with equal choices differ only in values."""
    return tuple(str(o.input_line) for o in overrides if not _is_value(o))


def _has(cfg: DictConfig, key: str) -> bool:
    """Return True if a config has this setting."""
    parent, _, name = key.rpartition(".")
    node: Any = OmegaConf.select(cfg, parent) if parent else cfg
    return isinstance(node, DictConfig) and name in node


def _quote_texts(line: Typed, cfgs: Sequence[DictConfig]) -> Typed:
    """Return an override with quoted values if the setting is a text in one of the jobs."""
    key = key_of(line.key)
    cfg = next((cfg for cfg in cfgs if text_fields.is_text(key, cfg)), None)
    if cfg is None:
        return line
    return line._replace(values=tuple(text_fields.quote_text(value, key, cfg) for value in line.values))


def _is_value(override: Any) -> bool:
    """Return True for a plain value, such as cluster.k=10; False if the override chooses an option."""
    key = override.key_or_group
    plain = override.type is not None and override.type.name == "CHANGE" and override.package is None
    plain = plain and key != steps.KEY  # each step of the list adds an option to the config
    return plain and not key.startswith("hydra") and not (compose.CONF / key.replace(".", "/")).is_dir()


def _value(overrides: Sequence[str], key: str) -> str:
    return next((o.partition("=")[2] for o in overrides if key_of(o) == key), "")
