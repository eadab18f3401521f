"""Training curves."""

from experiments.figures.training import training_curves


def test_training_and_validation_share_a_chart() -> None:
    rows = [
        {"train_loss": 2.0, "val_loss": 3.0, "learning_rate": 0.5},
        {"train_loss": 1.0, "val_loss": 2.5, "learning_rate": 0.25},
    ]
    curves = training_curves(rows)
    assert list(curves) == ["training_loss", "training_learning_rate"]
    loss, rate = curves.values()
    assert loss.series == {"training rows": [2.0, 1.0], "validation rows": [3.0, 2.5]}
    assert rate.series == {"learning_rate": [0.5, 0.25]}
    assert loss.x == [1, 2]
    assert ("loss" in loss.title.lower(), "loss" in rate.title.lower()) == (True, False)


def test_no_training_has_no_curves() -> None:
    assert training_curves(()) == {}
