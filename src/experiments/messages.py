"""Parts of messages: counts, and settings for copy-paste (quoted for a shell, Hydra and OmegaConf)."""

import re
import shlex
from collections.abc import Iterable

PLAIN = re.compile(r"(?:[A-Za-z_/]|\.\.?/)[\w./@+:-]*", re.ASCII)  # texts that need no quotes
MAX_NAMES = 12  # largest number of names in a message
NOT_TEXT = ("null", "true", "false", "nan", "inf", "on", "off", "yes", "no")  # without quotes


def setting(key: str, value: str | Iterable[str]) -> str:
    """Return `key=value` or `key=[value,...]` as one word for a shell."""
    if isinstance(value, str):
        return shlex.quote(f"{key}={text(value)}")
    names = list(value)
    typed = f"{key}=[{','.join(map(text, names))}]"
    return typed if all(map(_is_plain, names)) else shlex.quote(typed)


def text(value: str) -> str:
    r"""Return a text as the value of `key=value`, in double quotes where Hydra needs them.

    Examples
    --------
    >>> print(text("/data/photos"), text("my (photos)"), text("1e3"), text("C:\\"))
    /data/photos "my (photos)" "1e3" "C:\\"
    """
    if _is_plain(value):
        return value
    escaped = re.sub(
        r'(\\*)("|\Z)', lambda match: 2 * match[1] + ('\\"' if match[2] else ""), literal(value)
    )  # Hydra unescapes backslashes only before a quote
    return f'"{escaped}"'


def literal(value: str) -> str:
    """Return a text with escaped ${...}, which OmegaConf would interpolate."""
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)


def _is_plain(value: str) -> bool:
    return PLAIN.fullmatch(value) is not None and value.lower() not in NOT_TEXT


def command(*words: str) -> str:
    """Return words as one line for a shell; a placeholder such as `<folder>` is not quoted."""
    return " ".join(word if re.fullmatch(r"<[^<>]*>", word) else shlex.quote(word) for word in words)


def join_few(names: Iterable[str], most: int = MAX_NAMES) -> str:
    """Return the first names, joined by commas, and the number of all if there are more."""
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")


def counted(number: int, singular: str, plural: str = "") -> str:
    """1, "image" -> "1 image"; 2, "image" -> "2 images"; `plural` if adding an s is wrong."""
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


class StageError(ValueError):
    """A stage's settings cannot be used.

    Parameters
    ----------
    stage
        The group, or a step in it, such as "reducer" or "reducer.pca".
    message
        The message, with `{stage}` before the names of settings.
    """

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(stage, message)
        self.stage, self.message = stage, message

    def __str__(self) -> str:
        """Return the message with the keys as they are typed."""
        return self.message.replace("{stage}", self.stage)

    def of_step(self, name: str) -> "StageError":
        """Return this error with the step's name in the keys of its settings."""
        return StageError(f"{self.stage}.{name}", self.message)


class DataError(ValueError):
    """A file cannot be used as data.

    Parameters
    ----------
    key
        The setting that names the file.
    path
        The file.
    fact
        The problem, as it follows `key=path`.
    advice
        What to type or change.
    """

    def __init__(self, key: str, path: object, fact: str, advice: str) -> None:
        super().__init__(key, path, fact, advice)
        self.key, self.path, self.fact, self.advice = key, path, fact, advice

    def __str__(self) -> str:
        """Return the message with the key as it is typed."""
        return f"{self.key}={self.path}{self.fact}; {self.advice}"
