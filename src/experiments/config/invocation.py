"""What run.py tells its jobs, wherever a launcher starts them: one environment variable, as JSON."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

VARIABLE = "EXPERIMENTS_INVOCATION"


@dataclass(frozen=True)
class Invocation:
    """One call of run.py, as its jobs need to know it.

    Parameters
    ----------
    command
        The command line as it was typed; Hydra is given other words.
    typed
        The overrides of the command line, without a preset's; None if nobody says.
    folder
        The folder that the command holds while its jobs run.
    threads
        What threads=auto means to each job; 0: all cores.
    swept
        The keys that the jobs of a sweep differ in.
    parent
        Store, experiment and id of the sweep's run; None for a single run.
    resumed
        An earlier attempt finished some of the jobs; `folder` has the list.
    """

    command: str = ""
    typed: tuple[str, ...] | None = None
    folder: str = ""
    threads: int = 0
    swept: tuple[str, ...] = ()
    parent: tuple[str, str, str] | None = None
    resumed: bool = False

    def to_json(self) -> str:
        """Return it as one line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Invocation":
        """Read what `to_json` returned."""
        values: dict[str, Any] = json.loads(text)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values | lists)

    @classmethod
    def current(cls) -> "Invocation":
        """Return that of the command at work; an empty one from Python, and in scripts."""
        return cls.from_json(os.environ.get(VARIABLE, "{}"))

    @contextmanager
    def to_jobs(self) -> Iterator[None]:
        """Set the variable for the jobs that start meanwhile."""
        os.environ[VARIABLE] = self.to_json()
        try:
            yield
        finally:
            os.environ.pop(VARIABLE, None)
