"""Words of messages: counts, and settings as they are typed (quoted for a shell, Hydra and OmegaConf)."""

import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

PLAIN = re.compile(r"(?:[A-Za-z_/]|\.\.?/)[\w./@+:-]*", re.ASCII)  # a text to Hydra and to every shell
NAMED = 12  # of many names, those that a message lists
MEANT = ("null", "true", "false", "nan", "inf", "on", "off", "yes", "no")  # what is no text without quotes


def setting(key: str, value: str | Iterable[str]) -> str:
    """Return `key=value`, or `key=[value,...]` of several, as one word that can be pasted into a shell."""
    if isinstance(value, str):
        return shlex.quote(f"{key}={text(value)}")
    names = list(value)
    typed = f"{key}=[{','.join(map(text, names))}]"
    return typed if all(map(_is_plain, names)) else shlex.quote(typed)


def text(value: str) -> str:
    r"""Return a text as Hydra reads it in `key=value`, in double quotes where it needs some.

    Examples
    --------
    >>> print(text("/data/photos"), text("my (photos)"), text("1e3"), text("C:\\"))
    /data/photos "my (photos)" "1e3" "C:\\"
    """
    if _is_plain(value):
        return value
    escaped = re.sub(
        r'(\\*)("|\Z)', lambda match: 2 * match[1] + ('\\"' if match[2] else ""), literal(value)
    )  # to Hydra, backslashes count only before a quote
    return f'"{escaped}"'


def literal(value: str) -> str:
    """Return a text as it stands in a config: ${...} is an interpolation to OmegaConf otherwise."""
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)


def _is_plain(value: str) -> bool:
    return PLAIN.fullmatch(value) is not None and value.lower() not in MEANT


def command(*words: str) -> str:
    """Return words as one line for a shell; `<what to fill in>` stays as it is."""
    return " ".join(word if re.fullmatch(r"<[^<>]*>", word) else shlex.quote(word) for word in words)


def join_few(names: Iterable[str], most: int = NAMED) -> str:
    """Return the first names, joined by commas, and the number of all if there are more."""
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")


def counted(number: int, one: str, many: str = "") -> str:
    """1, "image" -> "1 image"; 2, "image" -> "2 images"; `many` where an s is not enough."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


@contextmanager
def keys_within(outer: str, name: str) -> Iterator[None]:
    """Let errors about settings of `outer` name those of a stage inside it: `reducer.pca.n_components`."""
    try:
        yield
    except ValueError as error:
        inner = re.sub(rf"\b{outer}\.(?!{re.escape(name)}\.)", f"{outer}.{name}.", str(error))
        raise ValueError(inner) from error
