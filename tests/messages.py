"""Check a message by its key and its suggestion, so that its prose can be improved."""

import re

import pytest


def says(message: BaseException | pytest.ExceptionInfo | str, *, key: str = "", use: str = "") -> str:
    """Assert that a message names `key` as it was typed, and after it what to type instead; return its text.

    Parameters
    ----------
    key
        A setting, path or name as typed, such as `cluster.k=0`.
    use
        What the message suggests: a setting, command or range, such as `cluster.k=10` or `1 or more`.
    """
    error = message.value if isinstance(message, pytest.ExceptionInfo) else message
    text = " ".join(str(error).split())
    start = 0
    if key:
        match = re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text)
        assert match, f"{key!r} is not named in: {text}"
        start = match.end()
    assert use in text[start:], f"{use!r} is not suggested after {key!r} in: {text}"
    return text


def numbers(text: str) -> list[str]:
    """Return the numbers in a text as they are written, such as ["2", "1,021", "44.4%"]."""
    return re.findall(r"(?<!\w)\d+(?:[.,]\d+)*%?", text)
