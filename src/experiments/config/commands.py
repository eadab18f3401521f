"""The commands that a page and the terminal tell a person to type."""

import sys
from pathlib import Path

from experiments.config.compose import ROOT
from experiments.messages import command, setting

USUAL_STORE = f"sqlite:///{ROOT / 'mlflow' / 'mlflow.db'}"  # where is recorded what is told no other place


def python() -> str:
    """Return the interpreter at work as it is typed here: the system's own may have no such package."""
    place = Path(sys.executable)
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else str(place)


def script(name: str, *words: str, uri: str) -> str:
    """Return the command that runs a script on what a store holds."""
    return f"{command('python', f'scripts/{name}', *words)}{_elsewhere(uri)}"


def told(uri: str) -> str:
    """Return a store's address as it may be shown: without an account and its password."""
    return "<this store>" if _has_account(uri) else uri


def page(uri: str, place: str) -> str:
    """Return the link to a page of a server, without an account and its password."""
    kind, _, rest = uri.rstrip("/").partition("://")
    return f"{kind}://{rest.rpartition('@')[2]}{place}"


def _elsewhere(uri: str) -> str:
    """Return the setting that finds another store than the usual one."""
    if uri == USUAL_STORE:
        return ""
    return f" tracking.uri={told(uri)}" if _has_account(uri) else f" {setting('tracking.uri', uri)}"


def _has_account(uri: str) -> bool:
    """Tell an address with an account, before its @ or among its options; a file's name may have either."""
    return not uri.startswith("sqlite:") and ("@" in uri or "password=" in uri.lower())
