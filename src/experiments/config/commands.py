"""Commands and links that reports and the terminal show for copy-paste."""

import sys
from pathlib import Path

from experiments.config.compose import ROOT
from experiments.messages import command, setting

DEFAULT_STORE = f"sqlite:///{ROOT / 'mlflow' / 'mlflow.db'}"  # the default in conf/config.yaml


def python_path() -> str:
    """Return the current interpreter's path for copy-paste; the system Python may lack the package."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def script_command(name: str, *words: str, uri: str) -> str:
    """Return the command of a script, with `tracking.uri` if the store is not the default."""
    return f"{command('python', f'scripts/{name}', *words)}{_store_setting(uri)}"


def redacted_uri(uri: str) -> str:
    """Return a store's address, or `<this store>` if it contains an account and its password."""
    return "<this store>" if _has_account(uri) else uri


def page_link(uri: str, path: str) -> str:
    """Return the link to a page of a server, without an account and its password."""
    kind, _, rest = uri.rstrip("/").partition("://")
    return f"{kind}://{rest.rpartition('@')[2]}{path}"


def _store_setting(uri: str) -> str:
    """Return ` tracking.uri=<uri>`; "" for the default store."""
    if uri == DEFAULT_STORE:
        return ""
    return f" tracking.uri={redacted_uri(uri)}" if _has_account(uri) else f" {setting('tracking.uri', uri)}"


def _has_account(uri: str) -> bool:
    """Return True if an address has an account before its @ or in its options; never for SQLite files."""
    return not uri.startswith("sqlite:") and ("@" in uri or "password=" in uri.lower())
