"""What the jobs of a sweep left behind."""

from pathlib import Path

from experiments import sweep
from experiments.job import Outcome


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
