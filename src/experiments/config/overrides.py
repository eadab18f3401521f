"""Parse overrides with Hydra's own parser, and expand sweeps into lists of values."""

import difflib
import random
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hydra import __version__ as version
from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override
from hydra.errors import HydraException

from experiments.messages import setting

KEY = re.compile(r"[+~]*[A-Za-z_$][\w.$/@-]*", re.ASCII)
QUOTES = ("'", '"')
WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'])+|\S+""")
BRACKETED = re.compile(r"""['"\[\](){}\\]""")
LATER = {"extend_list": "write the whole list, such as {key}=[a,b]"}  # functions of newer versions of Hydra


def parse(words: Sequence[str]) -> list[Any]:
    """Parse overrides as Hydra does; raise ValueError for a word that is not `key=value`."""
    parser, parsed = OverridesParser.create(), []
    for number, word in enumerate(words):
        if any("\ud800" <= letter <= "\udfff" for letter in word):  # Python's undecodable bytes
            encoding = sys.getfilesystemencoding()
            remedy = "rename the file" if encoding == "utf-8" else "set PYTHONUTF8=1 before Python starts"
            raise ValueError(f"{ascii(word)[1:-1]} contains bytes that are not {encoding}; {remedy}")
        try:
            parsed += parser.parse_overrides([word])
        except HydraException as error:
            before, after = words[number - 1] if number else "", words[number + 1 :]
            raise ValueError(
                _quoting_advice(word, after) or _parse_error(word, str(error), before)
            ) from error
        if not parsed[-1].key_or_group:
            raise ValueError(f"{word} has no key; use key=value, such as cluster.k=20")
    return parsed


def key_of(override: str) -> str:
    """Return the key of `key=value`, `+key=value` or `~key`."""
    return override.lstrip("+~").partition("=")[0]


def plain_value(override: Override) -> str | float:
    """Return the number or text of an override; lists and null as typed, because pandas cannot group them."""
    value = override.value()
    return value if isinstance(value, (str, int, float)) else override.get_value_element_as_str()


def words_of(line: str) -> list[str]:
    """Split a line of overrides at its spaces, except those in quotes."""
    return WORD.findall(line)


class Typed(NamedTuple):
    """An override with an expanded sweep: range(1,3) as 1,2."""

    line: str  # the override as typed
    key: str  # including + or ~
    values: tuple[str, ...]  # in the form to type; empty for ~key and for interval(1,3)
    is_sweep: bool = False

    def __str__(self) -> str:
        return f"{self.key}={','.join(self.values)}" if self.values else self.line


def typed(override: Any, options: Callable[[str], Sequence[str]]) -> Typed:
    """Expand an override's sweep; a sweep of a single value counts as a plain value.

    The override's text is the seed of shuffle(), so a repeated command has the same order.

    Parameters
    ----------
    options
        The options of a config group, for glob().

    Raises
    ------
    ValueError
        If the sweep has no values.
    """
    line = str(override.input_line)
    key, _, value = line.partition("=")
    if override.is_interval_sweep():
        return Typed(line, key, (), is_sweep=True)
    if not override.is_sweep_override():
        return Typed(line, key, (value,) if value else ())
    values = texts(override, options)
    if not values:
        raise ValueError(f"{line} has no values; {_example_values(override, options)}")
    return Typed(line, key, tuple(values), is_sweep=len(values) > 1)


def texts(override: Any, options: Callable[[str], Sequence[str]]) -> list[str]:
    """Return the values of a sweep, each in the form to type."""
    line, value = str(override.input_line), override._value
    if isinstance(value, Glob):
        return value.filter(list(options(override.key_or_group)))
    if isinstance(value, ChoiceSweep) and any(isinstance(element, Glob) for element in value.list):
        raise ValueError(
            f"{line}: glob() cannot be combined with other values; use {override.key_or_group}=glob([a*,b*])"
        )
    state = random.getstate()
    random.seed(line)
    try:
        values = list(override.sweep_string_iterator())
    except (HydraException, ValueError) as error:
        raise ValueError(f"{line} cannot be expanded ({error}); use a list such as 3,5,9") from error
    finally:
        random.setstate(state)
    return _as_typed(line.partition("=")[2], values, value)


def _as_typed(line: str, values: list[str], value: Any) -> list[str]:
    """Return the values of a,b,c as typed if possible, because Hydra turns 1e3 into 1000.0."""
    parts = [part.strip() for part in line.split(",")]
    is_list = isinstance(value, ChoiceSweep) and value.simple_form and not BRACKETED.search(line)
    return parts if is_list and len(parts) == len(values) else values


def _example_values(override: Any, options: Callable[[str], Sequence[str]]) -> str:
    """Return values to type instead of an empty sweep."""
    group = override.key_or_group
    if not isinstance(override._value, Glob):
        return "use a sweep with values, such as range(3,10,2)"
    known = options(group)
    if known:
        return f"{group} has {', '.join(known)}"
    return f"glob() is for groups of options; use range(3,10,2), or a list such as {group}=3,5,9"


def _quoting_advice(word: str, after: Sequence[str]) -> str:
    """Return the correct quotes for a text that arrived with its quotes; "" for other mistakes."""
    outer = word[:1] in QUOTES
    key, _, value = word[outer:].partition("=")
    quote = word[0] if outer else value[:1]
    if not KEY.fullmatch(key) or not value or quote not in QUOTES:
        return ""
    words, rest = [value if outer else value[1:]], iter(after)
    while not words[-1].endswith(quote):
        part = next(rest, "")
        if not part:
            return ""
        words.append(part)
    inner = " ".join(words)[:-1]
    inner = inner[1:-1] if inner[:1] in QUOTES and inner[-1:] == inner[0] else inner
    typed = " ".join([word, *words[1:]])
    return f"{typed}: these quotes do not reach the shell as quotes; type {setting(key, inner)}"


def _parse_error(word: str, reason: str, before: str) -> str:
    """Return why Hydra cannot parse a word, and what to type instead."""
    key, sign, value = word.partition("=")
    if not sign:
        return f"{word} is not key=value; use key=value, such as cluster.k=20{_joined(before, word)}"
    if not KEY.fullmatch(key):
        return f"{word}: {key} is not a setting's name; use key=value, such as cluster.k=20"
    function = re.search(r"Unknown function '(\w+)'", reason)
    if function and function[1] in LATER:
        return f"{word}: Hydra {version} has no {function[1]}(); {LATER[function[1]].format(key=key)}"
    close = difflib.get_close_matches(function[1], create_functions().functions, n=1) if function else []
    if close:
        return f"{word}: Hydra has no {function and function[1]}(); did you mean {close[0]}()?"
    why = re.search(r"evaluating .*?': (.*)", reason)
    detail = f" ({why[1]})" if why and not function else ""
    return f"{word}: Hydra cannot parse the value{detail}; if it is a text, type {setting(key, value)}"


def _joined(before: str, word: str) -> str:
    """Return the advice for a path with a space, which the shell split into two words."""
    key, sign, value = before.partition("=")
    return f"; if it belongs to the word before it, {setting(key, f'{value} {word}')}" if sign else ""
