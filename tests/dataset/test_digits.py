"""The digits: known images and labels, and caching of scikit-learn's arrays."""

import subprocess
import sys

import numpy as np
from sklearn.datasets import load_digits

from experiments.dataset.digits import Digits
from experiments.samples import Resize


def test_images_and_labels_are_those_of_scikit_learn(selection, ctx):
    samples = Digits(**selection).load(ctx)
    digits = load_digits()
    np.testing.assert_array_equal(samples.labels, digits.target)
    pixels = samples.content.pixels(Resize(8), ctx)
    np.testing.assert_allclose(pixels[..., 1] / 255 * 16, digits.images, atol=0.04)
    assert pixels.max() == 255
    assert list(samples.ids[[0, -1]]) == ["0000", "1796"]


def test_a_repeated_load_imports_no_scikit_learn(selection, ctx):
    first = Digits(**selection).load(ctx)
    code = (
        "import sys; from pathlib import Path\n"
        "from experiments.store.cache import Store; from experiments.dataset.digits import Digits\n"
        "from experiments.context import Context\n"
        f"samples = Digits(**{selection!r}).load(Context.plain(Store(Path({str(ctx.store.root)!r}))))\n"
        "print(samples.data_key, 'sklearn' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, encoding="utf-8"
    )
    assert done.stdout.split() == [first.data_key, "False", "False"]
