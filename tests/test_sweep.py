"""What the jobs of a sweep left behind."""

from pathlib import Path

from experiments import sweep
from experiments.cache import Store
from experiments.figures import Bars
from experiments.job import Outcome
from experiments.types import Findings


def outcome(k: int) -> Outcome:
    return Outcome([f"cluster.k={k}"], status="FINISHED", metrics={"ari": 0.5})


def leave(folder: Path, *outcomes: Outcome) -> None:
    for number, one in enumerate(outcomes):
        one.save(folder / str(number))


def test_jobs_are_read_in_their_order_and_a_lost_one_failed(tmp_path: Path) -> None:
    leave(tmp_path, *(outcome(k) for k in range(11)))
    (tmp_path / "3" / "result.json").unlink()
    found = sweep.collect(tmp_path, 12)
    assert [one.overrides[0] for one in found if one.overrides] == [
        f"cluster.k={k}" for k in range(11) if k != 3
    ]
    assert [number for number, one in enumerate(found) if one.status == "FAILED"] == [3, 11]
    assert found[3].error == "its process ended without a result"


def judged(store: Store, seed: int, k: int) -> Outcome:
    """Keep what three evaluators found: of the data, of the seed's embedding, and of its clusters."""
    found = {"variance": f"variance-{seed}", "clusters": f"clusters-{seed}-{k}", "data": "data-0"}
    for name, key in found.items():
        picture = Bars(f"{name} of {key}", "x", "y", ["a"], [1])
        store.fitted(key, lambda name=name, picture=picture: Findings({}, {}, {name: picture}))  # type: ignore[misc]
    return Outcome([f"seed={seed}", f"cluster.k={k}", "threads=1"], status="FINISHED", found=found)


def test_a_sweep_draws_what_jobs_have_in_common(store: Store) -> None:
    jobs = [judged(store, seed, k) for seed in (0, 1) for k in (10, 20)]
    failed = Outcome([], status="FAILED")
    found = sweep.shared([failed, *jobs], store)
    assert {name: figure.title for name, figure in found.items()} == {
        "variance": "variance of variance-0 (seed=0)",
        "data": "data of data-0",
    }


def test_a_sweep_of_one_job_draws_all_of_it(store: Store) -> None:
    assert set(sweep.shared([judged(store, 0, 10)], store)) == {"variance", "clusters", "data"}


def test_what_is_no_longer_kept_is_not_drawn(store: Store, tmp_path: Path) -> None:
    jobs = [judged(store, 0, k) for k in (10, 20)]
    store.remove("data-0")
    looking = Store(store.root, compute=False)
    assert set(sweep.shared(jobs, looking)) == {"variance"}
    assert sweep.shared(jobs, Store(tmp_path / "other", enabled=False, compute=False)) == {}
    assert sweep.shared([], looking) == {}


def learn(folder: Path, number: int, loss: float, *overrides: str) -> None:
    """Leave a finished job with a training of two epochs."""
    Outcome([*overrides], status="FINISHED").save(folder / str(number))
    rows = f"epoch,train_loss,val_loss,learning_rate\n1,2.0,3.0,0.5\n2,{loss},2.5,0.25\n"
    (folder / str(number) / "training.csv").write_text(rows)


def test_a_training_that_jobs_have_in_common_is_drawn(tmp_path: Path) -> None:
    for number in range(11):
        learn(tmp_path, number, 1.5, f"cluster.k={number}")
    found = sweep.trained(tmp_path)
    assert list(found) == ["training_loss", "training_learning_rate"]
    assert found["training_loss"].title == "Loss of the training"
    assert found["training_loss"].series == {"training rows": [2.0, 1.5], "validation rows": [3.0, 2.5]}  # type: ignore[attr-defined]
    learn(tmp_path, 10, 1.0, "seed=1")
    assert sweep.trained(tmp_path)["training_loss"].title == "Loss of the training"


def test_of_several_trainings_the_first_is_drawn_and_named_or_none(tmp_path: Path) -> None:
    for number, seed in enumerate((0, 0, 1, 1)):
        learn(tmp_path, number, 1.5 - seed, f"seed={seed}", f"cluster.k={number % 2}")
    assert sweep.trained(tmp_path)["training_loss"].title == "Loss of the training (seed=0)"
    learn(tmp_path, 1, 1.25, "seed=0", "cluster.k=1")
    assert sweep.trained(tmp_path) == {}
    assert sweep.trained(tmp_path / "nowhere") == {}
