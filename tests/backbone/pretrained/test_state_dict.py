"""State dicts: unsafe files are refused, and weights that do not fit are named."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.messages import says

from experiments.backbone.pretrained.state_dict import build_network, read_state_dict
from experiments.context import Context
from experiments.samples import Samples

Make = Callable[..., Any]
ARCHITECTURE = {"model": "squeezenet1_1", "tag": "DEFAULT"}


@pytest.fixture
def whole() -> dict[str, torch.Tensor]:
    """Return the weights of a small classifier with its last layer."""
    import torchvision

    return dict(torchvision.models.squeezenet1_1(weights=None).state_dict())


class Bomb:
    """An object whose pickle calls a function on reading."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.sign,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused(zipped: bool, tmp_path: Path):
    path, sign = tmp_path / "bomb.pth", tmp_path / "sign"
    if zipped:
        torch.save({"weight": torch.zeros(1), "other": Bomb(sign)}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(sign)))
    with pytest.raises(ValueError) as error:
        read_state_dict(path)
    says(error, key=f"backbone.weights={path}", use="torch.save(model.state_dict(), <path>)")
    assert not sign.exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_is_refused(tmp_path: Path):
    path = tmp_path / "script.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(ValueError) as error:
        read_state_dict(path)
    assert "TorchScript" in says(error, key=f"backbone.weights={path}", use="a .safetensors file")


@pytest.mark.parametrize("damage", ["cut", "header", "empty"])
def test_a_damaged_safetensors_file_is_refused(damage: str, tmp_path: Path):
    path = tmp_path / "w.safetensors"
    save_file({"weight": torch.zeros(100)}, path)
    data = path.read_bytes()
    path.write_bytes({"cut": data[:-40], "header": b"\xff" * len(data), "empty": b""}[damage])
    with pytest.raises(ValueError) as error:
        read_state_dict(path)
    says(error, key=f"backbone.weights={path}", use="copy it again")


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "text"])
def test_a_damaged_state_dict_is_refused(damage: str, tmp_path: Path):
    path = tmp_path / "w.pth"
    torch.save({"weight": torch.zeros(1000)}, path)
    data = path.read_bytes()
    parts = {"cut": data[: len(data) // 2], "noise": b"\x13" * 500, "empty": b"", "text": b"not weights"}
    path.write_bytes(parts[damage])
    with pytest.raises(ValueError) as error:
        read_state_dict(path)
    assert "damaged" in says(error, key=f"backbone.weights={path}", use="a .safetensors file")


def test_a_file_without_weights_is_refused(tmp_path: Path):
    torch.save([1, 2], tmp_path / "w.pth")
    with pytest.raises(ValueError) as error:
        read_state_dict(tmp_path / "w.pth")
    assert "no state dict" in says(error, key=f"backbone.weights={tmp_path}/w.pth", use="a .safetensors file")


def test_the_error_of_weights_that_do_not_fit_names_the_first_differences(
    whole: dict[str, torch.Tensor], pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
):
    whole["features.0.weight"] = torch.zeros(64, 3, 7, 7)
    whole["features.99.weight"] = whole.pop("features.3.squeeze.weight")
    torch.save(whole, tmp_path / "w.pth")
    stage = pretrained("resnet50", weights=str(tmp_path / "w.pth"))
    with pytest.raises(ValueError) as error:
        stage.fit(few, ctx)
    text = says(error, key=f"backbone.weights={tmp_path}/w.pth", use="the weights of that network")
    for key, fact in (
        ("missing", "features.3.squeeze.weight;"),
        ("unexpected", "features.99.weight;"),
        ("features.0.weight (64, 3, 7, 7)", "(64, 3, 3, 3);"),
    ):
        says(text, key=key, use=fact)


@pytest.mark.parametrize("option", ["resnet50", "clip", "dinov2"])
def test_the_weights_of_another_network_are_refused(
    option: str, pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
):
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "w.pth")
    stage = pretrained(option, weights=str(tmp_path / "w.pth"))
    with pytest.raises(ValueError) as error:
        stage.fit(few, ctx)
    text = says(error, key=f"backbone.weights={tmp_path}/w.pth", use="the backbone.model of these weights")
    says(text, key="missing", use=" more; ")
    says(text, key="unexpected", use="weight, ")


@pytest.mark.parametrize("classes", [10, 0])
def test_the_head_in_a_file_is_ignored(
    classes: int, whole: dict[str, torch.Tensor], pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
):
    whole["classifier.1.weight"] = torch.zeros(classes, 512, 1, 1)
    if not classes:
        del whole["classifier.1.weight"], whole["classifier.1.bias"]
    torch.save({"state_dict": whole}, tmp_path / "w.pth")
    encoder = pretrained("resnet50", weights=str(tmp_path / "w.pth")).fit(few, ctx)
    assert torch.equal(encoder.state["features.0.weight"], whole["features.0.weight"])


def test_old_names_of_a_densenet_are_converted():
    import torchvision

    from experiments.backbone.pretrained.torchvision import convert_state_dict

    architecture = {"model": "densenet121", "tag": "DEFAULT"}
    network = build_network("torchvision", architecture)
    state = torchvision.models.densenet121(weights=None).state_dict()
    layers = [(name, name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.")) for name in state]
    old = {old_name if "denselayer" in name else name: state[name] for name, old_name in layers}
    assert set(old) != set(state)
    assert set(convert_state_dict(old, network, **architecture)) == set(network.state_dict())


@pytest.mark.parametrize("model", ["googlenet", "vit_b_32", "mobilenet_v3_small", "swin_t", "convnext_tiny"])
def test_classifiers_of_all_kinds_give_a_vector_per_image(model: str, pretrained: Make, few: Samples):
    card = pretrained("resnet50", model=model).network.card
    expected = {"googlenet": 1024, "mobilenet_v3_small": 1024}.get(model, 768)
    assert (card.width, card.resize.size) == (expected, 224)
    [(_, name)] = card.sources
    assert name.startswith(model)
