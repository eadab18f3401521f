"""Synthetic copies of Study E's two files: 152 images with 13 measures, and 154 rows of labels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

TABLE, LABELS = "per_image_descriptive_summary.csv", "labels_per_id.csv"
MEASURES = (  # mean, standard deviation, and the offsets of three viewing behaviours in standard deviations
    ("number_of_fixations", 312.0, 64.0, (-1.6, 0.2, 1.5)),
    ("view_time_total_sum", 98.4, 17.5, (-1.7, 0.4, 1.2)),
    ("fixation_duration_mean_weighted", 0.271, 0.034, (1.4, -0.2, -1.3)),
    ("fixation_duration_median_approx", 0.238, 0.028, (1.3, -0.1, -1.4)),
    ("scanpath_length_mean", 41.7, 9.3, (-1.5, 1.6, 0.1)),
    ("BCEA_68_mean", 58.2, 14.6, (-1.2, 1.8, -0.4)),
    ("BCEA_95_mean", 153.9, 38.1, (-1.2, 1.8, -0.4)),
    ("primary_label_top", 0.0, 0.0, ()),
    ("pupil_size_norm_mean", 0.03, 0.41, (0.2, -0.9, 1.1)),
    ("pupil_size_norm_std", 0.52, 0.11, (-0.3, 0.8, 0.1)),
    ("fix_dur_mean_first_third", 0.249, 0.031, (1.2, -0.3, -1.1)),
    ("fix_dur_mean_last_third", 0.288, 0.042, (1.2, -0.2, -1.2)),
    ("n_fix_first_third", 104.0, 22.0, (-1.5, 0.3, 1.4)),
    ("n_fix_last_third", 103.0, 23.0, (-1.5, 0.2, 1.5)),
)
NAMES = ("animal", "food", "landscape", "people", "text", "vehicle")
LABELS_OF_BEHAVIOUR = ((3, 0), (4,), (2, 5, 1))  # typical labels of each behaviour
GAPS = {"pupil_size_norm_mean": 5, "pupil_size_norm_std": 5, "fix_dur_mean_last_third": 3, "BCEA_95_mean": 2}
IMAGES, MISSING = 152, (33, 71)  # two ids with labels but without measures


def write(folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write both files into `folder`: equal seeds give equal bytes.

    The table has ids such as 7, the labels such as img_007.jpg; 15 values are missing.
    """
    rng = np.random.default_rng(seed)
    numbers = [number for number in range(1, IMAGES + len(MISSING) + 1) if number not in MISSING]
    behaviours = rng.choice(len(LABELS_OF_BEHAVIOUR), len(numbers), p=(0.3, 0.3, 0.4))
    labels = {
        number: _label(rng, behaviour) for number, behaviour in zip(sorted(numbers), behaviours, strict=True)
    } | dict.fromkeys(MISSING, 0)
    (folder / TABLE).write_text("\n".join(_table(rng, numbers, behaviours, labels)) + "\n", encoding="utf-8")
    (folder / LABELS).write_text("\n".join(_labels(rng, labels)) + "\n", encoding="utf-8")
    return folder / TABLE, folder / LABELS


def _label(rng: np.random.Generator, behaviour: int) -> int:
    return int(
        rng.choice(LABELS_OF_BEHAVIOUR[behaviour]) if rng.random() < 0.75 else rng.integers(len(NAMES))
    )


def _table(
    rng: np.random.Generator, numbers: list[int], behaviours: np.ndarray, labels: dict[int, int]
) -> Iterator[str]:
    yield ",".join(["image_id", *(name for name, *_ in MEASURES)])
    columns = []
    for name, mean, spread, offsets in MEASURES:
        if name == "primary_label_top":
            columns.append([NAMES[labels[number]] for number in numbers])
            continue
        values = mean + spread * 0.6 * (np.array(offsets)[behaviours] + rng.normal(size=len(numbers)))
        cells = [f"{value:.0f}" if mean > 300 else f"{value:.4f}" for value in values]
        for row in rng.choice(len(numbers), GAPS.get(name, 0), replace=False):
            cells[row] = ""
        columns.append(cells)
    for number, *cells in zip(numbers, *columns, strict=True):
        yield ",".join([str(number), *cells])


def _labels(rng: np.random.Generator, labels: dict[int, int]) -> Iterator[str]:
    yield ",".join(
        ["image_id", "labels_txt", "strong_tags", "weak_tags", *NAMES, *(f"{name}_weight" for name in NAMES)]
    )
    for number, label in sorted(labels.items()):
        weights = np.where(rng.random(len(NAMES)) < 0.2, rng.uniform(0.1, 0.6, len(NAMES)), 0)
        weights[label] = rng.uniform(0.7, 1)
        strong = [name for name, weight in zip(NAMES, weights, strict=True) if weight >= 0.5]
        weak = [name for name, weight in zip(NAMES, weights, strict=True) if 0 < weight < 0.5]
        flags = [str(int(weight > 0)) for weight in weights]
        shares = [f"{weight:.2f}" for weight in weights]
        words = [NAMES[label], ";".join(strong), ";".join(weak)]
        yield ",".join([f"img_{number:03}.jpg", *words, *flags, *shares])
