"""Find, download and verify weight files. Imports no torch."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from experiments.store.file_hashes import sha256
from experiments.store.locks import Lock

log = logging.getLogger(__name__)

PRETRAINED, NONE = "pretrained", "none"
TIMEOUTS = (2, 30)  # seconds to connect (short, for machines without a network) and between chunks
CHUNK = 1 << 20
HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # SHA-256 in torchvision's file names


def is_file_path(weights: str) -> bool:
    """Return True if `backbone.weights` is a path."""
    return weights not in (PRETRAINED, NONE)


def check(weights: str, seed: int) -> None:
    """Raise ValueError if the weight file does not exist or the seed is negative."""
    if is_file_path(weights) and not Path(weights).is_file():
        raise ValueError(
            f"backbone.weights={weights} does not exist; use pretrained, none, or the path of a state dict "
            "(.safetensors, or .pth written by torch.save)"
        )
    if not 0 <= seed < 2**63:
        raise ValueError(f"backbone.seed={seed} is not a seed; use 0 or more")


def find_or_download(sources: Sequence[tuple[str, str]], folder: Path, model: str) -> Path:
    """Return the path of the first file that exists in `folder`; if none does, download one.

    Parameters
    ----------
    sources
        (URL, file name) pairs, the preferred one first.

    Raises
    ------
    ValueError
        If no file is available; the message has the URL and path of the preferred one.
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
        return _download(sources, folder)
    except OSError as error:  # includes the errors of requests
        url, name = sources[0]
        reason = "no network" if "resolve" in str(error).lower() else str(error)
        raise ValueError(
            f"backbone.weights=pretrained needs weights for backbone.model={model}, which cannot be "
            f"downloaded ({reason}); get {url} elsewhere and save it as {(folder / name).absolute()}, or use "
            "backbone.weights=<the path of a state dict>, backbone=efficientnet_lite0, whose weights set-up "
            "installed, or backbone.weights=none for random weights"
        ) from error


def _download(sources: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Download the first available file; remove incomplete ones."""
    import requests

    for url, name in sources:
        with requests.get(url, stream=True, timeout=TIMEOUTS) as response:
            if response.status_code == requests.codes.not_found:
                continue
            response.raise_for_status()
            size = int(response.headers.get("Content-Length", 0))
            log.info("downloading %s (%.0f MB) into %s", name, size / 1e6, folder)
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{name}.partial"
            lock = Lock(folder / f".{name}.lock", seconds=-1)
            try:  # partial files of killed processes are overwritten
                if (folder / name).exists():  # another process has downloaded it
                    return folder / name
                with partial.open("wb") as file:
                    file.writelines(response.iter_content(CHUNK))
                _verify(partial, name, size)
                return partial.replace(folder / name)
            finally:
                partial.unlink(missing_ok=True)
                lock.release()
    raise OSError("not found on the server")


def _verify(path: Path, name: str, size: int) -> None:
    if size and path.stat().st_size != size:
        raise OSError(f"the download ended after {path.stat().st_size:,} of {size:,} bytes")
    hash_in_name = HASH_IN_NAME.search(name)
    if hash_in_name and not sha256(path).startswith(hash_in_name.group(1)):
        raise OSError("the downloaded file does not match the hash in its name")
