"""Libraries that numba compiles at their first use on a machine, which takes a minute or two."""

import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)


@cache
def announce(library: str, purpose: str) -> None:
    """Log that a library is about to be compiled, unless its compiled code is on disk.

    Parameters
    ----------
    library
        The package; it is imported after this call.
    purpose
        The method's name in the log, such as UMAP.
    """
    if not is_compiled(library):
        log.info("compiling %s, once for this machine: one or two minutes, more on busy cores", purpose)


def is_compiled(library: str) -> bool:
    """Return True if numba's cache has compiled code of a package, newer than its source.

    The cache is NUMBA_CACHE_DIR, else the source's folder, or the user's cache if that is read-only.
    """
    from numba import config
    from numba.misc.appdirs import AppDirs

    spec = find_spec(library)
    if spec is None or spec.origin is None:
        return False
    source = Path(spec.origin).parent
    name = f"{library}_*"  # numba appends a digest of the source's folder
    if config.CACHE_DIR:  # type: ignore[attr-defined]
        folders = list(Path(config.CACHE_DIR).glob(name))  # type: ignore[attr-defined]
    else:
        users = Path(AppDirs(appname="numba", appauthor=False).user_cache_dir)  # type: ignore[no-untyped-call]
        folders = [source / "__pycache__", *users.glob(name)]
    changed = max(path.stat().st_mtime for path in source.glob("*.py"))
    return any(path.stat().st_mtime >= changed for folder in folders for path in folder.glob("*.nbi"))
