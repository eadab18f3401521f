"""What a stage may ask of its surroundings, and its only way to reach them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from experiments.store.keys import FullList, Key, cache_key, digest_of
from experiments.store.values import Store, T


class Report(Protocol):
    """How a stage tells a person, and the run's record, how far it is."""

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show a bar; the context gives the function to call with how many more are done."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of one epoch as they happen."""


class Silent:
    """A report that nobody reads."""

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show nothing."""
        return nullcontext(lambda done: None)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record nothing."""


@dataclass(frozen=True)
class Context:
    """What a stage may ask of its surroundings, and the only way it reaches them.

    Parameters
    ----------
    device
        `cpu` or `cuda`, resolved.
    dtype
        What networks compute in: `float32` or `bfloat16`, resolved.
    threads
        Cores that a stage may keep busy.
    given
        Key of what the stage at work is given: its input and the rows of it.
    """

    device: str
    dtype: str
    threads: int
    store: Store
    report: Report
    given: str = ""

    @classmethod
    def plain(cls, store: Store) -> "Context":
        """Make a context for tests and notebooks: the CPU, two threads, silence."""
        return cls("cpu", "float32", 2, store, Silent())

    def on(self, key: str = "", /, **keys: Any) -> "Context":
        """Return this context for a stage whose input has this key, or these by the name of each input."""
        return replace(self, given=digest_of(**({"input": key} if key else {}), **keys))

    def key(self, stage: Any) -> Key:
        """Return the cache key of what `stage` makes of the input given, on this device.

        The metrics that an evaluator promises are part of it, so that a new one is computed.
        """
        name = type(stage).__module__.rpartition(".")[2]
        metrics = FullList(sorted(getattr(stage, "METRICS", ())))
        parts = {"metrics": metrics} if metrics else {}
        return cache_key(name, stage=stage, **parts, input=self.given, device=self.device, dtype=self.dtype)

    def fitted(self, stage: Any, make: Callable[[], T]) -> T:
        """Return what `stage` makes of the input given, from the store if it is kept there."""
        return self.store.fitted(self.key(stage), make)

    def workdir(self, stage: Any) -> Path:
        """Return the folder for `stage`'s checkpoints on the input given."""
        return self.store.workdir(self.key(stage))
