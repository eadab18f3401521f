"""From a command line to checked jobs, and to exactly these under Hydra."""

import sys
from pathlib import Path

import hydra
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from tests.project import REPOSITORY

from experiments.config import command_line, compose


def read(*overrides: str, multirun: bool = True) -> command_line.Request:
    words = [*["-m"] * multirun, *overrides]
    return command_line.read(command_line.arguments(words))


def command(words: str) -> command_line.Request:
    return command_line.read(command_line.arguments(words.split(" ")))


def ks(request: command_line.Request) -> list[tuple[int, int]]:
    return [(plan.stages.cluster.k, plan.settings.seed) for plan in request.plans]  # type: ignore[attr-defined]


def test_every_job_of_a_sweep_is_built() -> None:
    request = read("cluster.k=10,50", "seed=0,1")
    assert ks(request) == [(10, 0), (10, 1), (50, 0), (50, 1)]
    assert [plan.stages.cluster.seed for plan in request.plans] == [0, 1, 0, 1]  # type: ignore[attr-defined]
    assert request.swept == ["cluster.k", "seed"]


def test_a_key_is_the_same_however_it_was_typed() -> None:
    request = read("++cluster.k=10,50")
    assert ks(request) == [(10, 0), (50, 0)]
    assert request.swept == ["cluster.k"]


def test_options_can_be_swept() -> None:
    request = read("backbone=cnn,pixels", "cluster.k=range(2,4)")
    assert [type(plan.stages.backbone).__name__ for plan in request.plans] == [
        "Cnn",
        "Cnn",
        "Pixels",
        "Pixels",
    ]
    assert [k for k, _ in ks(request)] == [2, 3, 2, 3]
    assert request.swept == ["backbone", "cluster.k"]


def test_a_preset_is_a_sweep_by_itself_and_the_command_line_wins() -> None:
    request = read("experiment=digits_seeds", "seed=7", multirun=False)
    assert request.multirun
    assert ks(request) == [(10, 7), (50, 7), (233, 7)]
    assert request.swept == ["cluster.k"]


def test_a_single_run_is_one_job() -> None:
    request = read("cluster.k=20", multirun=False)
    assert not request.multirun
    assert ks(request) == [(20, 0)]


def test_jobs_have_folders_of_their_own() -> None:
    with pytest.raises(ValueError, match=r"^hydra\.sweep\.subdir=jobs puts all 2 jobs into one folder; "):
        read("cluster.k=10,20", "hydra.sweep.subdir=jobs")
    assert len(read("cluster.k=10", "hydra.sweep.subdir=jobs").jobs) == 1
    read("cluster.k=10,20", "hydra.sweep.subdir=k${cluster.k}")


def test_the_first_bad_value_of_a_sweep_is_named() -> None:
    with pytest.raises(ValueError, match=r"cluster\.k=0 is less than one"):
        read("cluster.k=10,0")
    with pytest.raises(ValueError, match=r"backbone=cnnn is not an option.*did you mean cnn\?"):
        read("backbone=cnn,cnnn")


def test_an_optimiser_needs_its_objective() -> None:
    sweeper = ["hydra.sweeper._target_=an.Optimiser", "evaluator=[internal]"]
    with pytest.raises(ValueError, match="objective=ari is given by none of the evaluators chosen"):
        read(*sweeper)
    assert read(*sweeper, "objective=silhouette").optimiser


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ("-m cluster=glob(*means,exclude=sk*)", ["cluster=faiss_kmeans", "cluster=spherical_kmeans"]),
        ("-m dataset=glob(synthetic*)", ["dataset=synthetic", "dataset=synthetic_vectors"]),
        ("-m cluster=glob(gmm)", ["cluster=gmm"]),
        ("-m cluster.k=choice(3,4)", ["cluster.k=3", "cluster.k=4"]),
        ("-m cluster.k=range(3,9,3)", ["cluster.k=3", "cluster.k=6"]),
        ("-m cluster.k=sort(range(3,5),reverse=true)", ["cluster.k=4", "cluster.k=3"]),
        ("-m cluster.k=tag(a,b,int(choice(3.0,4.0)))", ["cluster.k=3", "cluster.k=4"]),
        ("-m tracking.experiment='a,(b)',c", ["tracking.experiment='a,(b)'", "tracking.experiment=c"]),
        ("-m evaluator=[internal],[external,sizes]", ["evaluator=[internal]", "evaluator=[external,sizes]"]),
        ("-m dataset.split={train:1,validation:0,test:0}", ["dataset.split={train:1,validation:0,test:0}"]),
        ("cluster.k=3,4 --multirun seed=1", ["cluster.k=3 seed=1", "cluster.k=4 seed=1"]),
        ("hydra.mode=MULTIRUN cluster.k=3,4", ["cluster.k=3", "cluster.k=4"]),
        ("hydra.mode=RUN -m cluster.k=3", ["cluster.k=3"]),
        ("-m ++cluster.k=3,4", ["++cluster.k=3", "++cluster.k=4"]),
        ("-m seed=1,2 ~evaluator.internal", [f"seed={seed} ~evaluator.internal=null" for seed in (1, 2)]),
        (
            "experiment=glob(digits*) seed=7",
            [f"seed=7 cluster.k={k} experiment=digits_seeds" for k in (10, 50, 233)],
        ),
        ("-cn config cluster.k=3 -cp conf", ["cluster.k=3"]),
    ],
)  # fmt: skip
def test_what_hydra_documents_can_be_typed(
    words: str, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    request = command(words)
    own = [" ".join(o for o in job if not o.startswith("hydra.")) for job in request.jobs]
    assert own == jobs


def test_folders_of_further_options_are_searched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "tests"))
    folder = REPOSITORY / "tests" / "user_conf"
    request = command(f"-m --config-dir {folder} cluster=glob(fr*)")
    assert [type(plan.stages.cluster).__name__ for plan in request.plans] == ["Fragile"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("-m cluster=glob(zzz*)", r"cluster=glob\(zzz\*\) .*cluster has .*gmm"),
        ("-m cluster.k=glob(*)", r"cluster\.k=glob\(\*\) .*use range\(.*cluster\.k=3,5,9"),
        ("cluster=glob(*)", r"cluster=glob\(\*\) gives several values; type -m before it"),
        ("-m cluster.k=interval(3,9)", r"cluster\.k=interval\(3,9\) .*use cluster\.k=range\("),
        ("-m cluster.k=range(3,3)", r"cluster\.k=range\(3,3\) has no value; "),
        ("-m cluster.k=range(3,9,0)", r"cluster\.k=range\(3,9,0\) .*use a list"),
        ("dataset.exclude=extend_list(a)", r"dataset\.exclude=extend_list.*such as dataset\.exclude=\[a,b\]"),
        ("-m cluster.k=rang(3)", r"cluster\.k=rang\(3\): .*did you mean range\(\)\?"),
        ("-m dataset=glob(s*),digits", r"dataset=glob\(s\*\),digits: .*type dataset=glob\(\["),
        ("-m seed=1,,2", r"""seed=1,,2 is no value.*type 'seed="1,,2"'"""),
        ("dataset.root=my photos", r"""photos is no setting.*: 'dataset\.root="my photos"'"""),
        ("cluster@other=gmm", r"cluster@other=gmm: .*type cluster=gmm, without @other"),
        ("+experiment=digits_seeds", r"\+experiment=digits_seeds: .*type experiment=digits_seeds"),
        ("+cluster.k=7", r"\+cluster\.k=7: .*type cluster\.k=7"),
        ("~cluster.k=11", r"~cluster\.k=11: it is 10; type ~cluster\.k"),
        ("~cluster.k", r"cluster\.k has no value; type cluster\.k="),
        ("~evaluator", r"~evaluator: .*type evaluator=\[\.\.\.\] .*~evaluator\.external"),
        ("~cluster=gmm", r"~cluster=gmm: .*type cluster=\.\.\."),
        ("cluster=[gmm,dbscan]", r"cluster=\[gmm,dbscan\] .*type -m cluster=gmm,dbscan"),
        ("-m hydra.sweeper.params={cluster.k:'3,4'}", r"hydra\.sweeper\.params=.*-m cluster\.k=3,4"),
        ("-m hydra/launcher=joblib,basic", r"hydra/launcher=joblib,basic .*choose one"),
        ("-m hydra/launcher=ray", r"hydra/launcher=ray is not an option; .*pip install hydra-ray-launcher"),
        ("-m hydra.launcher.n_jobs=2", r"hydra\.launcher\.n_jobs=2: .*hydra/launcher=joblib has it"),
        ("hydra.mode=nothing", r"hydra\.mode=nothing: .*RUN, MULTIRUN"),
        ("-m experiment=digits_seeds,clip_density", r"digits_seeds sweeps seed=0,1,2,3,4 cluster\.k=10,50"),
        ("--experimental-rerun x.pickle", r"--experimental-rerun=x\.pickle .*verify\.py RUN_ID"),
        ("-cn other", r"--config-name=other: .*type experiment=other"),
        ("-cp nowhere", r"--config-path=nowhere: .*type --config-dir=nowhere"),
        ("-cd nowhere", r"--config-dir nowhere is no folder"),
        ("--cluster.k=3", r"--cluster\.k=3; settings are key=value without dashes"),
        ("-m --run", r"--run --multirun contradict each other"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_answered_with_what_to_type(words: str, answer: str) -> None:
    with pytest.raises(ValueError, match=answer):
        command(words)


@pytest.mark.parametrize(
    "words",
    [
        "-m cluster=glob(g*) seed=choice(1,2)",
        "-m cluster.k=shuffle(range(2,5))",
        "experiment=digits_seeds seed=7 cluster.k=3,4",
        "-m tracking.experiment=1e3,'a,b'",
    ],
)
def test_hydra_runs_the_jobs_that_were_checked(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request, ran = command(words), list[list[str]]()

    def job(cfg: DictConfig) -> None:
        ran.append([*HydraConfig.get().overrides.task, repr(cfg.tracking.experiment)])

    monkeypatch.setattr(sys, "argv", ["run.py", "-m", *request.words, f"hydra.sweep.dir={tmp_path}"])
    hydra.main(version_base="1.3", config_path=str(compose.CONF), config_name="config")(job)()
    names = [repr(plan.cfg.tracking.experiment) for plan in request.plans]
    assert ran == [[*job, name] for job, name in zip(request.jobs, names, strict=True)]
    assert command(words).jobs == request.jobs, "the same command has the same order"
