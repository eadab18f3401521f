"""Runs that cannot be run again: each is refused with what is in the way, and what to do."""

import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from hydra.utils import get_class
from omegaconf import OmegaConf
from tests.messages import says
from tests.running import run_typed

from experiments import tracking
from experiments.cluster import faiss_kmeans
from experiments.config import compose
from experiments.config.plan import Cache, Tracking
from experiments.config.stage import PATH
from experiments.config.text_fields import PATH_KEY
from experiments.job import context
from experiments.recorded import SUPERSEDED, PastRun
from experiments.recorded.verification.recorded_config import (
    ALLOWED,
    CannotVerifyError,
    RecordedConfig,
    allowed_overrides,
    best_job,
    jobs,
    is_sweep,
    refuse_unfinished,
)
from experiments.recorded.verification.verify import verify

SMALL = [
    "backbone=pixels", "reducer=identity", "dataset.limit=100", "cluster.k=3", "evaluator=[internal]",
    "figures=none", "report=none", "tracking.log_model=none",
]  # fmt: skip


@pytest.fixture(scope="module")
def first(uri: str, tmp_path_factory: pytest.TempPathFactory) -> PastRun:
    """Run one small experiment."""
    root = tmp_path_factory.mktemp("first")
    typed = [*SMALL, f"tracking.uri={uri}", f"cache.root={root}/cache"]
    return PastRun.of(uri, run_typed(typed, root / "run").outcome.run_id)


@pytest.fixture
def run(first: PastRun, tmp_path: Path) -> "object":
    """Give the run; what a test changes of its artifacts is put back."""
    place = artifacts(first)
    shutil.copytree(place, tmp_path / "artifacts")
    yield first
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(tmp_path / "artifacts", place)


def artifacts(run: PastRun) -> Path:
    return Path(run.info.info.artifact_uri.removeprefix("file://"))


def refused(run: PastRun, *settings: str) -> str:
    with pytest.raises(CannotVerifyError) as error:
        verify(run, settings, lambda line: None)
    return str(error.value)


def tagged(uri: str, status: str, folder: Path, **tags: str) -> PastRun:
    """Record a run that computed nothing."""
    made = tracking.connect(Tracking(uri), "trials").open("trial", folder, params={}, tags=tags)
    if status != "RUNNING":
        made.end(status, "the third law" if status == "FAILED" else "")
    return PastRun.of(uri, made.id)


def from_other_code(run: PastRun) -> None:
    trace = json.loads((artifacts(run) / "stages.json").read_text(encoding="utf-8"))
    trace["circumstances"]["code"] = "other"
    (artifacts(run) / "stages.json").write_text(json.dumps(trace), encoding="utf-8")


def change_config(run: PastRun, key: str, value: object) -> None:
    cfg = OmegaConf.load(artifacts(run) / "config.yaml")
    OmegaConf.update(cfg, key, value, force_add=True)
    OmegaConf.save(cfg, artifacts(run) / "config.yaml")


@pytest.mark.parametrize(
    ("status", "tags", "key", "use"),
    [
        ("FAILED", {}, "FAILED (the third law)", "a run that FINISHED"),
        ("KILLED", {}, "KILLED", "a run that FINISHED"),
        ("RUNNING", {}, "RUNNING", "wait for its end"),
        ("FINISHED", {}, "tag threads", "use a run of it"),
        ("FINISHED", {"stopped": "after 5 minutes"}, "after 5 minutes", "backbone.max_minutes"),
    ],
)
def test_a_run_without_a_result_to_repeat(
    uri: str, tmp_path: Path, status: str, tags: dict[str, str], key: str, use: str
) -> None:
    run = tagged(uri, status, tmp_path, **tags)
    with pytest.raises(CannotVerifyError) as error:
        refuse_unfinished(run)
    says(error, key=f"RUN_ID={run.id}", use=key)
    says(error, key=key, use=use)


def test_a_sweep_names_its_jobs_and_its_best(uri: str, tmp_path: Path) -> None:
    sweep = tagged(uri, "FINISHED", tmp_path, sweep="parent")
    tracker = tracking.tracker_below(sweep.parent)
    made = [tracker.open(f"cluster.k={k}", tmp_path, params={}, tags={}) for k in (3, 4)]
    tracker.open("verify cluster.k=3", tmp_path, params={}, tags={"verifies": made[0].id})
    tracker.open("cluster.k=4", tmp_path, params={}, tags={SUPERSEDED: "true"})
    assert [job.id for job in jobs(sweep)] == [one.id for one in made]
    assert [job.id for job in jobs(PastRun.of(uri, made[0].id))] == [made[0].id]
    assert is_sweep(sweep)
    assert not is_sweep(PastRun.of(uri, made[0].id))
    with pytest.raises(CannotVerifyError) as error:
        best_job(sweep)
    told = says(error, key=f"RUN_ID={sweep.id}", use="--all")
    assert f"({made[0].id} cluster.k=3; {made[1].id} cluster.k=4)" in told
    made[0].sibling(sweep.id, tmp_path).log(tags={"best.run_id": made[1].id})
    assert best_job(PastRun.of(uri, sweep.id)).id == made[1].id


@pytest.mark.parametrize("name", ["config.yaml", "assignments.parquet", "stages.json"])
def test_a_file_that_is_gone_is_missed_before_anything_runs(
    run: PastRun, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "experiments.recorded.verification.verify.perform", lambda *given, **named: pytest.fail("it was run")
    )
    (artifacts(run) / name).unlink()
    said = refused(run)
    says(said, key=f"RUN_ID={run.id}", use=name)
    says(said, key=name, use=f"{run.info.info.artifact_uri}; put its files back")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("config.yaml", "cluster: [", "expected the node content"),
        ("config.yaml", "", "it holds no settings"),
        ("config.yaml", "- 1", "it holds no settings"),
        ("config.yaml", "12", "Invalid loaded object type"),
        ("assignments.parquet", "id,cluster", "Parquet"),
    ],
)
def test_a_file_that_is_damaged_is_named(run: PastRun, name: str, content: str, why: str) -> None:
    (artifacts(run) / name).write_text(content, encoding="utf-8")
    said = refused(run)
    says(said, key=f"RUN_ID={run.id}: {name}", use=run.info.info.artifact_uri)
    says(said, key=f"damaged ({why}" if why.startswith("it") else why, use="put the file back")


def test_a_stage_that_fails_by_now_is_no_difference(run: PastRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*given: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(faiss_kmeans.FaissKMeans, "fit", fit)
    said = refused(run)
    says(said, key=f"RUN_ID={run.id}", use="RuntimeError: out of memory; ")
    (again,) = run.below()
    assert (again.status, again.tags["verifies"]) == ("FAILED", run.id)


def test_artifacts_that_are_gone(run: PastRun) -> None:
    shutil.rmtree(artifacts(run))
    says(refused(run), key=f"RUN_ID={run.id}", use="config.yaml")


def test_a_key_that_this_version_does_not_know(run: PastRun) -> None:
    from_other_code(run)
    commit = run.tags["git.commit"]
    change_config(run, "cluster.velocity", 3)
    said = refused(run)
    says(said, key="cluster.velocity", use=f"git checkout {commit}")
    assert "~cluster" not in said, "nothing is composed here"


@pytest.mark.parametrize(
    ("target", "own"), [("experiments.cluster.gone.Gone", False), ("nowhere.of_a_user.Halves", True)]
)
def test_a_class_that_is_gone(run: PastRun, target: str, own: bool) -> None:
    from_other_code(run)
    change_config(run, "cluster._target_", target)
    said = refused(run)
    says(said, key=f"cluster._target_={target}")
    assert ("PYTHONPATH" in said) is own
    assert ("git checkout" in said) is not own


@pytest.mark.parametrize("key", ["protocol", "cluster.seed"])
def test_a_key_that_an_older_version_did_not_have(run: PastRun, key: str) -> None:
    from_other_code(run)
    cfg = OmegaConf.to_container(OmegaConf.load(artifacts(run) / "config.yaml"))
    place, _, name = key.rpartition(".")
    (cfg[place] if place else cfg).pop(name)
    OmegaConf.save(OmegaConf.create(cfg), artifacts(run) / "config.yaml")
    said = refused(run)
    says(said, key=key, use="git checkout")


def test_a_trace_of_another_version(run: PastRun) -> None:
    (artifacts(run) / "stages.json").write_text('{"layers": {}}', encoding="utf-8")
    said = refused(run)
    says(said, key="stages.json", use=f"git checkout {run.tags['git.commit']}")
    assert said.count("RUN_ID=") == 1


def test_the_same_code_blames_the_setting_alone(run: PastRun) -> None:
    change_config(run, "dataset.labels", {"path": "/nowhere/labels.txt", "column": "c", "march": "exact"})
    says(refused(run), key=f"RUN_ID={run.id}: dataset.labels.march")


@pytest.mark.parametrize("word", ["seed=1", "cluster.k=4", "cache.root=a,b", "threads=1,2", "+device=cpu"])
def test_what_would_make_it_another_run(word: str) -> None:
    if word == "+device=cpu":
        assert allowed_overrides([word]) == {"device": "cpu"}
        return
    with pytest.raises(CannotVerifyError) as error:
        allowed_overrides([word])
    says(error, key=word, use="python run.py")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("trackin.uri=x", "tracking.uri"), ("thread=1", "threads"), ("dataset.rot=x", "dataset.root")],
)
def test_a_mistyped_setting(word: str, meant: str) -> None:
    with pytest.raises(CannotVerifyError) as error:
        allowed_overrides([word])
    says(error, key=word, use=f"{meant}?")


@pytest.mark.parametrize("group", ["dataset", "backbone"])
def test_whatever_may_have_been_moved_may_be_said(group: str) -> None:
    places = set()
    for option in compose.options(group):
        target = OmegaConf.load(compose.CONF / group / f"{option}.yaml").get("_target_")
        for f in fields(get_class(target)) if target else ():  # one without it is another's variant
            places |= {f"{group}.{f.name}"} if f.metadata.get(PATH) is True else set()
            inner = f.metadata.get(PATH_KEY)
            places |= {f"{group}.{f.name}", f"{group}.{f.name}.{inner}"} if inner else set()
    assert places
    assert places <= set(ALLOWED)


def test_a_run_of_a_gpu_on_a_machine_without_one(run: PastRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", list)
    run.info.data.tags["device"] = "cuda"
    try:
        said = refused(run)
    finally:
        run.info.data.tags["device"] = "cpu"
    says(said, key=f"RUN_ID={run.id}", use="device=cuda")
    says(said, key="device=cuda", use="pass device=cpu")


def test_a_device_that_is_asked_for_here_and_is_not_here(
    run: PastRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", list)
    said = refused(run, "device=cuda")
    says(said, key="device=cuda", use="use device=cpu")
    assert "RUN_ID" not in said


def test_the_plan_restores_the_run_and_leaves_the_users_cache(run: PastRun, tmp_path: Path) -> None:
    run.info.data.tags["threads"] = "7"
    try:
        plan = RecordedConfig(run, tmp_path).plan([], tmp_path / "scratch")
    finally:
        run.info.data.tags["threads"] = "2"
    assert (plan.settings.threads, plan.settings.device, plan.settings.precision) == (7, "cpu", "float32")
    assert plan.cache == Cache(str(tmp_path / "scratch"), True)
    assert (plan.tracking.uri, plan.tracking.log_model, plan.settings.figures) == (run.uri, "none", "none")
    assert RecordedConfig(run, tmp_path).plan(["threads=1"], tmp_path).settings.threads == 1


def test_settings_that_change_no_result_may_be_missing_or_of_another_version(
    run: PastRun, tmp_path: Path
) -> None:
    change_config(run, "plan", True)
    change_config(run, "tracking.velocity", 3)
    cfg = OmegaConf.to_container(OmegaConf.load(artifacts(run) / "config.yaml"))
    del cfg["figures"]
    OmegaConf.save(OmegaConf.create(cfg), artifacts(run) / "config.yaml")
    plan = RecordedConfig(run, tmp_path).plan([], tmp_path / "scratch")
    assert (plan.settings.plan, plan.settings.figures) == (False, "none")
