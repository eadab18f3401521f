"""Libraries that compile their code when they are first used on a machine, which takes a minute or two."""

import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)


@cache
def announce(library: str, purpose: str) -> None:
    """Log that a library compiles now, before it does; nothing where its compiled code is on disk.

    Parameters
    ----------
    library
        The package, imported after this call.
    purpose
        What a person calls it.
    """
    if not is_compiled(library):
        log.info("compiling %s for this machine, once: one or two minutes, or more on busy cores", purpose)


def is_compiled(library: str) -> bool:
    """Return True if numba's cache holds code of a package that is newer than the package itself.

    numba keeps it in NUMBA_CACHE_DIR, else next to the source, or in the user's cache if that is read-only.
    """
    from numba import config
    from numba.misc.appdirs import AppDirs

    spec = find_spec(library)
    if spec is None or spec.origin is None:
        return False
    source = Path(spec.origin).parent
    name = f"{library}_*"  # and a digest of the source's folder
    if config.CACHE_DIR:  # type: ignore[attr-defined]
        folders = list(Path(config.CACHE_DIR).glob(name))  # type: ignore[attr-defined]
    else:
        users = Path(AppDirs(appname="numba", appauthor=False).user_cache_dir)  # type: ignore[no-untyped-call]
        folders = [source / "__pycache__", *users.glob(name)]
    changed = max(path.stat().st_mtime for path in source.glob("*.py"))
    return any(path.stat().st_mtime >= changed for folder in folders for path in folder.glob("*.nbi"))
