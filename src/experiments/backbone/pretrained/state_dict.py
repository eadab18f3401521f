"""Read state dicts safely and load them into networks. Imports torch: import this where it is used."""

import importlib
import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

State = dict[str, Tensor]
MAX_NAMES = 3  # largest number of weights in a message
USE = "use a .safetensors file, or the file of torch.save(model.state_dict(), <path>)"
PICKLE = b"\x80"  # first byte of a pickle without a zip, the format of old versions of torch
UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError)
HEAD = "class_head"  # where a network keeps a head that its output does not use
TEXT = "text_tower"  # where a network of images and texts keeps the tower of texts
UNUSED = (HEAD, TEXT)  # parts that images do not need, so a file of weights may lack them
COUNTERS = "num_batches_tracked"  # counters of batch norm; unused, and missing in old files


def build_network(library: str, architecture: Mapping[str, Any], seed: int = 0) -> nn.Module:
    """Return the network with random weights in evaluation mode; the global random state does not change."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = _adapter(library).build(**architecture)
    return network.eval().requires_grad_(False)


def embedding_width(network: nn.Module, size: int) -> int:
    """Return the width of a network's embeddings, by embedding an empty image; this may take seconds."""
    with torch.inference_mode():
        embedding: Tensor = network.eval()(torch.zeros(1, 3, size, size))
    if embedding.ndim != 2:
        raise ValueError(
            f"backbone.model returns {tuple(embedding.shape[1:])} per image, not a vector; use another model"
        )
    return int(embedding.shape[1])


def random_weights(library: str, architecture: Mapping[str, Any], seed: int) -> State:
    """Return random weights of a network."""
    return _copy_state(build_network(library, architecture, seed).state_dict())


def load_weights(library: str, architecture: Mapping[str, Any], path: Path) -> State:
    """Return the weights in a file by the network's names; raise ValueError if the two do not match."""
    network = build_network(library, architecture)
    state: State = _adapter(library).convert_state_dict(read_state_dict(path), network, **architecture)
    expected = network.state_dict()
    for part in UNUSED:
        names = {name for name in (*state, *expected) if name.startswith(f"{part}.")}
        if any(_shape(state, name) != _shape(expected, name) for name in names):
            state, expected = (
                {name: value for name, value in values.items() if name not in names}
                for values in (state, expected)
            )
    state |= {
        name: value for name, value in expected.items() if name.endswith(COUNTERS) and name not in state
    }
    _check(state, expected, path, str(architecture["model"]))
    return _copy_state({name: state[name] for name in expected})


def rebuild(library: str, architecture: Mapping[str, Any], state: Mapping[str, Tensor] | Path) -> nn.Module:
    """Return the network with the weights of a state dict or file."""
    network = build_network(library, architecture)
    weights = read_state_dict(state) if isinstance(state, Path) else state
    for part in UNUSED:
        if hasattr(network, part) and not any(name.startswith(f"{part}.") for name in weights):
            delattr(network, part)
    network.load_state_dict(weights)
    return network


def add_head(network: nn.Module, head: object) -> nn.Module:
    """Keep the head of a network as its unused `HEAD`, if it maps an embedding to classes."""
    if isinstance(head, nn.Linear):
        network.add_module(HEAD, head)
    return network


def as_head(state: State, prefix: str) -> State:
    """Rename the weights whose names start with `prefix` to those of a `HEAD`."""
    return {
        f"{HEAD}.{name.removeprefix(prefix)}" if name.startswith(prefix) else name: value
        for name, value in state.items()
    }


def names_from(network: nn.Module) -> str:
    """Return `classes` if a network has a `HEAD`, `text` if it has a `TEXT` tower, else ""."""
    return "classes" if hasattr(network, HEAD) else "text" if hasattr(network, TEXT) else ""


def _shape(state: Mapping[str, Tensor], name: str) -> object:
    return state[name].shape if name in state else None


def read_state_dict(path: Path) -> State:
    """Read a state dict without executing code of a pickle.

    Raises
    ------
    ValueError
        If the file is damaged, has no state dict, or would execute code.
    """
    setting = f"backbone.weights={path}"
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # the check below replaces torch's warnings
            content = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise ValueError(
            f"{setting} is a damaged safetensors file ({error}); download or copy it again"
        ) from error
    except UNREADABLE as error:
        raise ValueError(f"{setting} {_reason(path, str(error))}; {USE}") from error
    for name in ("state_dict", "model"):  # keys of nested state dicts in checkpoints
        content = (
            content[name] if isinstance(content, dict) and isinstance(content.get(name), dict) else content
        )
    if (
        not isinstance(content, dict)
        or not content
        or not all(isinstance(value, Tensor) for value in content.values())
    ):
        raise ValueError(f"{setting} has no state dict; {USE}")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def _reason(path: Path, message: str) -> str:
    """Explain why torch did not read a file; files that could execute code are never read."""
    name_of_code = re.search(r"GLOBAL ([\w.]+)", message)  # a Python object; weights need none
    if name_of_code:
        return f"would execute {name_of_code.group(1)} on reading, so it was not read"
    if "TorchScript" in message:
        return "is TorchScript, which contains code, so it was not read"
    with path.open("rb") as file:
        if file.read(1) == PICKLE:
            return "is a pickle that could execute code on reading, so it was not read"
    return "is damaged or not a file of weights"


def _adapter(library: str) -> Any:
    return importlib.import_module(f"experiments.backbone.pretrained.{library}")


def _copy_state(state: Mapping[str, Tensor]) -> State:
    """Copy weights, as safetensors cannot save weights that share memory."""
    return {name: value.detach().clone().contiguous() for name, value in state.items()}


def _check(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path, model: str) -> None:
    """Raise ValueError with the first differing weights, if there are any."""
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    differences = {
        "missing": [name for name in expected if name not in state],
        "unexpected": [name for name in state if name not in expected],
        "of another shape": shapes,
    }
    differing = [f"{kind} {_first(names)}" for kind, names in differences.items() if names]
    if differing:
        raise ValueError(
            f"backbone.weights={path} does not fit backbone.model={model}: {'; '.join(differing)}; use the "
            "weights of that network, or the backbone.model of these weights"
        )


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
