"""Runs that cannot be verified: each is refused with the reason and a suggestion."""

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
    is_sweep,
    jobs,
    refuse_unfinished,
)
from experiments.recorded.verification.verify import verify

pytestmark = pytest.mark.slow

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
    """Return the run; a test's changes of its artifacts are undone."""
    folder = artifacts(first)
    shutil.copytree(folder, tmp_path / "artifacts")
    yield first
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tmp_path / "artifacts", folder)


def artifacts(run: PastRun) -> Path:
    return Path(run.info.info.artifact_uri.removeprefix("file://"))


def refused(run: PastRun, *settings: str) -> str:
    with pytest.raises(CannotVerifyError) as error:
        verify(run, settings, lambda line: None)
    return str(error.value)


def record_run(uri: str, status: str, folder: Path, **tags: str) -> PastRun:
    """Record a run without outputs."""
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
        ("FINISHED", {}, "tag threads", "use a run of this framework"),
        ("FINISHED", {"stopped": "after 5 minutes"}, "after 5 minutes", "backbone.max_minutes"),
    ],
)
def test_a_run_without_a_reproducible_result_is_refused(
    uri: str, tmp_path: Path, status: str, tags: dict[str, str], key: str, use: str
) -> None:
    run = record_run(uri, status, tmp_path, **tags)
    with pytest.raises(CannotVerifyError) as error:
        refuse_unfinished(run)
    says(error, key=f"RUN_ID={run.id}", use=key)
    says(error, key=key, use=use)


def test_a_sweep_knows_its_jobs_and_its_best(uri: str, tmp_path: Path) -> None:
    sweep = record_run(uri, "FINISHED", tmp_path, sweep="parent")
    tracker = tracking.tracker_below(sweep.parent)
    made = [tracker.open(f"cluster.k={k}", tmp_path, params={}, tags={}) for k in (3, 4)]
    tracker.open("verify cluster.k=3", tmp_path, params={}, tags={"verifies": made[0].id})
    tracker.open("cluster.k=4", tmp_path, params={}, tags={SUPERSEDED: "true"})
    assert [job.id for job in jobs(sweep)] == [run_.id for run_ in made]
    assert [job.id for job in jobs(PastRun.of(uri, made[0].id))] == [made[0].id]
    assert is_sweep(sweep)
    assert not is_sweep(PastRun.of(uri, made[0].id))
    with pytest.raises(CannotVerifyError) as error:
        best_job(sweep)
    text = says(error, key=f"RUN_ID={sweep.id}", use="--all")
    assert f"({made[0].id} cluster.k=3; {made[1].id} cluster.k=4)" in text
    made[0].sibling(sweep.id, tmp_path).log(tags={"best.run_id": made[1].id})
    assert best_job(PastRun.of(uri, sweep.id)).id == made[1].id


@pytest.mark.parametrize("name", ["config.yaml", "assignments.parquet", "stages.json"])
def test_a_missing_file_is_reported_before_anything_runs(
    run: PastRun, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "experiments.recorded.verification.verify.perform", lambda *args, **named: pytest.fail("it was run")
    )
    (artifacts(run) / name).unlink()
    message = refused(run)
    says(message, key=f"RUN_ID={run.id}", use=name)
    says(message, key=name, use=f"{run.info.info.artifact_uri}; restore its files")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("config.yaml", "cluster: [", "expected the node content"),
        ("config.yaml", "", "it has no settings"),
        ("config.yaml", "- 1", "it has no settings"),
        ("config.yaml", "12", "Invalid loaded object type"),
        ("assignments.parquet", "id,cluster", "Parquet"),
    ],
)
def test_a_damaged_file_is_named(run: PastRun, name: str, content: str, why: str) -> None:
    (artifacts(run) / name).write_text(content, encoding="utf-8")
    message = refused(run)
    says(message, key=f"RUN_ID={run.id}: {name}", use=run.info.info.artifact_uri)
    says(message, key=f"damaged ({why}" if why.startswith("it") else why, use="restore the file")


def test_a_stage_that_fails_now_gives_no_verdict(run: PastRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*args: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(faiss_kmeans.FaissKMeans, "fit", fit)
    message = refused(run)
    says(message, key=f"RUN_ID={run.id}", use="RuntimeError: out of memory; ")
    (again,) = run.below()
    assert (again.status, again.tags["verifies"]) == ("FAILED", run.id)


def test_missing_artifacts_are_reported(run: PastRun) -> None:
    shutil.rmtree(artifacts(run))
    says(refused(run), key=f"RUN_ID={run.id}", use="config.yaml")


def test_an_unknown_setting_suggests_the_recorded_commit(run: PastRun) -> None:
    from_other_code(run)
    commit = run.tags["git.commit"]
    change_config(run, "cluster.velocity", 3)
    message = refused(run)
    says(message, key="cluster.velocity", use=f"git checkout {commit}")
    assert "~cluster" not in message, "the recorded config is not composed from options"


@pytest.mark.parametrize(
    ("target", "user_class"), [("experiments.cluster.gone.Gone", False), ("nowhere.of_a_user.Halves", True)]
)
def test_a_missing_class_suggests_the_commit_or_pythonpath(
    run: PastRun, target: str, user_class: bool
) -> None:
    from_other_code(run)
    change_config(run, "cluster._target_", target)
    message = refused(run)
    says(message, key=f"cluster._target_={target}")
    assert ("PYTHONPATH" in message) is user_class
    assert ("git checkout" in message) is not user_class


@pytest.mark.parametrize("key", ["protocol", "cluster.seed"])
def test_a_missing_setting_suggests_the_recorded_commit(run: PastRun, key: str) -> None:
    from_other_code(run)
    cfg = OmegaConf.to_container(OmegaConf.load(artifacts(run) / "config.yaml"))
    group, _, name = key.rpartition(".")
    (cfg[group] if group else cfg).pop(name)
    OmegaConf.save(OmegaConf.create(cfg), artifacts(run) / "config.yaml")
    message = refused(run)
    says(message, key=key, use="git checkout")


def test_a_trace_of_another_version_is_refused(run: PastRun) -> None:
    (artifacts(run) / "stages.json").write_text('{"layers": {}}', encoding="utf-8")
    message = refused(run)
    says(message, key="stages.json", use=f"git checkout {run.tags['git.commit']}")
    assert message.count("RUN_ID=") == 1


def test_the_same_code_reports_only_the_setting(run: PastRun) -> None:
    change_config(run, "dataset.labels", {"path": "/nowhere/labels.txt", "column": "c", "march": "exact"})
    says(refused(run), key=f"RUN_ID={run.id}: dataset.labels.march")


@pytest.mark.parametrize("setting", ["seed=1", "cluster.k=4", "cache.root=a,b", "threads=1,2", "+device=cpu"])
def test_a_setting_that_changes_the_run_is_refused(setting: str) -> None:
    if setting == "+device=cpu":
        assert allowed_overrides([setting]) == {"device": "cpu"}
        return
    with pytest.raises(CannotVerifyError) as error:
        allowed_overrides([setting])
    says(error, key=setting, use="python run.py")


@pytest.mark.parametrize(
    ("setting", "meant"),
    [("trackin.uri=x", "tracking.uri"), ("thread=1", "threads"), ("dataset.rot=x", "dataset.root")],
)
def test_a_mistyped_setting_has_a_suggestion(setting: str, meant: str) -> None:
    with pytest.raises(CannotVerifyError) as error:
        allowed_overrides([setting])
    says(error, key=setting, use=f"{meant}?")


@pytest.mark.parametrize("group", ["dataset", "backbone"])
def test_all_paths_are_allowed_overrides(group: str) -> None:
    paths = set()
    for option in compose.options(group):
        target = OmegaConf.load(compose.CONF / group / f"{option}.yaml").get("_target_")
        for f in (
            fields(get_class(target)) if target else ()
        ):  # options without a target derive from another option
            paths |= {f"{group}.{f.name}"} if f.metadata.get(PATH) is True else set()
            inner = f.metadata.get(PATH_KEY)
            paths |= {f"{group}.{f.name}", f"{group}.{f.name}.{inner}"} if inner else set()
    assert paths
    assert paths <= set(ALLOWED)


def test_a_gpu_run_needs_a_gpu(run: PastRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", list)
    run.info.data.tags["device"] = "cuda"
    try:
        message = refused(run)
    finally:
        run.info.data.tags["device"] = "cpu"
    says(message, key=f"RUN_ID={run.id}", use="device=cuda")
    says(message, key="device=cuda", use="use device=cpu")


def test_a_typed_device_that_is_missing_is_reported(run: PastRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "cuda_capabilities", list)
    message = refused(run, "device=cuda")
    says(message, key="device=cuda", use="use device=cpu")
    assert "RUN_ID" not in message


def test_the_plan_restores_the_run_with_an_empty_cache(run: PastRun, tmp_path: Path) -> None:
    run.info.data.tags["threads"] = "7"
    try:
        plan = RecordedConfig(run, tmp_path).plan([], tmp_path / "scratch")
    finally:
        run.info.data.tags["threads"] = "2"
    assert (plan.settings.threads, plan.settings.device, plan.settings.precision) == (7, "cpu", "float32")
    assert plan.cache == Cache(str(tmp_path / "scratch"), True)
    assert (plan.tracking.uri, plan.tracking.log_model, plan.settings.figures) == (run.uri, "none", "none")
    assert RecordedConfig(run, tmp_path).plan(["threads=1"], tmp_path).settings.threads == 1


def test_result_neutral_settings_may_be_missing_or_unknown(run: PastRun, tmp_path: Path) -> None:
    change_config(run, "plan", True)
    change_config(run, "tracking.velocity", 3)
    cfg = OmegaConf.to_container(OmegaConf.load(artifacts(run) / "config.yaml"))
    del cfg["figures"]
    OmegaConf.save(OmegaConf.create(cfg), artifacts(run) / "config.yaml")
    plan = RecordedConfig(run, tmp_path).plan([], tmp_path / "scratch")
    assert (plan.settings.plan, plan.settings.figures) == (False, "none")
