"""The figures that a person reads first, in that order."""

from collections.abc import Mapping

MAIN_METRICS = (
    "ari",
    "ami",
    "nmi",
    "purity",
    "purity_ceiling",
    "purity_validation",
    "acc",
    "silhouette",
    "inertia",
    "clusters",
    "noise_share",
    "silhouette_umap",
)


def main_first(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the same figures, the main ones first: MLflow shows them in the order in which they came."""
    return {name: metrics[name] for name in MAIN_METRICS if name in metrics} | dict(metrics)
