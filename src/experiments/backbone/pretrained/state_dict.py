"""Read weights safely, and fit them into a network. Imports torch: import this where it is used."""

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
SHOWN = 3  # names of weights in a message
USE = "use a .safetensors file, or what torch.save(model.state_dict(), <path>) writes"
PICKLE = b"\x80"  # its first byte, where torch.save did not wrap it in a zip
UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError)
COUNTERS = "num_batches_tracked"  # of batch norm: unused, and absent from old files


def network_of(library: str, architecture: Mapping[str, Any], seed: int = 0) -> nn.Module:
    """Return the network with random weights, ready to embed; everybody's random numbers stay as they are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = _adapter(library).build(**architecture)
    return network.eval().requires_grad_(False)


def width_of(network: nn.Module, size: int) -> int:
    """Return how many values it gives for an image: seconds at most, and asked once per network."""
    with torch.inference_mode():
        made: Tensor = network.eval()(torch.zeros(1, 3, size, size))
    if made.ndim != 2:
        raise ValueError(
            f"backbone.model gives {tuple(made.shape[1:])} for an image, not one row; use another"
        )
    return int(made.shape[1])


def drawn(library: str, architecture: Mapping[str, Any], seed: int) -> State:
    """Return random weights."""
    return _own(network_of(library, architecture, seed).state_dict())


def taken(library: str, architecture: Mapping[str, Any], path: Path) -> State:
    """Return the weights of a file, by the network's own names; raise ValueError if they do not fit it."""
    network = network_of(library, architecture)
    state: State = _adapter(library).adapted(read(path), network, **architecture)
    wanted = network.state_dict()
    state |= {name: value for name, value in wanted.items() if name.endswith(COUNTERS) and name not in state}
    _check(state, wanted, path, str(architecture["model"]))
    return _own({name: state[name] for name in wanted})


def restored(library: str, architecture: Mapping[str, Any], state: Mapping[str, Tensor] | Path) -> nn.Module:
    """Return the network with these weights."""
    network = network_of(library, architecture)
    network.load_state_dict(read(state) if isinstance(state, Path) else state)
    return network


def read(path: Path) -> State:
    """Read a state dict without running what a pickle might hold.

    Raises
    ------
    ValueError
        If the file is damaged, is no state dict, or could only be read by running code.
    """
    given = f"backbone.weights={path}"
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # of what is refused right after
            held = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise ValueError(f"{given} is no whole safetensors file ({error}); fetch or copy it again") from error
    except UNREADABLE as error:
        raise ValueError(f"{given} {_reason(path, str(error))}; {USE}") from error
    for name in ("state_dict", "model"):  # what trainers wrap it in
        held = held[name] if isinstance(held, dict) and isinstance(held.get(name), dict) else held
    if (
        not isinstance(held, dict)
        or not held
        or not all(isinstance(value, Tensor) for value in held.values())
    ):
        raise ValueError(f"{given} holds no state dict; {USE}")
    return {str(name).removeprefix("module."): value for name, value in held.items()}


def _reason(path: Path, message: str) -> str:
    """Say why torch did not read a file: one that could run code is not read at all."""
    code = re.search(r"GLOBAL ([\w.]+)", message)  # a name that weights have no need of
    if code:
        return f"would run {code.group(1)} when it is read, so it was not"
    if "TorchScript" in message:
        return "is TorchScript, which holds code, so it was not read"
    with path.open("rb") as file:
        if file.read(1) == PICKLE:
            return "is a pickle that could run code when it is read, so it was not"
    return "is damaged, or no file of weights"


def _adapter(library: str) -> Any:
    return importlib.import_module(f"experiments.backbone.pretrained.{library}")


def _own(state: Mapping[str, Tensor]) -> State:
    """Copy weights, so that none shares memory with another: safetensors keeps no such ones."""
    return {name: value.detach().clone().contiguous() for name, value in state.items()}


def _check(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path, model: str) -> None:
    """Raise ValueError that names the first weights that differ."""
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    found = {
        "missing": [name for name in wanted if name not in state],
        "unexpected": [name for name in state if name not in wanted],
        "of another shape": shapes,
    }
    differing = [f"{what} {_first(names)}" for what, names in found.items() if names]
    if differing:
        raise ValueError(
            f"backbone.weights={path} does not fit backbone.model={model}: {'; '.join(differing)}; use the "
            "weights of that network, or the backbone.model of these weights"
        )


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
