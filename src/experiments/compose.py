"""From overrides to a composed config, as Hydra does it, with answers to what was mistyped."""

import difflib
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

ROOT = Path(os.environ.get("EXPERIMENTS_ROOT", Path(__file__).parents[2])).absolute()
CONF = ROOT / "conf"
NOT_GROUPS = ("claims", "hydra")  # folders of conf/ whose files are no options of ours
KEPT = ("cache.", "tracking.")  # settings that say where things are kept
PLACES = (*KEPT, "hydra.")  # the same, and Hydra's own
OUTPUT = "EXPERIMENTS_OUTPUT"  # where conf/config.yaml tells Hydra to put a run or a sweep

OmegaConf.register_new_resolver("option_list", lambda: option_list(), replace=True)  # conf/hydra/help


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
    if directory and not Path(directory).is_dir():
        raise ValueError(
            f"--config-dir {directory} is no folder; give one that holds cluster/mine.yaml or the like"
        )
    search = [f"hydra.searchpath=[file://{os.path.abspath(directory)}]"] if directory else []
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        try:
            return compose("config", overrides=[*search, *overrides], return_hydra_config=hydra)
        except MissingConfigException as error:
            raise ValueError(_no_such_option(error, overrides)) from error
        except YAMLError as error:
            raise ValueError(f"a file in {CONF} is not YAML: {' '.join(str(error).split())}") from error
        except (ConfigCompositionException, HydraException, OmegaConfBaseException) as error:
            raise ValueError(_explain(error, overrides, search)) from error


def parse(overrides: Sequence[str]) -> list[Any]:
    """Parse overrides as Hydra does; raise ValueError on what is not `key=value`."""
    for override in overrides:
        if any("\ud800" <= letter <= "\udfff" for letter in override):  # how Python keeps undecodable bytes
            encoding = sys.getfilesystemencoding()
            remedy = "rename the file" if encoding == "utf-8" else "set PYTHONUTF8=1 before Python starts"
            raise ValueError(f"{ascii(override)[1:-1]} holds bytes that are no {encoding}; {remedy}")
    try:
        return list(OverridesParser.create().parse_overrides(list(overrides)))
    except HydraException as error:
        raise ValueError(f"{str(error).splitlines()[0]}; write key=value, such as cluster.k=20") from error


def option_list() -> str:
    """Name every option that can be typed, a group a line: for --help."""
    groups = sorted(path.name for path in CONF.iterdir() if path.is_dir() and path.name not in NOT_GROUPS)
    return "\n".join(f"{group}: {', '.join(options(group))}" for group in groups)


def options(group: str) -> list[str]:
    """Name the options of a config group."""
    return sorted(path.stem for path in (CONF / group).glob("[!_]*.yaml"))


@contextmanager
def output_folder(*, anywhere: bool = False, root: Path = ROOT) -> Iterator[Path]:
    """Name a new folder for a run or a sweep; a random end keeps two of the same second apart.

    Parameters
    ----------
    anywhere
        Name a temporary one where `root` cannot be written.
    """
    now = datetime.now().astimezone()
    present = next(path for path in (root / "outputs", root, *root.parents) if path.exists())
    if anywhere and not (present.is_dir() and os.access(present, os.W_OK)):
        root = Path(tempfile.mkdtemp(prefix="experiments-"))
    folder = root / "outputs" / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}-{uuid.uuid4().hex[:6]}"
    os.environ[OUTPUT] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop(OUTPUT, None)


def working_directory() -> Path:
    """Return the folder that a command was typed in, also in a job that hydra.job.chdir moved to its own."""
    if HydraConfig.initialized() and HydraConfig.get().job.chdir:
        return Path(HydraConfig.get().runtime.cwd)
    return Path.cwd()


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


DATA = ("dataset", "dataset.root", "dataset.path")


def run_name(overrides: Sequence[str]) -> str:
    """Name a run by what was typed for it, paths by their last part; where it is kept is left out.

    Which data it is stands last: pages show how a name begins, and runs of one data set side by side.
    """
    told = [override for override in overrides if not key_of(override).startswith(PLACES)]
    told.sort(key=lambda override: key_of(override) in DATA)
    pairs = (override.partition("=") for override in told)
    named = [f"{key}{sign}{value.rstrip('/').rpartition('/')[2]}" for key, sign, value in pairs]
    return " ".join(named) or "run"


def key_of(override: str) -> str:
    """Return the key of `key=value`, `+key=value` or `~key`."""
    return override.lstrip("+~").partition("=")[0]


def no_such_key(key: str, option: str, names: Sequence[str]) -> str:
    """Say which settings there are, and which one was meant."""
    place, _, name = key.rpartition(".")
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {f'{place}.' if place else ''}{close[0]}?" if close else ""
    return f"{key}: {option} has no setting {name}; its settings are {', '.join(names)}{hint}"


def _no_such_option(error: MissingConfigException, overrides: Sequence[str]) -> str:
    group, _, name = str(error.missing_cfg_file or "").rpartition("/")
    typed = next((o for o in overrides if key_of(o) == group), f"{group}={name}")
    valid = [option for option in error.options or options(group) if not option.startswith("_")]
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{typed} is not an option; {group} has {', '.join(valid) or 'none'}{hint}"


def _explain(error: Exception, overrides: Sequence[str], search: Sequence[str]) -> str:
    """Say which override the config has no place for, and what it has; else Hydra's first line."""
    plain = [o for o in overrides if not o.startswith(("+", "~", "hydra"))]
    values = [o for o in plain if not (CONF / key_of(o)).is_dir()]
    base = compose("config", overrides=[*search, *(o for o in plain if o not in values)])
    for override in values:
        if OmegaConf.select(base, key_of(override), default=error) is error:
            return f"{override}: {_place_for(key_of(override), base)}"
    return next(line for line in str(error).splitlines() if line.strip())


def _place_for(key: str, base: DictConfig) -> str:
    place = key.rpartition(".")[0]
    node = OmegaConf.select(base, place) if place else base
    if not isinstance(node, DictConfig):
        return no_such_key(place, "the config", [str(k) for k in base]).partition(": ")[2]
    names = [str(k) for k in node if k not in ("_target_", "hydra")]
    target = str(node.get("_target_", "the config")).rpartition(".")[2] if place else "the config"
    return no_such_key(key, target, names).partition(": ")[2]
