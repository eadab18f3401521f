"""Bad settings stop before any work, with a sentence that says what to type instead."""

from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig

from experiments.config import build as config
from experiments.config import compose


def build(*overrides: str) -> config.Plan:
    return config.build(compose.compose_config(overrides), overrides)


def test_the_default_run_builds() -> None:
    plan = build()
    assert plan.stages.dataset.name == "digits"
    assert list(plan.stages.evaluators) == ["external", "internal"]
    assert plan.tracking.uri == f"sqlite:///{compose.ROOT}/mlflow/mlflow.db"
    assert plan.cache.root == str(compose.ROOT / "cache")


def test_values_typed_reach_the_stages() -> None:
    plan = build("cluster.k=20", "reducer.n_components=30", "seed=3")
    assert (plan.stages.cluster.k, plan.stages.cluster.seed) == (20, 3)  # type: ignore[attr-defined]
    assert plan.stages.reducer.n_components == 30  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("cluster.k=0", r"cluster\.k=0 is less than one; use 1 or more"),
        ("cluster.k=ten", r"cluster\.k: Value 'ten' of type 'str' could not be converted to Integer"),
        (
            "cluster.kk=3",
            r"cluster\.kk=3: FaissKMeans has no setting kk; its settings are k, .*did you mean cluster\.k\?",
        ),
        ("clusters.k=3", r"clusters\.k=3: the config has no clusters; .*did you mean cluster\?"),
        ("sede=3", r"sede=3: .*did you mean seed\?"),
        ("+cluster.kk=3", r"cluster\.kk: FaissKMeans has no setting kk.*did you mean cluster\.k\?"),
        (
            "cluster=faiss_kmean",
            r"cluster=faiss_kmean is not an option; cluster has .*did you mean faiss_kmeans\?",
        ),
        ("evaluator=[externl]", r"evaluator=\[externl\] is not an option.*did you mean external\?"),
        ("evaluator=[]", r"evaluator=\[\] judges nothing; use one or more of .*external, internal"),
        ("objective=arri", r"objective=arri is given by none of the evaluators chosen"),
        ("protocol=heldout", r"protocol=heldout is not an option; use held_out or published"),
        ("device=gpu", r"device=gpu is not an option; use auto or cpu or cuda"),
        ("figures=some", r"figures=some is not an option; use auto or all or none"),
        ("seed=-1", r"seed=-1 is not a seed; use 0 to 4294967295"),
        ("seed=5000000000", r"seed=5000000000 is not a seed"),
        ("seed=x", r"seed: Value 'x' of type 'str' could not be converted to Integer"),
        ("threads=none", r"threads=none is not a number of cores; use auto, or 1 or more"),
        ("cache.rot=x", r"cache\.rot=x: .*did you mean cache\.root\?"),
        ("~cluster", r"cluster=None leaves a run without one; use cluster=.*faiss_kmeans\|"),
        ("tracking=null", r"tracking=None leaves a run without one"),
        ("cluster.k=${nothing}", r"cluster\.k: Interpolation key 'nothing' not found"),
        ("cluster._target_=pathlib.Path", r"pathlib\.Path is no cluster: it lacks @dataclass, check, fit"),
        ("hydra/launcher=jobli", r"hydra/launcher=jobli is not an option.*did you mean joblib\?"),
        ("cluster._target_=nowhere.Thing", r"cluster\._target_=nowhere\.Thing cannot be imported"),
        ("experiment=nothing", r"experiment=nothing is not an option; experiment has "),
    ],
)
def test_a_mistake_is_answered_with_what_to_type(typed: str, answer: str) -> None:
    with pytest.raises(ValueError, match=answer):
        build(typed)


def test_an_objective_that_nobody_asked_for_may_be_missing() -> None:
    assert build("evaluator=[internal]").settings.objective == "ari"
    with pytest.raises(ValueError, match="objective=ari is given by none"):
        build("evaluator=[internal]", "objective=ari")


@pytest.mark.parametrize(
    "objective", ["probe_accuracy_validation", "macro_accuracy_5", "purity_macro_5_test"]
)
def test_an_objective_may_be_of_some_rows_or_some_categories(objective: str) -> None:
    plan = build("evaluator=[probe,macro,macro_purity]", f"objective={objective}")
    assert plan.settings.objective == objective


def test_settings_of_an_option_that_was_replaced_are_named() -> None:
    cfg = compose.compose_config([])
    node = compose.compose_config(["+evaluator.probe.C=0.5"]).evaluator.probe
    with pytest.raises(
        ValueError, match=r"evaluator\.probe\.C belongs to an option that is not chosen.*~evaluator\.probe"
    ):
        config.build_stage("evaluator.probe", node)
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
    cfg = config.placed(plan)
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
