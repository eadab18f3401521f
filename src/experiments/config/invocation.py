"""Facts about the command, passed to its jobs in one environment variable as JSON."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

VARIABLE = "EXPERIMENTS_INVOCATION"


@dataclass(frozen=True)
class Invocation:
    """Facts about one call of run.py for its jobs.

    Parameters
    ----------
    command
        The command line as typed; Hydra gets rewritten overrides.
    typed
        The overrides of the command line, without a preset's; None if unknown.
    folder
        The folder that the command locks while its jobs run.
    threads
        Threads of each job with threads=auto; 0: all cores.
    swept
        The keys whose values differ between the jobs of a sweep.
    parent
        Store, experiment and id of the sweep's run; None for a single run.
    resumed
        True if an earlier attempt finished some of the jobs; sweep.json in `folder` lists them.
    """

    command: str = ""
    typed: tuple[str, ...] | None = None
    folder: str = ""
    threads: int = 0
    swept: tuple[str, ...] = ()
    parent: tuple[str, str, str] | None = None
    resumed: bool = False

    def to_json(self) -> str:
        """Return the invocation as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Invocation":
        """Parse an invocation from the JSON of `to_json`."""
        values: dict[str, Any] = json.loads(text)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values | lists)

    @classmethod
    def current(cls) -> "Invocation":
        """Return the invocation of the running command; an empty one in scripts and notebooks."""
        return cls.from_json(os.environ.get(VARIABLE, "{}"))

    @contextmanager
    def passed_to_jobs(self) -> Iterator[None]:
        """Set the environment variable for jobs that start within the `with` block."""
        os.environ[VARIABLE] = self.to_json()
        try:
            yield
        finally:
            os.environ.pop(VARIABLE, None)
