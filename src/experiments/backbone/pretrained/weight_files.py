"""Files of weights: where they are, what they hold, how missing ones come here. Imports no torch."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from experiments.store.file_hashes import sha256
from experiments.store.locks import Lock

log = logging.getLogger(__name__)

PRETRAINED, NONE = "pretrained", "none"
SECONDS = (2, 30)  # to connect, and between two pieces: a machine without a network is told so at once
PIECE = 1 << 20
DIGITS = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # torchvision puts the beginning of its SHA-256 into a name


def names_a_file(weights: str) -> bool:
    """Tell whether `backbone.weights` is a path."""
    return weights not in (PRETRAINED, NONE)


def check(weights: str, seed: int) -> None:
    """Raise ValueError for a file that is not there, and for what is no seed."""
    if names_a_file(weights) and not Path(weights).is_file():
        raise ValueError(
            f"backbone.weights={weights} is no file; use pretrained, none, or the path of a state dict "
            "(.safetensors, or .pth as torch.save writes it)"
        )
    if not 0 <= seed < 2**63:
        raise ValueError(f"backbone.seed={seed} is not a seed; use 0 or more")


def found(sources: Sequence[tuple[str, str]], folder: Path, model: str) -> Path:
    """Return the first of these files that is in `folder`, or download the first that is offered.

    Parameters
    ----------
    sources
        (address, file name) pairs, the best first.

    Raises
    ------
    ValueError
        If there is none; the message names the file and its place.
    """
    if not sources:
        raise ValueError(
            f"backbone.weights=pretrained has no weights for backbone.model={model}; use "
            "backbone.weights=none, or backbone.weights=<the path of a state dict>"
        )
    for _, name in sources:
        if (folder / name).is_file():
            return folder / name
    try:
        return _downloaded(sources, folder)
    except OSError as error:  # requests' errors are OSErrors too
        reason = "no network" if "resolve" in str(error).lower() else str(error)
        raise ValueError(
            f"backbone.weights=pretrained needs {sources[0][1]} for backbone.model={model}, which is not in "
            f"{folder} and cannot be downloaded ({reason}); put that file there, or use "
            "backbone.weights=<the path of a state dict>, or backbone.weights=none for random ones"
        ) from error


def _downloaded(sources: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Download the first file that is offered, whole or not at all."""
    import requests

    for address, name in sources:
        with requests.get(address, stream=True, timeout=SECONDS) as answer:
            if answer.status_code == requests.codes.not_found:
                continue
            answer.raise_for_status()
            size = int(answer.headers.get("Content-Length", 0))
            log.info("downloading %s (%.0f MB) into %s", name, size / 1e6, folder)
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{name}.partial"
            lock = Lock(folder / f".{name}.lock", seconds=-1)  # what a killed process left is written over
            try:
                if (folder / name).exists():  # another process was faster
                    return folder / name
                with partial.open("wb") as file:
                    file.writelines(answer.iter_content(PIECE))
                _verify(partial, name, size)
                return partial.replace(folder / name)
            finally:
                partial.unlink(missing_ok=True)
                lock.release()
    raise OSError("it is not offered any more")


def _verify(path: Path, name: str, size: int) -> None:
    if size and path.stat().st_size != size:
        raise OSError(f"it ended after {path.stat().st_size:,} of {size:,} bytes")
    digits = DIGITS.search(name)
    if digits and not sha256(path).startswith(digits.group(1)):
        raise OSError("what came is not the file that its name says")
