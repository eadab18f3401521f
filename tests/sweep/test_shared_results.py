"""Tables and figures that several jobs share."""

from pathlib import Path

import pandas as pd

from experiments.figures import Bars
from experiments.job.perform import Outcome
from experiments.store.cache import Store
from experiments.sweep.shared_results import shared_findings, shared_training
from experiments.types import Findings


def judged(store: Store, seed: int, k: int) -> Outcome:
    """Cache findings of the data, of the seed's embedding, and of its clusters; return the job's outcome."""
    keys = {"variance": f"variance-{seed}", "clusters": f"clusters-{seed}-{k}", "data": "data-0"}
    for name, key in keys.items():
        picture = Bars(f"{name} of {key}", "x", "y", ["a"], [1])
        made = Findings({}, {f"{name}_rows": pd.DataFrame({"key": [key]})}, {name: picture})
        store.fitted(key, lambda made=made: made)  # type: ignore[misc]
    return Outcome([f"seed={seed}", f"cluster.k={k}", "threads=1"], status="FINISHED", finding_keys=keys)


def test_a_sweep_draws_what_jobs_have_in_common(store: Store) -> None:
    jobs = [judged(store, seed, k) for seed in (0, 1) for k in (10, 20)]
    failed = Outcome([], status="FAILED")
    findings = shared_findings([failed, *jobs], store)
    assert {name: figure.title for name, figure in findings.figures.items()} == {
        "variance": "variance of variance-0 (seed=0)",
        "data": "data of data-0",
    }
    assert {name: rows["key"].item() for name, rows in findings.tables.items()} == {
        "variance_rows": "variance-0",
        "data_rows": "data-0",
    }


def test_a_sweep_of_one_job_draws_all_of_it(store: Store) -> None:
    assert set(shared_findings([judged(store, 0, 10)], store).figures) == {"variance", "clusters", "data"}


def test_what_is_no_longer_kept_is_not_drawn(store: Store, tmp_path: Path) -> None:
    jobs = [judged(store, 0, k) for k in (10, 20)]
    store.remove("data-0")
    looking = Store(store.root, compute=False)
    assert set(shared_findings(jobs, looking).figures) == {"variance"}
    assert not shared_findings(jobs, Store(tmp_path / "other", enabled=False, compute=False)).figures
    assert not shared_findings([], looking).figures


def learn(folder: Path, number: int, loss: float, *overrides: str) -> None:
    """Write a finished job with a training of two epochs."""
    Outcome([*overrides], number=number, status="FINISHED").save(folder / str(number))
    rows = f"epoch,train_loss,val_loss,learning_rate\n1,2.0,3.0,0.5\n2,{loss},2.5,0.25\n"
    (folder / str(number) / "training.csv").write_text(rows, encoding="utf-8")


def test_a_training_that_jobs_have_in_common_is_drawn(tmp_path: Path) -> None:
    for number in range(11):
        learn(tmp_path, number, 1.5, f"cluster.k={number}")
    left = shared_training(tmp_path, "")
    assert left.tables["training"]["train_loss"].to_list() == [2.0, 1.5]
    findings = left.figures
    assert list(findings) == ["training_loss", "training_learning_rate"]
    assert findings["training_loss"].title == "Loss of the training"
    assert findings["training_loss"].series == {"training rows": [2.0, 1.5], "validation rows": [3.0, 2.5]}  # type: ignore[attr-defined]
    assert not shared_training(tmp_path, "another sweep").figures
    learn(tmp_path, 10, 1.0, "seed=1")
    assert shared_training(tmp_path, "").figures["training_loss"].title == "Loss of the training"


def test_of_several_trainings_the_first_is_drawn_and_named_or_none(tmp_path: Path) -> None:
    for number, seed in enumerate((0, 0, 1, 1)):
        learn(tmp_path, number, 1.5 - seed, f"seed={seed}", f"cluster.k={number % 2}")
    assert shared_training(tmp_path, "").figures["training_loss"].title == "Loss of the training (seed=0)"
    learn(tmp_path, 1, 1.25, "seed=0", "cluster.k=1")
    assert not shared_training(tmp_path, "").tables
    assert not shared_training(tmp_path / "nowhere", "").tables
