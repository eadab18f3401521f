"""Typed steps of a chain: order, settings, options of --config-dir, and errors."""

import pytest
from tests.messages import says

from experiments.config import compose
from experiments.config.build import build, with_absolute_paths
from experiments.config.command_line import parse_arguments, parse_request
from experiments.config.run_names import run_name
from experiments.reducer.chain import Chain
from experiments.reducer.l2 import L2
from experiments.reducer.pca import Pca


def built(*words, directory=None):
    return build(compose.compose_config(words, directory=directory), words)


def named(*words, directory=None):
    return [name for name, _ in built(*words, directory=directory).stages.reducer.steps]


def test_the_list_decides_the_order_and_settings_stand_next_to_it():
    stages = built("reducer.steps=[l2,pca]", "reducer.pca.n_components=64", "seed=3").stages
    assert stages.reducer.steps == (("l2", L2()), ("pca", Pca(64, True, False, 3)))


def test_the_chain_has_an_order_of_its_own_and_a_step_may_come_twice():
    assert named("reducer=chain") == ["pca", "l2"]
    assert named("reducer.steps=[l2,pca,l2]") == ["l2", "pca", "l2"]


def test_what_is_recorded_builds_the_same_again():
    plan = built("reducer.steps=[l2,pca]", "reducer.pca.n_components=7")
    assert build(with_absolute_paths(plan)).stages.reducer == plan.stages.reducer


def asked(*words):
    return parse_request(parse_arguments(["-m", *words]))


def test_a_sweep_over_orders_and_settings_is_a_job_each():
    request = asked("reducer.steps=[l2,pca],[pca,l2]", "reducer.pca.n_components=3,5")
    assert request.swept == ["reducer.steps", "reducer.pca.n_components"]
    chains = [plan.stages.reducer.steps for plan in request.plans]
    assert [[name for name, _ in chain] for chain in chains] == [["l2", "pca"]] * 2 + [["pca", "l2"]] * 2
    assert [dict(chain)["pca"].n_components for chain in chains] == [3, 5, 3, 5]
    assert "++reducer.pca.n_components=3,5" in request.hydra_overrides
    assert run_name(request.jobs[0]).endswith(" n_components=3")


@pytest.mark.parametrize("chains", ["reducer.steps=[l2],[l2,pca]", "reducer=pca,chain"])
def test_in_a_sweep_a_setting_is_of_the_jobs_that_have_the_step(chains):
    request = asked(chains, "reducer.pca.n_components=7")
    first, second = (plan.stages.reducer for plan in request.plans)
    assert dict(second.steps)["pca"].n_components == 7
    assert first in (Chain((("l2", L2()),)), Pca(50, True, False, 0))


@pytest.mark.parametrize(
    ("words", "key", "use"),
    [
        (
            ["reducer.steps=[l2],[l2,pca]", "reducer.umap.n_neighbors=5"],
            "reducer.umap.n_neighbors=5",
            "add umap",
        ),
        (
            ["reducer.steps=[l2],[l2,pca]", "reducer.pca.n_components=3,5"],
            "reducer.pca.n_components",
            "chains with pca in a separate command",
        ),
    ],
)
def test_in_a_sweep_a_setting_that_no_job_or_not_each_can_take_is_refused(words, key, use):
    with pytest.raises(ValueError, match="reducer") as error:
        asked(*words)
    says(error, key=key, use=use)


@pytest.fixture
def mine(tmp_path):
    """Make a folder for --config-dir: a reducer, and a preset with a chain."""
    for folder in ("reducer", "experiment"):
        (tmp_path / folder).mkdir()
    fields = "n_components: 5\nstandardize: false\nwhiten: true\nseed: ${seed}\n"
    reducer = f"_target_: experiments.reducer.pca.Pca\n{fields}"
    (tmp_path / "reducer/small.yaml").write_text(reducer, encoding="utf-8")
    preset = "# @package _global_\ndefaults:\n  - override /reducer: chain\nreducer:\n  steps: [pca, small]\n"
    (tmp_path / "experiment/mine.yaml").write_text(
        f"{preset}  pca:\n    n_components: 20\n", encoding="utf-8"
    )
    return str(tmp_path)


def test_an_option_of_your_own_is_a_step(mine):
    assert named("reducer.steps=[small,l2]", directory=mine) == ["small", "l2"]


def test_a_preset_sets_what_nobody_typed(mine):
    words = ["experiment=mine", "reducer.small.n_components=3"]
    reducer = built(*words, directory=mine).stages.reducer
    assert [(name, stage.n_components) for name, stage in reducer.steps] == [("pca", 20), ("small", 3)]


def test_what_a_preset_sets_for_a_step_that_was_typed_away_is_left_out(mine, caplog):
    assert named("experiment=mine", "reducer.steps=[l2]", directory=mine) == ["l2"]
    assert "reducer.pca.n_components" in caplog.text


@pytest.mark.parametrize(
    ("words", "key", "use"),
    [
        (["reducer.steps={l2:{},pca:{}}"], "reducer.steps", "reducer.steps=[l2,pca]"),
        (["reducer.steps=l2"], "reducer.steps=l2", "reducer.steps=[l2]"),
        (["reducer.steps=[]"], "reducer.steps=[]", "reducer=identity"),
        (["reducer.steps=[l2,pcaa]"], "reducer.steps=[l2,pcaa]", "did you mean pca?"),
        (["reducer.steps=[l2,chain]"], "chain", "identity, l2, neighbours, pca"),
        (["reducer.steps=[l2]", "reducer.umap.n_neighbors=5"], "reducer.umap.n_neighbors=5", "add umap"),
        (["reducer.pca.n_components=3"], "reducer.pca.n_components=3", "reducer.n_components=3"),
        (["reducer=chain", "reducer.pca.n_componentz=3"], "reducer.pca.n_componentz", "pca.n_components?"),
        (["reducer=chain", "reducer.pca.n_components=0"], "reducer.pca.n_components=0", "1 or more"),
        (["reducer.steps.pca.whiten=true"], "reducer.steps.pca.whiten=true", "reducer.pca.whiten="),
        (["reducer=chain", "~reducer.steps.l2"], "~reducer.steps.l2", "reducer.steps=[...]"),
        (["reducer=umap", "reducer.steps=[pca]"], "reducer.steps", "reducer=chain"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_answered_with_what_to_type(words, key, use):
    with pytest.raises(ValueError, match="reducer") as error:
        built(*words)
    says(error, key=key, use=use)
