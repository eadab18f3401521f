"""Hydra's composition of conf/ with its slow parts cached: the tests compose about a thousand configs.

Cached are parsed files, the list of files that the choices of options lead to, and their merged content. How
typed settings change that content, what Hydra refuses, and folders of further options are never cached.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, ConfigRepository, IConfigRepository

from experiments.config.compose import CONF


@contextmanager
def cached() -> Iterator[None]:
    """Cache slow parts of compositions."""
    results: dict[str, bytes] = {}

    def once(repository: IConfigRepository, compute: Callable[[], Any], *key: object) -> Any:
        delegate = repository.delegate if isinstance(repository, CachingConfigRepository) else repository
        paths = [source.path for source in delegate.get_sources()]
        if not set(paths) <= {"hydra.conf", str(CONF), ""}:
            return compute()
        name = repr((compute.__qualname__, paths, key))
        if name not in results:
            results[name] = pickle.dumps(compute())
        return pickle.loads(results[name])

    load, merge = ConfigRepository.load_config, ConfigLoaderImpl._compose_config_from_defaults_list
    order = defaults_list._create_defaults_list

    def load_config(self: ConfigRepository, config_path: str) -> Any:
        return once(self, lambda: load(self, config_path), config_path)

    def merge_files(self: ConfigLoaderImpl, defaults: Any, repo: Any) -> Any:
        return once(repo, lambda: merge(self, defaults, repo), defaults)

    def list_files(repo: Any, config_name: Any, overrides: Any, **options: Any) -> Any:
        choices = {name: value for name, value in vars(overrides).items() if name != "config_overrides"}

        def compute() -> Any:
            files = order(repo, config_name, overrides, **options)
            return files, {name: vars(overrides)[name] for name in choices}

        files, state = once(repo, compute, config_name, choices, options)
        vars(overrides).update(state)
        return files

    with ExitStack() as patches:
        patches.enter_context(patch.object(ConfigRepository, "load_config", load_config))
        patches.enter_context(
            patch.object(ConfigLoaderImpl, "_compose_config_from_defaults_list", merge_files)
        )
        patches.enter_context(patch.object(defaults_list, "_create_defaults_list", list_files))
        yield
