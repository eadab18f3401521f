"""The network of Study A: layers, initial weights and penalty."""

import math

import pytest
import torch
from torch import nn

from experiments.backbone.convnet.batches import as_input
from experiments.backbone.convnet.network import Network
from experiments.backbone.inference.determinism import deterministic
from experiments.context import Context


@pytest.fixture
def network() -> Network:
    return Network((32, 64, 128), 256, 233, 0.25, 0.5).init_weights(0)


def test_layers_are_in_the_studys_order(network: Network):
    leaves = [type(layer).__name__ for layer in network.modules() if not list(layer.children())]
    block = ["Conv2d", "ReLU", "Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d"]
    assert leaves == [
        *block, *block, "Dropout", *block, "Dropout",
        "AdaptiveAvgPool2d", "Flatten", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.25, 0.25, 0.5]


def test_the_number_of_parameters_is_kerass(network: Network):
    convolutions = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    expected = sum(9 * a * b + b for a, b in convolutions)  # kernels and biases
    expected += 2 * (32 + 64 + 128)  # batch norm's scale and shift
    expected += 128 * 256 + 256 + 256 * 233 + 233
    assert sum(weight.numel() for weight in network.parameters()) == expected == 380_361


def test_batch_norm_has_kerass_constants(network: Network):
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.01, 1e-3)}


def test_running_averages_are_plain_in_the_first_steps_and_kerass_later():
    network = Network((4,), 4, 2).init_weights(0)
    norm = network.embed[0][4]
    before = network.embed[0][:4]
    means = []
    for step in range(5):
        network.settle_batch_norm(step)
        images = torch.rand(8, 3, 8, 8)
        network(images)
        means.append(before(images).mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_mean, torch.stack(means).mean(0))
    network.settle_batch_norm(99)
    assert norm.momentum == 0.01
    network.settle_batch_norm(100_000)
    assert norm.momentum == 0.01


def test_images_are_halved_three_times_and_mapped_to_scores(network: Network):
    images = torch.rand(2, 3, 17, 17)
    assert network.embed[:3](images).shape == (2, 128, 2, 2)
    assert network.embed(images).shape == (2, 256)
    assert network.embed(images).min() == 0  # after the ReLU
    assert network(images).shape == (2, 233)


def test_kernels_are_glorot_uniform_and_biases_zero(network: Network):
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan_out, fan_in, *window = layer.weight.shape
            bound = math.sqrt(6 / (math.prod(window) * (fan_in + fan_out)))
            largest = layer.weight.abs().max().item()
            assert 0.98 * bound < largest <= bound
            assert not layer.bias.any()


def test_weights_depend_on_the_seed_only():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, same, other = (Network((8,), 4, 2).init_weights(seed).weights() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)  # the global generator is not used
    assert all((first[name] == same[name]).all() for name in first)
    assert (first["embed.0.0.weight"] != other["embed.0.0.weight"]).any()


def test_the_penalty_is_the_sum_of_squared_kernels_of_every_layer(network: Network):
    weights = network.weights()
    kernels = [value for name, value in weights.items() if name.endswith("weight") and value.ndim > 1]
    assert len(kernels) == 8  # six convolutions, the dense layer and the class scores
    by_hand = sum(float((kernel.astype("float64") ** 2).sum()) for kernel in kernels)
    assert network.penalty().item() == pytest.approx(by_hand, rel=1e-5)


def test_the_penaltys_gradient_is_twice_the_kernel(network: Network):
    network.penalty().backward()
    torch.testing.assert_close(network.head[1].weight.grad, 2 * network.head[1].weight.detach())
    assert network.head[1].bias.grad is None


def test_pixels_are_scaled_in_the_same_order():
    pixels = torch.randint(0, 256, (2, 5, 5, 3), dtype=torch.uint8)
    images = as_input(pixels)
    assert images.shape == (2, 3, 5, 5)
    assert images[1, 2, 3, 4] == pixels[1, 3, 4, 2] / 255
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_deterministic_sets_threads_and_restores_them(ctx: Context):
    torch.set_num_threads(2)
    with deterministic(ctx):
        assert torch.get_num_threads() == ctx.threads == 1
        assert torch.backends.cudnn.deterministic
    assert torch.get_num_threads() == 2
    assert not torch.backends.cudnn.deterministic
