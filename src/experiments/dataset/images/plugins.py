"""Packages that let Pillow read further formats, and what to type if one is missing."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple


class Plugin(NamedTuple):
    """A package of a format.

    Parameters
    ----------
    begins
        Possible bytes of a file from its fifth on.
    """

    package: str
    module: str
    extensions: tuple[str, ...]
    begins: tuple[bytes, ...]


PLUGINS = {  # by Pillow's name of the format
    "HEIF": Plugin(
        "pillow-heif",
        "pillow_heif",
        (".heic", ".heics", ".heif", ".heifs", ".hif"),
        (b"ftyphe", b"ftypmif1", b"ftypmsf1"),
    ),
    "JXL": Plugin("pillow-jxl-plugin", "pillow_jxl", (".jxl",), (b"JXL ",)),
}
EXTENSIONS = tuple(extension for plugin in PLUGINS.values() for extension in plugin.extensions)


@cache
def installed() -> frozenset[str]:
    """Return the formats whose plugins are installed."""
    return frozenset(name for name, plugin in PLUGINS.items() if find_spec(plugin.module))


def register() -> None:
    """Register the installed plugins with Pillow."""
    for name in installed():
        module = import_module(PLUGINS[name].module)  # registers JXL by itself
        if name == "HEIF":  # files are decoded in parallel, so each on a single thread
            module.register_heif_opener(decode_threads=1, depth_images=False, aux_images=False)


def missing_packages(extensions: Iterable[str]) -> list[str]:
    """Return the packages that have to be installed to read files with these extensions."""
    wanted = set(extensions)
    missing = [plugin for name, plugin in PLUGINS.items() if name not in installed()]
    return [plugin.package for plugin in missing if wanted.intersection(plugin.extensions)]


def extension_by_content(data: bytes) -> str:
    """Return the usual extension of files of a plugin that begin with these bytes, "" for other files."""
    usual = (plugin.extensions[0] for plugin in PLUGINS.values() if data.startswith(plugin.begins, 4))
    return next(usual, "")


def unsupported(extension: str) -> str:
    """Return the reason why files with an extension such as .heic are left out, and what to type."""
    kind, packages = extension.removeprefix(".").upper(), missing_packages([extension])
    if packages:
        return f"{kind} needs a plugin; type {install(packages)}"
    return f"{kind} is not supported; convert it to JPEG or PNG"


def install(packages: Iterable[str]) -> str:
    """Return the command that installs packages."""
    return f"python -m pip install {' '.join(packages)}"
