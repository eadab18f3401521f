"""Context of a stage: device, precision, threads, cache and progress reports."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from experiments.store.keys import FullList, Key, cache_key, digest_of
from experiments.store.values import Store, T


class Report(Protocol):
    """Progress bars on the terminal, and metrics of epochs for MLflow."""

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show a progress bar; yield a function that advances it by a number of units."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the metrics of one epoch as soon as it ends."""


class Silent:
    """A report that drops everything."""

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show nothing."""
        return nullcontext(lambda done: None)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record nothing."""


@dataclass(frozen=True)
class Context:
    """Context of a stage; a stage uses device, threads, cache and terminal only through it.

    Parameters
    ----------
    device
        `cpu` or `cuda`, resolved.
    dtype
        Number type of networks: `float32` or `bfloat16`, resolved.
    threads
        Number of cores that a stage may use.
    input_key
        Cache key of the current stage's input, including the choice of its rows.
    """

    device: str
    dtype: str
    threads: int
    store: Store
    report: Report
    input_key: str = ""

    @classmethod
    def plain(cls, store: Store) -> "Context":
        """Return a context for tests and notebooks: the CPU, two threads, no progress reports."""
        return cls("cpu", "float32", 2, store, Silent())

    def with_input(self, key: str = "", /, **keys: Any) -> "Context":
        """Return this context with the key of a stage's input, or with a key for each of its named inputs."""
        return replace(self, input_key=digest_of(**({"input": key} if key else {}), **keys))

    def key(self, stage: Any) -> Key:
        """Return the cache key of the output of `stage` for the current input on this device.

        It includes the names of an evaluator's metrics, so that an added metric is computed.
        """
        name = type(stage).__module__.rpartition(".")[2]
        metrics = FullList(sorted(getattr(stage, "METRICS", ())))
        parts = {"metrics": metrics} if metrics else {}
        return cache_key(
            name, stage=stage, **parts, input=self.input_key, device=self.device, dtype=self.dtype
        )

    def fitted(self, stage: Any, make: Callable[[], T]) -> T:
        """Return the output of `stage` for the current input: cached, or from calling `make`."""
        return self.store.fitted(self.key(stage), make)

    def workdir(self, stage: Any) -> Path:
        """Return the folder for checkpoints of `stage` on the current input."""
        return self.store.workdir(self.key(stage))
