"""Compose a config from overrides as Hydra does, with helpful errors for mistyped ones."""

import logging
import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from experiments.config import mistakes, presets, steps, text_fields
from experiments.config.overrides import key_of, parse

__all__ = ["key_of", "parse"]  # in addition to the functions below

log = logging.getLogger(__name__)


def project_root() -> Path:
    """Return the folder of conf/, outputs/ and corrections/: EXPERIMENTS_ROOT, or the clone of this code."""
    return Path(os.environ.get("EXPERIMENTS_ROOT", Path(__file__).parents[3])).absolute()


ROOT = project_root()
CONF = ROOT / "conf"
SINGLE = ("dataset", "backbone", "reducer", "cluster")  # groups with one option per run
NO_STAGES = ("claims", "experiment", "hydra")
NOT_GROUPS = ("claims", "hydra")  # folders of conf/ without options of a run
STORAGE_KEYS = ("cache.", "tracking.")  # prefixes of the settings of cache and tracking
STORAGE_AND_HYDRA = (*STORAGE_KEYS, "hydra.")

OmegaConf.register_new_resolver("option_list", lambda: option_list(), replace=True)  # conf/hydra/help
OmegaConf.register_new_resolver(  # for conf/config.yaml; cached, so that a config has one folder
    "output_folder", lambda: str(new_output_folder()), replace=True, use_cache=True
)


def compose_config(
    overrides: Sequence[str], *, hydra: bool = False, directory: str | None = None
) -> DictConfig:
    """Compose conf/config.yaml with overrides; raise ValueError with the correct override otherwise.

    Parameters
    ----------
    hydra
        Keep Hydra's own part.
    directory
        A folder of more options, as in --config-dir.
    """
    _refuse(overrides, directory)
    search = [f"hydra.searchpath=[file://{os.path.abspath(directory)}]"] if directory else []

    def compose_words(words: Sequence[str]) -> DictConfig:
        return compose("config", overrides=[*search, *words], return_hydra_config=True)

    overrides = steps.expand(overrides)
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        try:
            cfg = compose_words(overrides)
        except MissingConfigException as error:
            raise ValueError(mistakes.no_such_option(error, overrides, options)) from error
        except YAMLError as error:
            raise ValueError(f"a file in {CONF} is not YAML: {' '.join(str(error).split())}") from error
        except Exception as error:  # Hydra raises many types, not only its own
            raise ValueError(mistakes.explain(error, overrides, compose_words, known_keys())) from error
        texts = text_fields.quote_texts(overrides, cfg)
        cfg = cfg if texts == list(overrides) else compose_words(texts)
        removed = presets.remove_inapplicable(cfg, cfg.hydra.runtime, map(key_of, overrides))
        steps.add_option_settings(cfg, cfg.hydra.runtime)
    if removed:
        preset = cfg.hydra.runtime.choices.experiment
        log.warning(
            "experiment=%s: ignored settings of options that are not chosen: %s", preset, ", ".join(removed)
        )
    return cfg if hydra else without_hydra(cfg)


def _refuse(overrides: Sequence[str], directory: str | None) -> None:
    """Raise ValueError for mistakes that Hydra reports without a hint."""
    if not (CONF / "config.yaml").exists():
        raise ValueError(f"no configs in {CONF}; install a clone (pip install -e .), or set EXPERIMENTS_ROOT")
    if directory and not Path(directory).is_dir():
        raise ValueError(
            f"--config-dir {directory} is not a folder; use a folder of options, such as cluster/mine.yaml"
        )
    for override in parse(overrides):
        group, value = override.key_or_group, override.value()
        if group in SINGLE and isinstance(value, list):
            several = ",".join(map(str, value))
            raise ValueError(
                f"{override.input_line}: {group} takes one option; type -m {group}={several} to run each"
            )


@cache
def known_keys() -> dict[str, list[str]]:
    """Return the options of each key in conf/."""
    groups = [path.name for path in CONF.iterdir() if path.is_dir()]
    return mistakes.known_keys(CONF, [group for group in groups if group not in NO_STAGES])


def option_list() -> str:
    """List all options for --help, one line per group."""
    groups = sorted(path.name for path in CONF.iterdir() if path.is_dir() and path.name not in NOT_GROUPS)
    return "\n".join(f"{group}: {', '.join(options(group))}" for group in groups)


def options(group: str, directory: str | None = None) -> list[str]:
    """Return the options of a config group, including those in --config-dir."""
    folders = [CONF, *([Path(directory)] if directory else [])]
    return sorted({path.stem for folder in folders for path in (folder / group).glob("[!_]*.yaml")})


def new_output_folder(*, anywhere: bool = False, root: Path | None = None) -> Path:
    """Return a new path outputs/<day>/<time>-<6 random characters> for a run or a sweep.

    Parameters
    ----------
    anywhere
        Return a path in a temporary folder if `root` is not writable.
    root
        None: the project's root.
    """
    root = root or project_root()
    now = datetime.now().astimezone()
    present = next(path for path in (root / "outputs", root, *root.parents) if path.exists())
    if anywhere and not (present.is_dir() and os.access(present, os.W_OK)):
        root = Path(tempfile.mkdtemp(prefix="experiments-"))
    return root / "outputs" / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}-{uuid.uuid4().hex[:6]}"


def working_directory() -> Path:
    """Return the folder in which the command was typed, even in a job with hydra.job.chdir=true."""
    if HydraConfig.initialized() and HydraConfig.get().job.chdir:
        return Path(HydraConfig.get().runtime.cwd)
    return Path.cwd()


def without_hydra(cfg: DictConfig) -> DictConfig:
    """Return a composed config without Hydra's part."""
    plain = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    OmegaConf.set_struct(plain, OmegaConf.is_struct(cfg))
    OmegaConf.copy_cache(cfg, plain)
    return plain


def flatten(tree: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """{'cluster': {'k': 10}} -> {'cluster.k': 10}."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, Mapping) and value
        flat |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def choices() -> dict[str, Any]:
    """Return the chosen option of each group of the current job."""
    return dict(HydraConfig.get().runtime.choices)
