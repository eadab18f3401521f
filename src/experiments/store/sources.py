"""The source of stages from outside this package, which is part of their cache keys."""

import contextlib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


@cache
def source(cls: type) -> str:
    """Return the source of a stage's module: of its methods if it is a script's or a notebook's, "" if ours.

    Ours have a `VERSION` instead, which is raised only when results change.
    """
    if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return ""
    methods = [member for member in vars(cls).values() if inspect.isfunction(member)]
    texts = []
    for part in methods if cls.__module__ == "__main__" else [sys.modules[cls.__module__]]:
        with contextlib.suppress(OSError, TypeError):  # generated methods, and modules without a file
            texts.append(inspect.getsource(part))
    return "\n".join(texts)


def sources(value: Any) -> dict[str, str]:
    """Return the sources by class of all stages in a stage, a mapping or a list that are not ours."""
    if is_dataclass(value) and not isinstance(value, type):
        text = source(type(value))
        own = {f"{type(value).__module__}.{type(value).__qualname__}": text} if text else {}
        return own | sources([getattr(value, f.name) for f in fields(value)])
    if isinstance(value, Mapping):
        return sources(list(value.values()))
    if isinstance(value, (list, tuple)):
        return {name: text for part in value for name, text in sources(part).items()}
    return {}
