"""One job: errors of run(), the outcome of a failed job, and the files of a job."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.messages import says
from tests.running import composed, run_typed

import experiments
from experiments import tracking
from experiments.config.build import build
from experiments.config.invocation import VARIABLE
from experiments.config.plan import Tracking
from experiments.job import run_folder
from experiments.job.perform import Job, Outcome, draws_figures, explain

pytestmark = pytest.mark.slow

FEW = ["backbone=pixels", "dataset.limit=60", "reducer.n_components=5", "evaluator=[data_report]"]


@pytest.mark.parametrize(
    ("typed", "use"),
    [
        ("cluster.k=4,5", "python run.py -m"),
        ("experiment=digits_seeds", "python run.py experiment=digits_seeds"),
        ("plan=true", "python run.py plan=true"),
        ("cluster.k=0", "1 or more"),
    ],
)
def test_run_refuses_what_it_would_do_otherwise(typed: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        experiments.run([typed])
    says(error, key=typed, use=use)


def test_data_that_is_not_there_leaves_no_experiment(uri: str, tmp_path: Path) -> None:
    words = ["dataset=image_folder", f"dataset.root={tmp_path}/nothere", f"cache.root={tmp_path}/cache"]
    where = [f"tracking.uri={uri}", f"hydra.run.dir={tmp_path}/run"]
    with pytest.raises(ValueError) as error:
        experiments.run(["backbone=pixels", *words, *where])
    says(error, key=f"dataset.root={tmp_path}/nothere")
    made = tracking.query(uri, lambda client: client.get_experiment_by_name("nothere"))
    assert made is None


def test_an_expected_error_is_one_line_and_another_leaves_its_traceback(tmp_path: Path) -> None:
    assert explain(ValueError("k=0 is nothing"), tmp_path) == "k=0 is nothing"
    assert not list(tmp_path.iterdir())
    said = explain(RuntimeError("the third law"), tmp_path)
    says(said, key="RuntimeError: the third law", use=str(tmp_path / "traceback.txt"))
    assert "\n" not in said
    assert "RuntimeError: the third law" in (tmp_path / "traceback.txt").read_text(encoding="utf-8")


def test_an_outcome_comes_back_whole(tmp_path: Path) -> None:
    kept = Outcome(["cluster.k=3"], 2, "a sweep", "held_out", "FINISHED", {"ari": 0.5}, {"embed": None})
    kept = replace(kept, finding_keys={"external": "external-0"})
    kept.save(tmp_path / "0")
    assert Outcome.load(tmp_path / "0") == kept


@pytest.mark.parametrize(
    ("typed", "alone", "in_a_sweep"),
    [
        ([], True, False),
        (["figures=all"], True, True),
        (["figures=none"], False, False),
        (["cache.enabled=false"], True, True),  # nothing is kept that the sweep could draw
    ],
)
def test_who_draws(typed: list[str], alone: bool, in_a_sweep: bool) -> None:
    plan = build(composed(typed), typed)
    assert draws_figures(plan, None) == alone
    assert draws_figures(plan, tracking.Parent("sqlite:///", "1", "the parent run's id")) == in_a_sweep


@pytest.fixture
def storage(uri: str, tmp_path: Path) -> list[str]:
    """Return settings that write results into tmp_path."""
    return [f"cache.root={tmp_path}/cache", f"tracking.uri={uri}"]


def test_tables_and_figures_are_written_twice(storage: list[str], tmp_path: Path) -> None:
    typed = [*FEW, "report=none", "tracking.log_model=none", *storage]
    performed = run_typed(typed, tmp_path / "run")
    result, outcome = performed.result, performed.outcome
    files = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*.*")}
    findings = result.findings["data_report"]
    assert files >= {f"{name}.{kind}" for name in findings.tables for kind in ("csv", "md")}
    assert files >= {f"figures/{name}.{kind}" for name in findings.figures for kind in ("html", "png")}
    assert outcome.finding_keys == Outcome.load(tmp_path / "run").finding_keys
    assert (tmp_path / "cache" / outcome.finding_keys["data_report"] / "figures.json").exists()


def test_the_main_figures_are_recorded_first_and_the_seconds_last(
    storage: list[str], uri: str, tmp_path: Path
) -> None:
    typed = [*FEW[:-1], "evaluator=[internal,external]", "figures=none", *storage]
    choices = {"backbone": "pixels", "experiment": None}
    outcome = run_typed(typed, tmp_path / "run", choices=choices).outcome
    client = tracking.connect(Tracking(uri), "digits").client
    findings = client.get_run(outcome.run_id).data
    names = list(findings.metrics)
    assert names[:3] == ["ari", "ami", "nmi"]
    seconds = {name for name in names if name.startswith("wall_seconds_")}
    assert seconds >= {"wall_seconds_cluster", "wall_seconds_external"}
    assert set(names[-len(seconds) :]) == seconds, "MLflow's tables keep the order"
    assert set(sorted(names)[-len(seconds) :]) == seconds, "and its charts are in alphabetical order"
    assert findings.tags["backbone"] == "pixels"
    assert "experiment" not in findings.tags
    assert "report.html" in findings.tags["mlflow.note.content"]
    assert "scripts/assign.py" in findings.tags["mlflow.note.content"]


def test_a_pretrained_backbone_is_called_after_its_network() -> None:
    choices = {"backbone": "resnet50", "cluster": "gmm", "experiment": None, "hydra/launcher": "basic"}
    params = {"backbone.model": "squeezenet1_1", "cluster.k": 3}
    assert Job(choices=choices).options(params) == {"backbone": "squeezenet1_1", "cluster": "gmm"}


def test_two_figures_of_one_name_are_refused_with_what_to_change(storage: list[str], tmp_path: Path) -> None:
    """One of them would replace the other, also if both are cached."""
    same = ["evaluator=[sizes,maps]", "evaluator.maps.methods=[pca]", "evaluator.sizes.file=map_pca"]
    for name in ("first", "again"):
        with pytest.raises(ValueError) as error:
            experiments.run([*FEW[:-1], *same, *storage, f"hydra.run.dir={tmp_path}/{name}"])
        says(error, key="evaluator.sizes", use="map_pca")
        says(error, key="evaluator.maps", use="evaluator.maps.files.pca=")
        assert Outcome.load(tmp_path / name).status == "FAILED"
    assert not Outcome.load(tmp_path / "again").computed


def test_a_folder_that_is_no_model_is_left_alone_and_said_before_any_work(
    storage: list[str], tmp_path: Path
) -> None:
    mine = tmp_path / "run" / "model" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("a year's work", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        experiments.run([*FEW, *storage, f"hydra.run.dir={tmp_path}/run"])
    says(error, key=str(mine.parent), use="move it")
    assert mine.read_text(encoding="utf-8") == "a year's work"
    assert not (tmp_path / "cache").exists()
    plain = ["tracking.log_model=none", "figures=none", "report=none"]
    experiments.run([*FEW, *storage, f"hydra.run.dir={tmp_path}/run", *plain])
    assert mine.read_text(encoding="utf-8") == "a year's work"


def test_a_folder_that_is_used_again_holds_and_records_the_second_run_alone(
    storage: list[str], uri: str, tmp_path: Path
) -> None:
    small = [*storage, f"hydra.run.dir={tmp_path}/run"]
    first = [*FEW[:-1], "evaluator=[sizes]", *small]
    second = ["dataset=synthetic", "dataset.n=60", "backbone=pixels", "cluster.k=3", "evaluator=[internal]"]
    experiments.run(first)
    (tmp_path / "run" / "notes.md").write_text("a person's", encoding="utf-8")
    assert (tmp_path / "run" / "figures" / "cluster_sizes.png").exists()
    experiments.run([*second, "reducer=identity", "tracking.log_model=none", *small])
    files = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*.*")}
    assert not [name for name in files if "cluster_sizes" in name or name.startswith("model")]
    assert {"assignments.parquet", "report.html", "notes.md"} <= files
    assert "cluster_sizes" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    run_id = Outcome.load(tmp_path / "run").run_id
    client = tracking.connect(Tracking(uri), "synthetic").client
    recorded = {file.path for file in client.list_artifacts(run_id)}
    assert recorded == files - {"notes.md", run_folder.FILES}
    assert VARIABLE not in os.environ


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_what_makes_a_number_doubtful_stands_on_the_run_also_when_it_was_kept(
    storage: list[str], uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    typed = ["evaluator=[probe]", "evaluator.probe.max_iter=1", "figures=none", "report=none"]
    typed = [*FEW, *typed, "tracking.log_model=none", *storage]
    for name in ("first", "again"):
        caplog.clear()
        outcome = run_typed(typed, tmp_path / name).outcome
        tags = tracking.connect(Tracking(uri), "digits").client.get_run(outcome.run_id).data.tags
        says(tags["warnings"], key="evaluator.probe", use="max_iter")
        assert tags["warnings"] in caplog.messages
    assert not [key for key in outcome.computed if key.startswith(("probe", "logistic"))]
