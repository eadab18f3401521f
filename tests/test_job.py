"""One job from Python: what run() refuses, and what is left of an error."""

from pathlib import Path

import pytest

import experiments
from experiments import job


@pytest.mark.parametrize(
    ("overrides", "answer"),
    [
        (["cluster.k=4,5"], r"cluster\.k=4,5 gives several values; call run once for each"),
        (["experiment=digits_seeds"], r"experiment=digits_seeds is a sweep; run it with python run\.py"),
        (["plan=true"], r"plan=true only looks"),
        (["cluster.k=0"], r"cluster\.k=0 is less than one"),
    ],
)
def test_run_refuses_what_it_would_do_otherwise(overrides: list[str], answer: str) -> None:
    with pytest.raises(ValueError, match=answer):
        experiments.run(overrides)


def test_an_expected_error_is_one_line_and_another_leaves_its_traceback(tmp_path: Path) -> None:
    assert job.explain(ValueError("k=0 is nothing"), tmp_path) == "k=0 is nothing"
    assert not list(tmp_path.iterdir())
    said = job.explain(RuntimeError("the third law"), tmp_path)
    assert said == f"RuntimeError: the third law; the traceback is in {tmp_path / 'traceback.txt'}"
    assert "RuntimeError: the third law" in (tmp_path / "traceback.txt").read_text()


def test_an_outcome_comes_back_whole(tmp_path: Path) -> None:
    kept = job.Outcome(["cluster.k=3"], "held_out", "FINISHED", {"ari": 0.5}, {"cluster": None, "embed": 1.0})
    kept.save(tmp_path / "0")
    assert job.Outcome.load(tmp_path / "0") == kept
