"""plan=true: which steps are cached and which would be computed, for data that was read and that was not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.config.test_command_line import read
from tests.messages import says

from experiments import pipeline
from experiments.context import Context
from experiments.job import preview
from experiments.store.cache import Store

SMALL = ["backbone=pixels", "dataset.limit=100", "reducer.n_components=5"]
STEPS = ["pixels", "backbone", "embed", "fit reducer", "reduce", "cluster", "external", "internal"]


def test_a_preview_names_what_is_kept_and_computes_nothing(ctx: Context, store: Store) -> None:
    looking = replace(ctx, store=Store(store.root, compute=False))
    chosen, other = (read(*SMALL, f"cluster.k={k}", multirun=False).plans[0].stages for k in (10, 12))
    before = {step.name: step.state for step in preview.preview(chosen, looking)}
    assert before == {"dataset": "read"} | dict.fromkeys(STEPS, "compute")
    pipeline.run(chosen, ctx)
    assert {step.state for step in preview.preview(chosen, looking)} == {"cached"}
    steps = {step.name: step for step in preview.preview(other, looking)}
    assert [name for name, step in steps.items() if step.state != "cached"] == [
        "cluster",
        "external",
        "internal",
    ]
    assert steps["cluster"].size == 100 * 8
    assert not looking.store.computed


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (["cluster.k=10"], 8),
        (["cluster.k=10,12"], 8 + 3),
        (["cluster.k=10,12", "seed=0,1"], 3 + 2 * 2 + 4 * 3),  # pixels have no seed; PCA and k-means do
        (["dataset.limit=50,100"], 2 * 8 - 1),  # the backbone sees no samples before it embeds them
    ],
)
def test_a_plan_counts_the_steps_of_data_that_was_never_read(
    words: list[str], steps: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = read(*SMALL, *words, f"cache.root={tmp_path}", "plan=true")
    preview.show(request.plans)
    out = capsys.readouterr().out
    says(out, key="digits", use="never read")
    says(" ".join(out.split()), key="never read", use="not checked")
    assert re.search(rf"\b{steps} distinct .*\d+\.\d MB", out)
    assert not list(tmp_path.glob("*-*")), "nothing was computed"
