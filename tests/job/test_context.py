"""Every `auto` is resolved without importing torch."""

import subprocess
import sys

import pytest
from tests.messages import says
from tests.running import composed

from experiments.config.build import build
from experiments.context import Silent
from experiments.job import context
from experiments.numerics import threads


def made(*overrides: str) -> "context.Context":
    return context.make(build(composed(overrides), overrides), Silent())


def test_without_a_gpu_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", list)
    assert (made().device, made().dtype) == ("cpu", "float32")
    assert made("precision=bfloat16").dtype == "bfloat16"
    with pytest.raises(ValueError) as error:
        made("device=cuda")
    says(error, key="device=cuda", use="device=cpu")


@pytest.mark.parametrize(("capability", "dtype"), [(7, "float32"), (9, "bfloat16")])
def test_a_gpu_is_used_in_the_precision_it_gains_from(
    monkeypatch: pytest.MonkeyPatch, capability: int, dtype: str
) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", lambda: [capability])
    assert (made().device, made().dtype) == ("cuda", dtype)
    assert made("precision=float32").dtype == "float32"
    assert made("device=cpu").device == "cpu"


def test_threads() -> None:
    assert made().threads == threads.cores() >= 1
    assert made("threads=1").threads == 1


def test_asking_the_driver_imports_no_torch() -> None:
    look = "from experiments.job import context; context.cuda_capabilities()"
    code = f"import sys; {look}; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "False"
