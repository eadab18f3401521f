"""scripts/compare.py on the recorded table of a sweep."""

import json
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats
from tests.messages import says

from experiments import tracking
from experiments.config.plan import Tracking
from experiments.sweep.state import SweepState
from scripts import compare

pytestmark = pytest.mark.slow

ARI = {10: [0.50, 0.52, 0.47], 50: [0.53, 0.56, 0.48]}
SWEPT = ["cluster.k", "reducer.whiten", "seed"]


@pytest.fixture
def tracker(tables: Path, tmp_path: Path) -> tracking.Tracker:
    path = tmp_path / "mlflow.db"
    path.write_bytes(tables.read_bytes())
    return tracking.connect(Tracking(f"sqlite:///{path}"), "digits")


@pytest.fixture
def sweep(tracker: tracking.Tracker, tmp_path: Path) -> str:
    """Record the table of a sweep over k, one more setting and the seed; return its run's id."""
    rows = [
        {"cluster.k": k, "reducer.whiten": whiten, "seed": seed, "protocol": "held_out", "ari": ari}
        for k, values in ARI.items()
        for whiten in (False, True)
        for seed, ari in enumerate(values)
    ]
    return recorded(rows, SWEPT, tracker, tmp_path)


def recorded(rows: list[dict[str, object]], swept: list[str], tracker: tracking.Tracker, path: Path) -> str:
    """Record the table of a sweep; return its run's id."""
    folder = path / "sweep"
    folder.mkdir()
    pd.DataFrame(rows).assign(status="FINISHED").to_csv(folder / "sweep.csv", index=False)
    run = tracker.open("sweep", folder, params={}, tags=SweepState([], [], [], swept).tags(folder))
    run.artifact(folder / "sweep.csv")
    run.end("FINISHED")
    SweepState([], [], [], swept, run.id).save(folder)
    return run.id


def run(*words: str, uri: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["compare.py", *words, f"tracking.uri={uri}"])
    return compare.main()


ALL = "; ".join(f"cluster.k={k} reducer.whiten={whiten}" for k in (10, 50) for whiten in (False, True))
A, B = "cluster.k=10 reducer.whiten=true", "cluster.k=50 reducer.whiten=true"


def test_the_table_is_printed_and_recorded(
    sweep: str,
    tracker: tracking.Tracker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for word in (sweep, str(tmp_path / "sweep")):
        assert run(word, A, B, uri=tracker.uri, monkeypatch=monkeypatch) == 0
        out = capfd.readouterr().out
        test = stats.ttest_rel(ARI[50], ARI[10])
        row = next(line for line in out.splitlines() if " ari " in line)
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        assert cells[:4] == ["ari", "0.4967", "0.5233", "0.0267"]
        assert cells[5:] == [f"{test.pvalue:.2g}"] * 2 + ["0.25", f"{test.statistic / 3**0.5:.3g}", "3"]
        assert "k differs" in out
        assert compare.MEANING in out
    name = "comparisons/cluster.k=10_reducer.whiten=true_and_cluster.k=50_reducer.whiten=true.csv"
    path = tracker.client.download_artifacts(sweep, name, str(tmp_path))
    assert pd.read_csv(path)["p"].item() == pytest.approx(test.pvalue)
    note = Path(tracker.client.download_artifacts(sweep, name.replace(".csv", ".md"), str(tmp_path)))
    assert note.read_text(encoding="utf-8").endswith(f"\n\n{compare.MEANING}\n")


@pytest.mark.parametrize(
    ("key", "typed", "values"),
    [
        ("dataset.root", ("'/data/a b'", '"/data/c  d"'), ("/data/a b", "/data/c  d")),
        ("reducer.steps", ("[l2,pca]", "[pca]"), ("[l2,pca]", "[pca]")),
        ("dataset.limit", ("null", "5"), ("null", 5)),
    ],
)
def test_texts_with_spaces_lists_and_null_are_values(
    key: str,
    typed: tuple[str, str],
    values: tuple[str, str],
    tracker: tracking.Tracker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    rows = [
        {
            key: value,
            "cluster.k": k,
            "seed": seed,
            "protocol": "held_out",
            "ari": seed / k + path,
            "silhouette": path,
        }
        for path, value in enumerate(values)
        for k in (3, 4)
        for seed in (0, 1)
    ]
    sweep = recorded(rows, [key, "cluster.k", "seed"], tracker, tmp_path)
    words = [f"{key}={value} cluster.k=3" for value in typed]
    assert run(sweep, *words, uri=tracker.uri, monkeypatch=monkeypatch) == 0
    out = capfd.readouterr().out
    assert " 1 " in next(line for line in out.splitlines() if " ari " in line)
    assert ("not compared: silhouette" in out) == key.startswith("reducer"), (
        "reducers change it by themselves"
    )
    assert run(sweep, words[0], "cluster.k=5", uri=tracker.uri, monkeypatch=monkeypatch) == 1
    listed = capfd.readouterr().err.partition("use one of: ")[2].strip().split("; ")
    assert run(sweep, *listed[:2], uri=tracker.uri, monkeypatch=monkeypatch) == 0, "as they are listed"


def test_what_cannot_be_is_one_line(
    sweep: str,
    tracker: tracking.Tracker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    job = tracker.open("job", tmp_path, params={}, tags={"mlflow.parentRunId": sweep})
    old = tracker.open("old", tmp_path, params={}, tags={"sweep": "parent"})
    running = tracker.open(
        "running", tmp_path, params={}, tags={"sweep": "parent", "sweep.swept": json.dumps(SWEPT)}
    )
    for words, key, use in (
        ((sweep, "cluster.k=10", B), "cluster.k=10", "cluster.k=10 reducer.whiten=False"),
        ((sweep, A, A), A, "use two different ones"),
        ((sweep, "cluster.k=10,50", B), "cluster.k=10,50", "separate word"),
        ((sweep, "10", B), "'10'", ALL),
        ((sweep, A, "cluster.k=50 whiten"), "'cluster.k=50 whiten'", ALL),
        ((sweep, A), A, ALL),
        ((sweep,), "none is typed", ALL),
        ((sweep, A, B, "trackin.uri=x"), "trackin.uri=x", "tracking"),
        (("abc", A, B), "SWEEP=abc", "tracking.uri"),
        ((job.id, A, B), f"SWEEP={job.id}", f"use {sweep}"),
        ((old.id, A, B), f"SWEEP={old.id}", "optimiser"),
        ((running.id, A, B), f"RUN_ID={running.id}", "sweep.csv"),
    ):
        capfd.readouterr()  # warnings of a first run
        assert run(*words, uri=tracker.uri, monkeypatch=monkeypatch) == 1
        error = capfd.readouterr().err
        says(error, key=key, use=use)
        assert "Traceback" not in error
