"""A command line becomes checked jobs, and Hydra runs exactly these."""

import sys
from pathlib import Path

import hydra
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from tests.messages import says
from tests.project import REPOSITORY

from experiments.config import command_line, compose

pytestmark = pytest.mark.slow


def read(*overrides: str, multirun: bool = True) -> command_line.Request:
    words = [*["-m"] * multirun, *overrides]
    return command_line.parse_request(command_line.parse_arguments(words))


def command(words: str) -> command_line.Request:
    return command_line.parse_request(command_line.parse_arguments(words.split(" ")))


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
    with pytest.raises(ValueError) as error:
        read("cluster.k=10,20", "hydra.sweep.subdir=jobs")
    says(error, key="hydra.sweep.subdir=jobs", use="hydra.sweep.subdir='${hydra:job.num}'")
    assert len(read("cluster.k=10", "hydra.sweep.subdir=jobs").jobs) == 1
    read("cluster.k=10,20", "hydra.sweep.subdir=k${cluster.k}")


def test_the_first_bad_value_of_a_sweep_is_named() -> None:
    with pytest.raises(ValueError) as error:
        read("cluster.k=10,0")
    says(error, key="cluster.k=0", use="1 or more")
    with pytest.raises(ValueError) as error:
        read("backbone=cnn,cnnn")
    says(error, key="backbone=cnnn", use="cnn?")


def test_an_optimiser_needs_its_objective() -> None:
    sweeper = ["hydra.sweeper._target_=an.Optimiser", "evaluator=[internal]"]
    with pytest.raises(ValueError) as error:
        read(*sweeper)
    says(error, key="objective=ari", use="silhouette")
    assert read(*sweeper, "objective=silhouette", "cluster.k=3,4").optimiser
    with pytest.raises(ValueError) as error:
        read(*sweeper, "objective=silhouette", "reducer=pca,neighbours")
    says(error, key="objective=silhouette", use="label_free=true objective=silhouette_embeddings")


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
    ("words", "key", "use"),
    [
        ("-m cluster=glob(zzz*)", "cluster=glob(zzz*)", "gmm"),
        ("-m cluster.k=glob(*)", "cluster.k=glob(*)", "cluster.k=3,5,9"),
        ("-m cluster.k=glob(*)", "cluster.k=glob(*)", "range(3,10,2)"),
        ("cluster=glob(*)", "cluster=glob(*)", "type -m"),
        ("cluster.k=10,20", "cluster.k=10,20", "type -m"),
        ("-m cluster.k=interval(3,9)", "cluster.k=interval(3,9)", "cluster.k=range("),
        ("-m cluster.k=range(3,3)", "cluster.k=range(3,3)", "range(3,10,2)"),
        ("-m cluster.k=range(3,9,0)", "cluster.k=range(3,9,0)", "3,5,9"),
        ("dataset.exclude=extend_list(a)", "dataset.exclude=extend_list(a)", "dataset.exclude=[a,b]"),
        ("-m cluster.k=rang(3)", "cluster.k=rang(3)", "range()?"),
        ("-m dataset=glob(s*),digits", "dataset=glob(s*),digits", "dataset=glob([a*,b*])"),
        ("-m seed=1,,2", "seed=1,,2", """'seed="1,,2"'"""),
        ("dataset.root=my photos", "photos", """'dataset.root="my photos"'"""),
        ("cluster@other=gmm", "cluster@other=gmm", "cluster=gmm"),
        ("+experiment=digits_seeds", "+experiment=digits_seeds", "experiment=digits_seeds"),
        ("+cluster.k=7", "+cluster.k=7", "cluster.k=7"),
        ("~cluster.k=11", "~cluster.k=11", "~cluster.k"),
        ("~cluster.k", "cluster.k", "cluster.k=..."),
        ("~evaluator", "~evaluator", "evaluator=[...]"),
        ("~evaluator", "~evaluator", "~evaluator.external"),
        ("~cluster=gmm", "~cluster=gmm", "cluster=..."),
        ("cluster=[gmm,dbscan]", "cluster=[gmm,dbscan]", "-m cluster=gmm,dbscan"),
        ("-m hydra.sweeper.params={cluster.k:'3,4'}", "hydra.sweeper.params", "-m cluster.k=3,4"),
        ("-m hydra/launcher=joblib,basic", "hydra/launcher=joblib,basic", "a single value"),
        ("-m hydra/launcher=ray", "hydra/launcher=ray", "pip install hydra-ray-launcher"),
        ("-m hydra.launcher.n_jobs=2", "hydra.launcher.n_jobs=2", "hydra/launcher=joblib"),
        ("hydra.mode=nothing", "hydra.mode=nothing", "RUN, MULTIRUN"),
        (
            "-m experiment=digits_seeds,clip_density",
            "experiment=digits_seeds,clip_density",
            "seed=0,1,2,3,4 cluster.k=10,50",
        ),
        ("--experimental-rerun x.pickle", "--experimental-rerun=x.pickle", "scripts/verify.py RUN_ID"),
        ("-cn other", "--config-name=other", "experiment=other"),
        ("-cp nowhere", "--config-path=nowhere", "--config-dir=nowhere"),
        ("-cd nowhere", "--config-dir nowhere", "cluster/mine.yaml"),
        ("--cluster.k=3", "--cluster.k=3", "key=value"),
        ("-m --run", "--run --multirun", "one of them"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_answered_with_what_to_type(words: str, key: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        command(words)
    says(error, key=key, use=use)


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

    monkeypatch.setattr(
        sys, "argv", ["run.py", "-m", *request.hydra_overrides, f"hydra.sweep.dir={tmp_path}"]
    )
    hydra.main(version_base="1.3", config_path=str(compose.CONF), config_name="config")(job)()
    names = [repr(plan.cfg.tracking.experiment) for plan in request.plans]
    assert ran == [[*job, name] for job, name in zip(request.jobs, names, strict=True)]
    assert command(words).jobs == request.jobs, "the same command has the same order"
