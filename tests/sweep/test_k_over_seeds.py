"""The choice of k in a sweep counts all of its seeds."""

import pandas as pd
from tests.messages import numbers
from tests.running import composed

from experiments.config.build import build
from experiments.evaluator.k_methods.trial import COLUMNS
from experiments.job.perform import Outcome
from experiments.store.cache import Store
from experiments.sweep.k_over_seeds import k_over_seeds
from experiments.types import Findings

SILHOUETTES = {0: [0.5, 0.4, 0.3], 1: [0.1, 0.4, 0.2]}  # of k = 2, 3, 4


def job(store: Store, seed: int, key: str, *settings: str) -> Outcome:
    """Cache the k_selection of a seed; return the outcome of its job."""
    flat = dict.fromkeys((*COLUMNS, "gap", "gap_s"), [1.0] * 3)
    table = pd.DataFrame({"k": [2, 3, 4]} | flat | {"silhouette": SILHOUETTES[seed]})
    store.fitted(key, lambda: Findings({}, {"k_selection": table}))
    return Outcome([f"seed={seed}", *settings], status="FINISHED", finding_keys={"k_selection": key})


def test_the_choice_of_k_is_that_of_the_means_over_the_seeds(store: Store) -> None:
    typed = ["evaluator=[k_selection]", "cluster=faiss_kmeans"]
    evaluators = build(composed(typed), typed).stages.evaluators
    jobs = [job(store, seed, f"k-{seed}", f"cluster.k={k}") for seed in SILHOUETTES for k in (2, 3)]
    findings = k_over_seeds([Outcome([], status="FAILED"), *jobs], evaluators, store)
    chosen = findings.tables["k_verdicts"].set_index("method")["k"]
    assert chosen["silhouette"] == 3, "of the means 0.3, 0.4, 0.25; seed 0 alone would choose 2"
    assert findings.tables["k_selection"]["silhouette"].round(3).tolist() == [0.3, 0.4, 0.25]
    assert numbers(findings.tables["k_agreement"]["verdict"].item())[0] == "2", "seeds"
    assert numbers(findings.figures["k_selection"].title) == [str(chosen.notna().sum()), "2"]

    assert not k_over_seeds(jobs[:2], evaluators, store).tables, "one seed"
    other = job(store, 0, "k-of-another-space", "cluster.k=2", "reducer.whiten=true")
    assert not k_over_seeds([*jobs, other], evaluators, store).tables, "two choices for one seed"
