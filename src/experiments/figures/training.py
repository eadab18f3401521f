"""Training curves of a backbone."""

from collections.abc import Mapping, Sequence

from experiments.figures import Lines

PARTS = ("train_", "val_")


def training_curves(history: Sequence[Mapping[str, float]]) -> dict[str, Lines]:
    """Return a chart of each metric over the epochs, with training and validation rows together.

    Parameters
    ----------
    history
        One row per epoch, such as `{"train_loss": 2.5, "val_loss": 1.0, "learning_rate": 5e-4}`.
    """
    epochs = [float(number) for number in range(1, len(history) + 1)]
    curves: dict[str, dict[str, list[float]]] = {}
    for name in history[0] if history else ():
        prefix = next((prefix for prefix in PARTS if name.startswith(prefix)), "")
        label = {"train_": "training rows", "val_": "validation rows"}.get(prefix, name)
        curves.setdefault(name.removeprefix(prefix), {})[label] = [float(row[name]) for row in history]
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
