"""Collect the warnings of Pillow and libtiff for each file.

Both warn for the whole process: Pillow with Python's warnings, libtiff on standard error. Within
`capture_notices`, a thread within `file_notices` collects those about its file.
"""

import ctypes
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import PIL

MESSAGE_SIZE = 500  # largest size of a message of libtiff, in bytes
_thread = threading.local()
_lock = threading.Lock()
_captures: list[ExitStack] = []  # the first capture restores the process's handlers
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


@contextmanager
def capture_notices() -> Iterator[None]:
    """Redirect the process's image warnings to the threads' lists; may be nested."""
    with _lock:
        _captures.append(ExitStack() if _captures else _redirected())
    try:
        yield
    finally:
        with _lock:
            if len(_captures) == 1:
                _captures[0].close()
            _captures.pop()


@contextmanager
def file_notices() -> Iterator[list[str]]:
    """Yield the list of this thread's notices, without duplicates."""
    before = getattr(_thread, "texts", None)
    _thread.texts = []
    try:
        yield _thread.texts
    finally:
        _thread.texts = before


def _collect(text: str) -> bool:
    """Add a notice to this thread's list; return False if it has none."""
    texts: list[str] | None = getattr(_thread, "texts", None)
    text = " ".join(text.split()).rstrip(".")
    if texts is not None and text not in texts:
        texts.append(text)
    return texts is not None


def _redirected() -> ExitStack:
    """Redirect Pillow's warnings and log and libtiff's errors to the threads' lists."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("always", module=r"PIL\.")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"PIL\.")
        original = warnings.showwarning

        def show(message: Warning | str, *args: Any, **options: Any) -> None:
            if not _collect(str(message)):
                original(message, *args, **options)

        warnings.showwarning = show
        logger, log = logging.getLogger("PIL"), _Log(logging.WARNING)
        logger.addHandler(log)
        stack.callback(logger.removeHandler, log)
        stack.callback(setattr, logger, "propagate", logger.propagate)
        logger.propagate = False
        stack.callback(_redirect_libtiff())
        return stack.pop_all()


class _Log(logging.Handler):
    """Collect records, or pass them on if the thread has no file."""

    def emit(self, record: logging.LogRecord) -> None:
        if not _collect(record.getMessage()):
            logging.getLogger().handle(record)


def _redirect_libtiff() -> Callable[[], object]:
    """Redirect libtiff's errors from standard error, if Pillow bundles libtiff.

    Returns
    -------
    A function that restores the original handler.
    """
    packages = Path(PIL.__file__).parents[1]
    copies = [*packages.glob("pillow.libs/libtiff*"), *packages.glob("PIL/.dylibs/libtiff*")]
    try:
        libtiff, libc = ctypes.CDLL(str(copies[0])), ctypes.CDLL(None)
        set_handler, vsnprintf = libtiff.TIFFSetErrorHandler, libc.vsnprintf
    except (IndexError, OSError, AttributeError, TypeError):  # another build, or Windows: not redirected
        return lambda: None

    def handle(module: bytes | None, form: bytes, values: int) -> None:
        text = ctypes.create_string_buffer(MESSAGE_SIZE)
        vsnprintf(text, ctypes.c_size_t(MESSAGE_SIZE), form, ctypes.c_void_p(values))
        _collect(text.value.decode(errors="replace"))

    handler = _HANDLER(handle)
    set_handler.restype = ctypes.c_void_p
    before = set_handler(handler)
    return lambda: (set_handler(ctypes.c_void_p(before)), handler)  # keeps a reference to the handler
