"""From the words of a command line to checked jobs, and to what Hydra is to run of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser  # the parser that hydra.main itself uses
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.config import compose, presets, steps, text_fields
from experiments.config.build import build, check_objective
from experiments.config.concurrency import at_once
from experiments.config.overrides import Typed, key_of, parse, typed
from experiments.config.plan import Plan
from experiments.messages import setting
from experiments.numerics.threads import cores

log = logging.getLogger(__name__)

RESUME = "resume"  # taken from the command here: no job has it
PARAMS = "hydra.sweeper.params"


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Parameters
    ----------
    plans
        One per job; for an optimiser, which decides its jobs as it goes, the one that it starts from.
    jobs
        The overrides of each job.
    swept
        The keys that the jobs differ in.
    typed
        The overrides of the command line, without resume.
    words
        What Hydra is given in their stead: exactly these jobs, sweeps written out.
    resume
        Which sweep to go on with: empty, `true`, a run's id or a folder.
    at_once
        How many jobs the launcher runs at the same time on this machine.
    """

    plans: list[Plan]
    jobs: list[list[str]]
    swept: list[str]
    multirun: bool
    optimiser: bool
    folder: Path
    typed: list[str]
    words: list[str]
    resume: str = ""
    at_once: int = 1

    @property
    def threads(self) -> int:
        """What threads=auto means to each job."""
        return max(1, cores() // self.at_once)


def arguments(words: Sequence[str] | None = None) -> Any:
    """Return flags and overrides, as Hydra's own parser does; raise ValueError for a flag that is none."""
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(words)


def read(args: Any) -> Request:
    """Compose and build every job; raise ValueError that says what to type instead."""
    refuse_flags(args)
    overrides = steps.expanded([word for word in args.overrides if key_of(word) != RESUME])
    lines = _written_out(overrides, args.config_dir)
    fixed = [str(line) for line in lines if not line.is_sweep]
    base = compose.compose_config(fixed, hydra=True, directory=args.config_dir)
    multirun = args.multirun or base.hydra.mode == RunMode.MULTIRUN
    _refuse_several([line for line in lines if line.is_sweep], base, multirun=multirun)
    optimiser = not str(base.hydra.sweeper._target_).endswith("BasicSweeper")
    resume = _resume(args.overrides, multirun=multirun, optimiser=optimiser)
    if multirun and not optimiser:
        return _sweep(base, overrides, lines, args.config_dir, resume)
    plan = build(compose.without_hydra(base), overrides)
    if optimiser:
        check_objective(plan.settings.objective, plan.stages)
    folder = Path(base.hydra.sweep.dir if multirun else base.hydra.run.dir).absolute()
    words = overrides if optimiser else text_fields.as_texts(fixed, base)
    several = at_once(base.hydra, None, cores()) if multirun else 1
    return Request([plan], [overrides], [], multirun, optimiser, folder, overrides, words, at_once=several)


def _written_out(words: Sequence[str], directory: str | None) -> list[Typed]:
    """Return overrides with their sweeps value by value."""
    options = partial(compose.options, directory=directory)
    return [typed(override, options) for override in parse(words)]


def _sweep(
    base: DictConfig, overrides: list[str], lines: list[Typed], directory: str | None, resume: str
) -> Request:
    """Return the request of a sweep whose jobs are known before it runs.

    Parameters
    ----------
    base
        The config without the values that are swept.
    lines
        The overrides, written out; a preset's lists come before them.
    """
    _refuse_intervals(lines)
    _refuse_presets(lines, directory)
    lists = _lists(base, overrides)
    lines = [*_written_out([f"{key}={value}" for key, value in lists.items()], directory), *lines]
    jobs, cfgs = _composed(lines, base, directory)
    texts = [_as_texts(line, cfgs) for line in lines]
    if texts != lines:
        jobs, cfgs = _composed(texts, base, directory)
    _refuse_one_folder(base, len(jobs))
    swept = _differing(lines, jobs)
    steps.leave_out(cfgs, swept)
    return Request(
        [build(cfg, overrides) for cfg in cfgs],
        jobs,
        swept,
        multirun=True,
        optimiser=False,
        folder=Path(base.hydra.sweep.dir).absolute(),
        typed=overrides,
        words=[*map(str, texts), *([f"{PARAMS}=null"] if base.hydra.sweeper.params else [])],
        resume=resume,
        at_once=at_once(base.hydra, len(jobs), cores()),
    )


def _lists(base: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the lists that a preset sweeps, but for those of options that are not chosen."""
    lists = base.hydra.sweeper.params or {}
    gone = presets.without_place(set(lists).difference(map(key_of, overrides)), base)
    if gone:
        log.warning("the preset's sweep: left out for options not chosen: %s", ", ".join(gone))
    return {str(key): value for key, value in lists.items() if key not in gone}


def _differing(lines: Sequence[Typed], jobs: Sequence[Sequence[str]]) -> list[str]:
    """Return the swept keys that have several values among the jobs."""
    keys = dict.fromkeys(key_of(line.key) for line in lines if line.is_sweep)
    return [key for key in keys if len({_value(job, key) for job in jobs}) > 1]


def _refuse_one_folder(base: DictConfig, jobs: int) -> None:
    """Raise ValueError if the jobs of a sweep are to share a folder."""
    subdir = str(OmegaConf.to_container(base.hydra.sweep, resolve=False)["subdir"])  # type: ignore[index, call-overload]
    if jobs > 1 and "${" not in subdir:
        raise ValueError(
            f"hydra.sweep.subdir={subdir} puts all {jobs} jobs into one folder; leave it out, or use "
            "hydra.sweep.subdir='${hydra:job.num}'"
        )


def _refuse(message: str) -> NoReturn:
    raise ValueError(
        f"{message}; settings are key=value without dashes; run.py --help lists flags and options"
    )


def refuse_flags(args: Any) -> None:
    """Raise ValueError for a flag of Hydra that would run something else than what is checked here."""
    if args.experimental_rerun is not None:
        raise ValueError(
            f"--experimental-rerun={args.experimental_rerun} is not for runs of this framework; "
            "python scripts/verify.py RUN_ID repeats a recorded one"
        )
    if args.run and args.multirun:
        raise ValueError("--run --multirun contradict each other; use one of them")
    if args.config_name not in (None, "config", "config.yaml"):
        name = args.config_name.removesuffix(".yaml")
        raise ValueError(
            f"--config-name={args.config_name}: the config is conf/config.yaml; keep your settings in "
            f"conf/experiment/{name}.yaml, or DIR/experiment/{name}.yaml with --config-dir DIR, and type "
            f"{setting('experiment', name)}"
        )
    if args.config_path is not None and Path(args.config_path).absolute() != compose.CONF:
        path = args.config_path
        raise ValueError(
            f"--config-path={path}: configs are in conf/; to add yours, type --config-dir={path}"
        )


def _refuse_several(sweeps: Sequence[Typed], base: DictConfig, *, multirun: bool) -> None:
    """Raise ValueError for several values where one is wanted."""
    for sweep in sweeps:
        if sweep.key.startswith(("hydra.", "hydra/")):
            raise ValueError(f"{sweep.line} gives several values to Hydra's own setting; choose one")
        if not multirun:
            one = setting(sweep.key, sweep.line.partition("=")[2])
            hint = f", or {one} if that is one text" if text_fields.is_text(sweep.key, base) else ""
            raise ValueError(
                f"{sweep.line} gives several values; type -m before it to run a job for each{hint}"
            )


def _refuse_intervals(lines: Sequence[Typed]) -> None:
    for line in lines:
        if line.is_sweep and not line.values:
            raise ValueError(f"{line.line} is for optimisers alone; use {line.key}=range(1,10,2), or 3,5,9")


def _refuse_presets(lines: Sequence[Typed], directory: str | None) -> None:
    """Raise ValueError for several presets if one has a sweep list, which Hydra would leave out."""
    keys = {key_of(line.key) for line in lines}
    for line in lines:
        for name in line.values if line.key == "experiment" and line.is_sweep else ():
            cfg = compose.compose_config([f"experiment={name}"], hydra=True, directory=directory)
            params = cfg.hydra.sweeper.params or {}
            lists = " ".join(f"{key}={value}" for key, value in params.items() if key not in keys)
            if lists:
                raise ValueError(
                    f"{line.line}: {name} sweeps {lists}, which several presets at once would not; type that "
                    "list as well, or run each preset by itself"
                )


def _resume(overrides: Sequence[str], *, multirun: bool, optimiser: bool) -> str:
    """Return which sweep to go on with, as it was typed; empty for none."""
    words = [word.partition("=")[2].strip("'\"") for word in overrides if key_of(word) == RESUME]
    word = words[-1] if words else ""
    if word.lower() in ("", "null", "false"):
        return ""
    if not multirun:
        raise ValueError(
            f"resume={word} is for sweeps (-m); a single run that was interrupted goes on with the same "
            "command, without it"
        )
    if optimiser:
        raise ValueError(
            f"resume={word}: an optimiser decides its jobs as it goes; use its own storage, such as "
            "hydra.sweeper.storage of Optuna's"
        )
    return word


def _composed(
    lines: Sequence[Typed], base: DictConfig, directory: str | None
) -> tuple[list[list[str]], list[DictConfig]]:
    """Return the overrides of each job, and its config; each choice of options is composed once."""
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
    """Return the overrides that are no plain values: jobs that share them differ in values alone."""
    return tuple(str(o.input_line) for o in overrides if not _is_value(o))


def _has(cfg: DictConfig, key: str) -> bool:
    """Return True if a config has this setting."""
    parent, _, name = key.rpartition(".")
    node: Any = OmegaConf.select(cfg, parent) if parent else cfg
    return isinstance(node, DictConfig) and name in node


def _as_texts(line: Typed, cfgs: Sequence[DictConfig]) -> Typed:
    """Return a setting with its values in quotes where a job has it as a text."""
    key = key_of(line.key)
    cfg = next((cfg for cfg in cfgs if text_fields.is_text(key, cfg)), None)
    if cfg is None:
        return line
    return line._replace(values=tuple(text_fields.as_text(value, key, cfg) for value in line.values))


def _is_value(override: Any) -> bool:
    """Return True for a plain value, such as cluster.k=10, False for what changes the composition."""
    key = override.key_or_group
    plain = override.type is not None and override.type.name == "CHANGE" and override.package is None
    plain = plain and key != steps.KEY  # which options stand in the config
    return plain and not key.startswith("hydra") and not (compose.CONF / key.replace(".", "/")).is_dir()


def _value(overrides: Sequence[str], key: str) -> str:
    return next((o.partition("=")[2] for o in overrides if key_of(o) == key), "")
