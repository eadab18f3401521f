"""Runs that cannot be run again: each is refused with what is in the way, and what to do."""

import json
import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiments import compose, config, context, job, tracking
from experiments.config import Tracking
from experiments.recorded import Recorded
from experiments.verification_past import CannotVerifyError, Past, given, jobs, refuse_unfinished
from experiments.verification_run import verify

SMALL = [
    "backbone=pixels", "reducer=identity", "dataset.limit=100", "cluster.k=3", "evaluator=[internal]",
    "figures=none", "tracking.log_model=none",
]  # fmt: skip


@pytest.fixture(scope="module")
def uri(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("past")
    shutil.copy(tables, root / "mlflow.db")
    return f"sqlite:///{root}/mlflow.db"


@pytest.fixture(scope="module")
def first(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Run one small experiment."""
    root = tmp_path_factory.mktemp("first")
    typed = [*SMALL, f"tracking.uri={uri}", f"cache.root={root}/cache"]
    outcome = job.Outcome(typed)
    job.perform(compose.compose_config(typed), root / "run", outcome, typed=typed)
    return Recorded.of(uri, outcome.run_id)


@pytest.fixture
def run(first: Recorded, tmp_path: Path) -> "object":
    """Give the run; what a test changes of its artifacts is put back."""
    place = artifacts(first)
    shutil.copytree(place, tmp_path / "artifacts")
    yield first
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(tmp_path / "artifacts", place)


def artifacts(run: Recorded) -> Path:
    return Path(run.info.info.artifact_uri.removeprefix("file://"))


def refused(run: Recorded, *settings: str) -> str:
    with pytest.raises(CannotVerifyError) as error:
        verify(run, settings, lambda line: None)
    return str(error.value)


def tagged(uri: str, status: str, folder: Path, **tags: str) -> Recorded:
    """Record a run that computed nothing."""
    made = tracking.connect(Tracking(uri), "trials").open("trial", folder, params={}, tags=tags)
    if status != "RUNNING":
        made.end(status, "the third law" if status == "FAILED" else "")
    return Recorded.of(uri, made.id)


def from_other_code(run: Recorded) -> None:
    trace = json.loads((artifacts(run) / "stages.json").read_text())
    trace["circumstances"]["code"] = "other"
    (artifacts(run) / "stages.json").write_text(json.dumps(trace))


def change_config(run: Recorded, key: str, value: object) -> None:
    cfg = OmegaConf.load(artifacts(run) / "config.yaml")
    OmegaConf.update(cfg, key, value, force_add=True)
    OmegaConf.save(cfg, artifacts(run) / "config.yaml")


@pytest.mark.parametrize(
    ("status", "tags", "answer"),
    [
        ("FAILED", {}, r"is FAILED \(the third law\); use a run that FINISHED"),
        ("KILLED", {}, "is KILLED; use a run that FINISHED"),
        ("RUNNING", {}, "is RUNNING; use a run that FINISHED"),
        ("FINISHED", {}, "has no tag threads, so this framework did not record it"),
        (
            "FINISHED",
            {"stopped": "after 5 minutes"},
            "depends on how fast the machine was",
        ),
        ("FINISHED", {"sweep": "parent"}, r"is a sweep of 0 jobs"),
    ],
)
def test_a_run_without_a_result_to_repeat(
    uri: str, tmp_path: Path, status: str, tags: dict[str, str], answer: str
) -> None:
    with pytest.raises(CannotVerifyError, match=answer):
        refuse_unfinished(tagged(uri, status, tmp_path, **tags))


def test_a_sweep_names_its_jobs_and_its_best(uri: str, tmp_path: Path) -> None:
    sweep = tagged(uri, "FINISHED", tmp_path, sweep="parent")
    tracker = tracking.join(sweep.parent)
    made = [tracker.open(f"cluster.k={k}", tmp_path, params={}, tags={}) for k in (3, 4)]
    tracker.open("verify cluster.k=3", tmp_path, params={}, tags={"verifies": made[0].id})
    made[0].sibling(sweep.id, tmp_path).log(tags={"best.run_id": made[1].id})
    sweep = Recorded.of(uri, sweep.id)
    assert [job.id for job in jobs(sweep)] == [one.id for one in made]
    assert [job.id for job in jobs(Recorded.of(uri, made[0].id))] == [made[0].id]
    said = refused(sweep)
    assert f"is a sweep of 2 jobs ({made[0].id} cluster.k=3; {made[1].id} cluster.k=4)" in said
    assert f"verify its best job, {made[1].id}, or --all" in said


@pytest.mark.parametrize("name", ["config.yaml", "assignments.parquet", "stages.json"])
def test_a_file_that_is_gone(run: Recorded, name: str) -> None:
    (artifacts(run) / name).unlink()
    said = refused(run)
    assert f"RUN_ID={run.id}" in said
    assert f"no {name} at {run.info.info.artifact_uri}; put its files back there, or run it anew" in said


def test_artifacts_that_are_gone(run: Recorded) -> None:
    shutil.rmtree(artifacts(run))
    assert "has no config.yaml at" in refused(run)


def test_a_key_that_this_version_does_not_know(run: Recorded) -> None:
    from_other_code(run)
    commit = run.tags["git.commit"]
    change_config(run, "cluster.velocity", 3)
    said = refused(run)
    assert "has a config that this version of the framework refuses: cluster.velocity: " in said
    assert f"git checkout {commit}" in said
    assert "experiment set it" not in said


@pytest.mark.parametrize("key", ["protocol", "cluster.seed"])
def test_a_key_that_an_older_version_did_not_have(run: Recorded, key: str) -> None:
    from_other_code(run)
    cfg = OmegaConf.to_container(OmegaConf.load(artifacts(run) / "config.yaml"))
    place, _, name = key.rpartition(".")
    (cfg[place] if place else cfg).pop(name)
    OmegaConf.save(OmegaConf.create(cfg), artifacts(run) / "config.yaml")
    said = refused(run)
    assert "this version of the framework refuses: " in said
    assert key in said
    assert "git checkout" in said


def test_a_trace_of_another_version(run: Recorded) -> None:
    (artifacts(run) / "stages.json").write_text('{"layers": {}}')
    said = refused(run)
    assert "stages.json cannot be read" in said
    assert f"git checkout {run.tags['git.commit']}" in said


def test_the_same_code_blames_the_setting_alone(run: Recorded) -> None:
    change_config(run, "dataset.labels", {"path": "/nowhere/labels.txt", "column": "c", "march": "exact"})
    assert refused(run).startswith(f"RUN_ID={run.id}: dataset.labels.march is no setting")


@pytest.mark.parametrize("word", ["seed=1", "cluster.k=4", "cache.root=a,b", "threads=1,2", "+device=cpu"])
def test_what_would_make_it_another_run(word: str) -> None:
    if word == "+device=cpu":
        assert given([word]) == {"device": "cpu"}
        return
    with pytest.raises(CannotVerifyError, match="would make it another run; use python run"):
        given([word])


def test_a_run_of_a_gpu_on_a_machine_without_one(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", list)
    run.info.data.tags["device"] = "cuda"
    try:
        said = refused(run)
    finally:
        run.info.data.tags["device"] = "cpu"
    assert f"RUN_ID={run.id} ran with device=cuda (device=cuda: the driver shows no CUDA device" in said
    assert "or pass device=cpu to see how far that differs" in said


def test_the_plan_restores_the_run_and_leaves_the_users_cache(run: Recorded, tmp_path: Path) -> None:
    run.info.data.tags["threads"] = "7"
    try:
        plan = Past(run, tmp_path).plan([], tmp_path / "scratch")
    finally:
        run.info.data.tags["threads"] = "2"
    assert (plan.settings.threads, plan.settings.device, plan.settings.precision) == (7, "cpu", "float32")
    assert plan.cache == config.Cache(str(tmp_path / "scratch"), True)
    assert (plan.tracking.uri, plan.tracking.log_model, plan.settings.figures) == (run.uri, "none", "none")
    assert Past(run, tmp_path).plan(["threads=1"], tmp_path).settings.threads == 1


def test_settings_that_change_no_result_may_be_missing_or_of_another_version(
    run: Recorded, tmp_path: Path
) -> None:
    change_config(run, "plan", True)
    change_config(run, "tracking.velocity", 3)
    cfg = OmegaConf.to_container(OmegaConf.load(artifacts(run) / "config.yaml"))
    del cfg["figures"]
    OmegaConf.save(OmegaConf.create(cfg), artifacts(run) / "config.yaml")
    plan = Past(run, tmp_path).plan([], tmp_path / "scratch")
    assert (plan.settings.plan, plan.settings.figures) == (False, "none")
