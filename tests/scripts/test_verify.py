"""scripts/verify.py on recorded runs."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.messages import says
from tests.project import LEAN, REPOSITORY, Project
from tests.running import run_typed

from experiments import tracking
from experiments.config.plan import Tracking
from experiments.recorded import PastRun

pytestmark = pytest.mark.slow

Main = Callable[..., int]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Main:
    """Return the script's main as a function of its arguments, with output folders below tmp_path."""
    spec = importlib.util.spec_from_file_location("verify_script", REPOSITORY / "scripts" / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("EXPERIMENTS_ROOT", str(tmp_path))

    def call(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["verify.py", *words])
        return int(module.main())

    return call


@pytest.fixture(scope="module")
def uri(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a store with a sweep of two jobs."""
    root = tmp_path_factory.mktemp("verified")
    shutil.copy(tables, root / "mlflow.db")
    uri = f"sqlite:///{root}/mlflow.db"
    sweep = tracking.connect(Tracking(uri), "digits").open("sweep", root, params={}, tags={"sweep": "parent"})
    for k in (3, 4):
        typed = ["backbone=pixels", "reducer=identity", "dataset.limit=100", "evaluator=[external]"]
        typed += [f"cluster.k={k}", "figures=none", f"tracking.uri={uri}", f"cache.root={root}/cache"]
        parent = PastRun.of(uri, sweep.id).parent
        run_typed(typed, root / str(k), parent=parent)
    sweep.end("FINISHED")
    return uri


def sweep_of(uri: str) -> PastRun:
    experiment = tracking.connect(Tracking(uri), "digits").experiment_id
    runs = tracking.query(uri, lambda client: client.search_runs([experiment], "tags.sweep = 'parent'"))
    return PastRun.of(uri, runs[0].info.run_id)


def test_every_job_of_a_sweep_is_verified_and_the_worst_is_the_exit_code(
    uri: str, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = sweep_of(uri)
    assert main(sweep.id, "--all", f"tracking.uri={uri}") == 0
    said = capsys.readouterr().out
    assert said.count("verdict: identical") == 2
    says(said.splitlines()[-1], key="2 jobs", use="2 identical")
    first, second = (run for run in sweep.below() if "verifies" not in run.tags)
    path = Path(second.info.info.artifact_uri.removeprefix("file://")) / "stages.json"
    trace = json.loads(path.read_text(encoding="utf-8"))
    trace["steps"]["embedding"] = "another"
    trace["metrics"]["external"]["nmi"] += 0.125
    path.write_text(json.dumps(trace), encoding="utf-8")
    assert main(sweep.id, "--all", f"tracking.uri={uri}") == 1
    said = capsys.readouterr().out
    assert said.count("verdict: identical") == 1
    says(said, key="verdict: differs", use="embedding")
    says(said, key="metric external nmi", use="-0.125")
    says(said.splitlines()[-1], key="2 jobs", use="1 identical, 1 differs")
    (path.parent / "config.yaml").unlink()
    assert main(sweep.id, "--all", f"tracking.uri={uri}") == 2
    output = capsys.readouterr()
    assert output.out.count("verdict: identical") == 1
    says(output.err, key=f"RUN_ID={second.id}", use="config.yaml")
    says(output.out, key="1 of 2", use=first.id)
    says(output.out.splitlines()[-1], key="2 jobs", use="1 identical, 1 could not be checked")


def test_of_a_sweep_alone_its_best_job_is_verified(
    uri: str, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = sweep_of(uri)
    best = sweep.below()[0]
    tracking.query(uri, lambda client: client.set_tag(sweep.id, "best.run_id", best.id))
    assert main(sweep.id, f"tracking.uri={uri}") == 0
    said = capsys.readouterr().out
    assert best.id in says(said.partition("\n")[0], key=sweep.id, use="--all")
    assert said.count("verdict: identical") == 1
    tracking.query(uri, lambda client: client.delete_tag(sweep.id, "best.run_id"))


def test_what_cannot_be_checked_is_one_line_and_exit_code_two(
    uri: str, main: Main, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sweep = sweep_of(uri)
    known = sweep.below()[0].id
    answers = {
        (sweep.id, f"tracking.uri={uri}"): (f"RUN_ID={sweep.id}", "2 jobs"),
        (known[:-1], f"tracking.uri={uri}"): (f"RUN_ID={known[:-1]}", f"{known}?"),
        (known, f"tracking.uri={uri}", "seed=1"): ("seed=1", "python run.py"),
        (known, f"tracking.uri={uri}", "nonsense"): ("nonsense", "key=value"),
        (known, f"tracking.uri=sqlite:///{tmp_path}/none.db"): (f"{tmp_path}/none.db", "set the store"),
    }
    for words, (key, use) in answers.items():
        capsys.readouterr()
        assert main(*words) == 2
        output = capsys.readouterr()
        says(output.err, key=key, use=use)
        assert len(output.err.splitlines()) == 1, output.err
        assert "verdict" not in output.out


def test_a_network_reused_from_another_run_is_trained_again_to_the_same_bits(
    fresh: Project, tmp_path: Path
) -> None:
    small = ["dataset.limit=300", "backbone.max_epochs=2", "evaluator=[external]"]
    fresh.succeed("-m", *small, *LEAN, "cluster.k=20,10")
    run = fresh.runs()[0]
    assert not any(key.startswith("cnn-") for key in fresh.result(1)["computed"])
    done = fresh.script("verify", run.info.run_id, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    says(done.stdout, key="verdict: identical", use=" metrics")
    assert "Traceback" not in done.stderr
    assert {runs.data.tags.get("verdict") for runs in fresh.runs()} == {"identical", None}
