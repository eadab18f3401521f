"""Settings as a person types them: what Hydra or a shell would take apart is quoted."""

import re
import shlex
from collections.abc import Iterable

BARE = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
MEANT = ("null", "true", "false", "nan", "inf", "on", "off", "yes", "no")  # what is no text without quotes
NAMED = 12  # of many names, those that a message lists


def override(setting: str, value: str | Iterable[str]) -> str:
    """Spell `setting=value`, or `setting=[value,...]` of several, so that it can be pasted into a shell."""
    names = [value] if isinstance(value, str) else list(value)
    bare = [BARE.fullmatch(name) is not None and name.lower() not in MEANT for name in names]
    spelt = ",".join(name if plain else _quoted(name) for name, plain in zip(names, bare, strict=True))
    typed = f"{setting}={spelt}" if isinstance(value, str) else f"{setting}=[{spelt}]"
    return typed if all(bare) else shlex.quote(typed)


def few(names: Iterable[str], most: int = NAMED) -> str:
    """List the first of many names."""
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")


def _quoted(name: str) -> str:
    """Quote as Hydra reads it: backslashes count only in front of a quote."""
    return '"' + re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), name) + '"'
