"""What Pillow and libtiff say of a file, collected with the file.

Both speak to the whole process: Pillow by Python's warnings, which no thread can catch for itself, libtiff on
the standard error. While `listening`, a thread that is `about` a file collects what is said in it.
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

SPOKEN = 500  # bytes of a message of libtiff
_thread = threading.local()
_lock = threading.Lock()
_listeners: list[ExitStack] = []  # the first holds what all of them change in the process
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


@contextmanager
def capture_notices() -> Iterator[None]:
    """Let threads hear what is said of their files; several may listen at once."""
    with _lock:
        _listeners.append(ExitStack() if _listeners else _changed())
    try:
        yield
    finally:
        with _lock:
            if len(_listeners) == 1:
                _listeners[0].close()
            _listeners.pop()


@contextmanager
def file_notices() -> Iterator[list[str]]:
    """Give the list that collects what is said in this thread, each text once."""
    before = getattr(_thread, "texts", None)
    _thread.texts = []
    try:
        yield _thread.texts
    finally:
        _thread.texts = before


def _heard(text: str) -> bool:
    """Add a text to what is said of this thread's file; False if it has none."""
    texts: list[str] | None = getattr(_thread, "texts", None)
    text = " ".join(text.split()).rstrip(".")
    if texts is not None and text not in texts:
        texts.append(text)
    return texts is not None


def _changed() -> ExitStack:
    """Send the process's warnings, Pillow's log and libtiff's errors to the threads' lists."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("always", module=r"PIL\.")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"PIL\.")
        shown = warnings.showwarning

        def show(message: Warning | str, *args: Any, **options: Any) -> None:
            if not _heard(str(message)):
                shown(message, *args, **options)

        warnings.showwarning = show
        logger, log = logging.getLogger("PIL"), _Log(logging.WARNING)
        logger.addHandler(log)
        stack.callback(logger.removeHandler, log)
        stack.callback(setattr, logger, "propagate", logger.propagate)
        logger.propagate = False
        stack.callback(_hear_libtiff())
        return stack.pop_all()


class _Log(logging.Handler):
    """Collect records, or pass them on where no file is at work."""

    def emit(self, record: logging.LogRecord) -> None:
        if not _heard(record.getMessage()):
            logging.getLogger().handle(record)


def _hear_libtiff() -> Callable[[], object]:
    """Take libtiff's errors from the standard error, where Pillow's own copy of it can be reached.

    Returns
    -------
    What gives them back.
    """
    packages = Path(PIL.__file__).parents[1]
    copies = [*packages.glob("pillow.libs/libtiff*"), *packages.glob("PIL/.dylibs/libtiff*")]
    try:
        libtiff, libc = ctypes.CDLL(str(copies[0])), ctypes.CDLL(None)
        setter, written = libtiff.TIFFSetErrorHandler, libc.vsnprintf
    except (IndexError, OSError, AttributeError, TypeError):  # another build, or Windows: it stays as it is
        return lambda: None

    def hear(module: bytes | None, form: bytes, values: int) -> None:
        text = ctypes.create_string_buffer(SPOKEN)
        written(text, ctypes.c_size_t(SPOKEN), form, ctypes.c_void_p(values))
        _heard(text.value.decode(errors="replace"))

    handler = _HANDLER(hear)
    setter.restype = ctypes.c_void_p
    before = setter(handler)
    return lambda: (setter(ctypes.c_void_p(before)), handler)  # which has to live until then
