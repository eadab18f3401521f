"""What a training's epochs look like."""

from collections.abc import Mapping, Sequence

from experiments.figures import Lines

PARTS = ("train_", "val_")


def training_curves(history: Sequence[Mapping[str, float]]) -> dict[str, Lines]:
    """Return a chart over the epochs of each figure, training and validation rows in one.

    Parameters
    ----------
    history
        One row per epoch, such as `{"train_loss": 2.5, "val_loss": 1.0, "learning_rate": 5e-4}`.
    """
    epochs = [float(number) for number in range(1, len(history) + 1)]
    curves: dict[str, dict[str, list[float]]] = {}
    for name in history[0] if history else ():
        part = next((part for part in PARTS if name.startswith(part)), "")
        label = {"train_": "training rows", "val_": "validation rows"}.get(part, name)
        curves.setdefault(name.removeprefix(part), {})[label] = [float(row[name]) for row in history]
    return {
        f"training_{name}": Lines(
            f"{name.replace('_', ' ').capitalize()} of the training",
            "epoch",
            name.replace("_", " "),
            epochs,
            series,
        )
        for name, series in curves.items()
    }
