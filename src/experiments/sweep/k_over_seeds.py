"""The choice of k over the seeds of a sweep, from the mean of each metric."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.comparison.seeds import SEED
from experiments.evaluator.k_selection import KSelection
from experiments.job.perform import Outcome
from experiments.job.summary import settings
from experiments.store.cache import Store
from experiments.types import Findings


def k_over_seeds(outcomes: Sequence[Outcome], evaluators: Mapping[str, Any], store: Store) -> Findings:
    """Return the findings of `k_selection` over all seeds whose results are cached.

    They are empty for fewer than two seeds, and if the jobs of a seed differ in a setting on which the choice
    depends.
    """
    done = [outcome for outcome in outcomes if outcome.status == "FINISHED"]
    for name, evaluator in evaluators.items():
        if not isinstance(evaluator, KSelection):
            continue
        choices = {(settings(outcome).get(SEED), outcome.finding_keys.get(name)) for outcome in done}
        keys = sorted({key for _, key in choices if key and store.holds(key)})
        if len(choices) == len({seed for seed, _ in choices}) and len(keys) > 1:
            return evaluator.over_seeds(
                [store.fitted(key, lambda: Findings({})).tables["k_selection"] for key in keys]
            )
    return Findings({})
