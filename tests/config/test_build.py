"""Wrong settings stop a run before any work, with a message that says what to type instead."""

from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from tests.messages import says

from experiments.config import build as config
from experiments.config import compose
from experiments.config.plan import Plan
from experiments.config.stage import build_stage


def build(*overrides: str) -> Plan:
    return config.build(compose.compose_config(overrides), overrides)


def test_the_default_run_builds() -> None:
    plan = build()
    assert plan.stages.dataset.display_name == "digits"
    assert list(plan.stages.evaluators) == ["external", "internal"]
    assert plan.tracking.uri == f"sqlite:///{compose.ROOT}/mlflow/mlflow.db"
    assert plan.cache.root == str(compose.ROOT / "cache")


def test_values_typed_reach_the_stages() -> None:
    plan = build("cluster.k=20", "reducer.n_components=30", "seed=3")
    assert (plan.stages.cluster.k, plan.stages.cluster.seed) == (20, 3)  # type: ignore[attr-defined]
    assert plan.stages.reducer.n_components == 30  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typed", "key", "use"),
    [
        ("cluster.k=0", "cluster.k=0", "1 or more"),
        ("cluster.k=ten", "cluster.k", "'ten'"),
        ("cluster.kk=3", "cluster.kk=3", "cluster.k?"),
        ("clusters.k=3", "clusters.k=3", "cluster?"),
        ("sede=3", "sede=3", "seed?"),
        ("+cluster.kk=3", "cluster.kk", "cluster.k?"),
        ("cluster=faiss_kmean", "cluster=faiss_kmean", "faiss_kmeans?"),
        ("evaluator=[externl]", "evaluator=[externl]", "external?"),
        ("evaluator=[]", "evaluator=[]", "external, internal"),
        ("objective=arri", "objective=arri", "ari, ami, nmi"),
        ("protocol=heldout", "protocol=heldout", "held_out or published"),
        ("device=gpu", "device=gpu", "auto or cpu or cuda"),
        ("figures=some", "figures=some", "auto or all or none"),
        ("tracking.log_model=some", "tracking.log_model=some", "best or all or none"),
        ("seed=-1", "seed=-1", "0 to 4294967295"),
        ("seed=5000000000", "seed=5000000000", "0 to 4294967295"),
        ("seed=x", "seed", "'x'"),
        ("threads=none", "threads=none", "auto, or 1 or more"),
        ("cache.rot=x", "cache.rot=x", "cache.root?"),
        ("~cluster", "cluster=None", "cluster=agglomerative|agglomerative_auto|dbscan|faiss_kmeans|"),
        ("tracking=null", "tracking=None", "tracking.<setting>"),
        ("cluster.k=${nothing}", "cluster.k", "'nothing'"),
        ("cluster._target_=pathlib.Path", "pathlib.Path", "@dataclass, check, fit"),
        ("hydra/launcher=jobli", "hydra/launcher=jobli", "joblib?"),
        ("cluster._target_=nowhere.Thing", "cluster._target_=nowhere.Thing", "PYTHONPATH"),
        ("experiment=nothing", "experiment=nothing", "digits_seeds"),
    ],
)
def test_a_mistake_is_answered_with_what_to_type(typed: str, key: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        build(typed)
    says(error, key=key, use=use)


def test_an_objective_that_nobody_asked_for_may_be_missing() -> None:
    assert build("evaluator=[internal]").settings.objective == "ari"
    with pytest.raises(ValueError) as error:
        build("evaluator=[internal]", "objective=ari")
    says(error, key="objective=ari", use="silhouette")


@pytest.mark.parametrize(
    "objective", ["probe_accuracy_validation", "macro_accuracy_5", "purity_macro_5_test"]
)
def test_an_objective_may_be_of_some_rows_or_some_categories(objective: str) -> None:
    plan = build("evaluator=[probe,macro,macro_purity]", f"objective={objective}")
    assert plan.settings.objective == objective


def test_settings_of_an_option_that_was_replaced_are_named() -> None:
    cfg = compose.compose_config([])
    node = compose.compose_config(["+evaluator.probe.C=0.5"]).evaluator.probe
    with pytest.raises(ValueError) as error:
        build_stage("evaluator.probe", node)
    says(error, key="evaluator.probe.C", use="~evaluator.probe")
    assert config.build(cfg)


def test_a_typed_path_is_relative_to_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = build("dataset=image_folder", "dataset.root=photos", "cache.root=kept")
    assert typed.stages.dataset.root == str(tmp_path / "photos")  # type: ignore[attr-defined]
    assert typed.cache.root == str(tmp_path / "kept")
    preset = build("dataset=patternmind")
    assert preset.stages.dataset.root == str(compose.ROOT / "db/patternmind_dataset")  # type: ignore[attr-defined]
    labelled = build("dataset.labels={path: labels.csv}")
    assert labelled.stages.dataset.labels["path"] == str(tmp_path / "labels.csv")  # type: ignore[attr-defined]


def test_what_is_recorded_means_the_same_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = ["dataset=image_folder", "dataset.root=photos", "dataset.labels={path: labels.csv}"]
    plan = build(*typed, "backbone=resnet50", "backbone.weights_cache=weights", "tracking.uri=sqlite:///a.db")
    cfg = config.with_absolute_paths(plan)
    assert cfg.dataset.root == str(tmp_path / "photos")
    assert cfg.dataset.labels.path == str(tmp_path / "labels.csv")
    assert (cfg.backbone.weights, cfg.backbone.weights_cache) == ("pretrained", str(tmp_path / "weights"))
    assert cfg.cache.root == str(compose.ROOT / "cache")
    assert cfg.tracking.uri == f"sqlite:///{tmp_path}/a.db"
    assert plan.cfg.dataset.root == "photos"
    monkeypatch.chdir(tmp_path.parent)
    assert config.build(cfg).stages == plan.stages


def test_a_path_is_relative_to_where_it_was_typed_also_in_a_job_that_works_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ["dataset=image_folder", "dataset.root=photos", "tracking.uri='sqlite:///a.db?timeout=60'"]
    cfg = compose.compose_config([*typed, "hydra.job.chdir=true"], hydra=True)
    cfg.hydra.runtime.cwd = str(tmp_path)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
    plan = build(*typed)
    assert plan.stages.dataset.root == str(tmp_path / "photos")  # type: ignore[attr-defined]
    assert plan.tracking.uri == f"sqlite:///{tmp_path}/a.db?timeout=60"


def test_flatten_names_every_value() -> None:
    assert compose.flatten({"cluster": {"k": 10, "deep": {"er": [1]}}, "seed": 0, "none": {}}) == {
        "cluster.k": 10,
        "cluster.deep.er": [1],
        "seed": 0,
        "none": {},
    }


def test_what_is_composed_is_not_written_to() -> None:
    cfg = compose.compose_config(["cluster.k=7"])
    before = str(cfg)
    config.build(cfg)
    assert str(cfg) == before
