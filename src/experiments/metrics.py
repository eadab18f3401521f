"""The catalogue of metrics: the meaning of each one, and how to read it.

A metric is a function and a row here; terminal, reports and MLflow derive their lists from the rows.

1. The function. Of labels and clusters: evaluator/measures/agreement.py, with `@metric`. Of points and
   clusters: evaluator/measures/compactness.py, with `@compactness`. Any other: a value in the `metrics` that
   an evaluator returns.
2. The row, below: `EXTERNAL(...)` for agreement.py, `GEOMETRY(...)` for compactness.py, or that of the
   evaluator. A `rank` makes it a main metric: a column of the terminal and of MLflow's view, and a headline
   of the report, and of labels and clusters also a score of scripts/labels.py. A headline that is better if
   higher also ranks the configurations of a sweep (`Metric.chooses`). A narrow terminal hides the columns of
   the highest ranks. VERSION stays: cache keys have the names of an evaluator's metrics.
3. Its chance level, unless it is the same constant for all random clusters: a function `<name>_chance` in
   evaluator/measures/chance.py, with `@chance_level`; a row of that name here; and `chance="<name>_chance"`
   in the metric's own row.
4. Tests: a known answer in tests/evaluator/measures. The suite tests all metrics for invariances, bounds,
   chance levels, ranks, and a function of each row. `python scripts/make/stages.py` writes the row into
   docs/stages/metrics.md.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

NO_NOISE, SINGLETONS = "_no_noise", "_noise_singletons"
TREATMENTS = ("", NO_NOISE, SINGLETONS)  # noise is one more cluster, removed, one cluster per row
VALIDATION, TEST = "_validation", "_test"
ROWS = ("", VALIDATION, TEST)  # all scored rows, or those of one part of the split

MATCHED = "1 only if the numbers of clusters and classes are equal"
ACROSS_K = {
    "": "",
    "comparable": "comparable across k",
    **{way: f"{way} with k by itself" for way in ("rises", "falls", "changes")},
}


@dataclass(frozen=True)
class Metric:
    """One row of the catalogue.

    Parameters
    ----------
    name
        Its recorded name without suffixes; `{probe}`, `{groups}` and `{components}` are placeholders.
    fact
        Its meaning in a few words; `about` adds `across_k` and `matched` in words.
    by
        The modules in evaluator/ that compute it.
    better
        The direction that is better; empty if neither is. A main metric that is `charted` together needs one,
        unless it is a level of another metric.
    labels
        True if it needs labels.
    chance
        Its value for random clusters, or the metric of that value (evaluator/measures/chance.py).
    ceiling
        Its highest possible value, or the metric of that value.
    matched
        True if the ceiling needs equal numbers of clusters and classes.
    across_k
        How it changes with the number of clusters alone; empty if unknown.
    rank
        Position among the main metrics, lowest first; 0: not a main metric. Any free number: the tens leave
        gaps for new metrics.
    validation_rank
        Position of its value on the validation rows, in the same sequence as `rank`.
    charted
        `together` on one axis with others, `alone`, or empty for no chart; for main metrics only.
    noise, rows
        The suffixes of its recorded names.
    space
        The points whose distances it measures: the embeddings, or the reduced ones. Jobs whose points differ
        cannot be compared by it (`metric_names.comparable`).
    """

    name: str
    fact: str
    by: tuple[str, ...]
    better: Literal["higher", "lower", ""] = ""
    labels: bool = False
    chance: float | str | None = None
    ceiling: float | str | None = None
    matched: bool = False
    across_k: Literal["comparable", "rises", "falls", "changes", ""] = ""
    rank: int = 0
    validation_rank: int = 0
    charted: Literal["together", "alone", ""] = "together"
    noise: tuple[str, ...] = ("",)
    rows: tuple[str, ...] = ("",)
    space: Literal["embeddings", "reduced", ""] = ""

    @property
    def about(self) -> str:
        """Its full meaning in one sentence."""
        parts = (self.fact, ACROSS_K[self.across_k], MATCHED if self.matched else "")
        return "; ".join(part for part in parts if part)

    @property
    def drifts(self) -> bool:
        """True if it changes with the number of clusters alone."""
        return self.across_k in ("rises", "falls", "changes")

    @property
    def bound(self) -> bool:
        """True if it is the chance level or ceiling of another metric."""
        return self.name in BOUNDS

    @property
    def headlined(self) -> bool:
        """True if it is a headline of reports: a main metric on the common axis that is no level itself."""
        return bool(self.rank) and self.charted == "together" and not self.bound

    @property
    def capped(self) -> bool:
        """True if it is a share of correct rows, like a classifier's accuracy."""
        return isinstance(self.ceiling, str)

    @property
    def chooses(self) -> bool:
        """True if it ranks the configurations of a sweep: a headline that is better if higher."""
        return self.headlined and self.better == "higher"


LABELLED = partial(Metric, labels=True, better="higher", rows=ROWS)
EXTERNAL = partial(LABELLED, by=("external",), noise=TREATMENTS)
INTERNAL = partial(Metric, by=("internal",))
GEOMETRY = partial(INTERNAL, noise=TREATMENTS, space="reduced")
LABEL_FREE = partial(Metric, by=("label_free",), space="embeddings")
MACRO = partial(LABELLED, by=("macro",))
PROBE = partial(LABELLED, by=("probe",))
FIT = partial(PROBE, better="", rows=("",))
CROSSTAB = partial(Metric, by=("crosstab",), labels=True)
CHOICE = partial(Metric, by=("k_selection",))
DATA = partial(Metric, by=("data_report",))
CLASSES = partial(DATA, labels=True)
PAIRS = partial(Metric, by=("near_duplicates",))
NAMES = partial(Metric, by=("names",))

GROUPED = (
    "purity",
    "nmi",
    "ami",
    "ari",
)  # metrics of groups of classes, by evaluator=macro_purity
CATALOGUE = {
    row.name: row
    for row in (
        EXTERNAL("ari", "agreement with the labels on pairs of images",
                 chance=0.0, ceiling=1.0, matched=True, across_k="comparable", rank=10),
        EXTERNAL("ami", "mutual information with the labels, adjusted for chance",
                 chance=0.0, ceiling=1.0, matched=True, across_k="comparable", rank=20),
        EXTERNAL("nmi", "normalised mutual information with the labels",
                 chance="nmi_chance", ceiling=1.0, matched=True, across_k="rises", rank=30),
        EXTERNAL("purity", "share of images in their cluster's majority class",
                 chance="purity_chance", ceiling="purity_ceiling", across_k="rises",
                 rank=40, validation_rank=60),
        EXTERNAL("purity_ceiling", "share of images in the k largest classes: k clusters cannot be purer",
                 rank=50),
        EXTERNAL("acc", "accuracy of the best one-to-one match of clusters to classes",
                 chance="acc_chance", ceiling="purity_ceiling", matched=True, across_k="changes", rank=70),
        EXTERNAL("homogeneity", "1 if each cluster contains a single class", across_k="rises"),
        EXTERNAL("completeness", "1 if each class is in a single cluster", across_k="falls"),
        EXTERNAL("v_measure", "harmonic mean of homogeneity and completeness, the same as nmi",
                 across_k="rises"),
        EXTERNAL("acc_chance", "mean acc of random clusters of the same sizes"),
        EXTERNAL("nmi_chance", "mean nmi of random clusters of the same sizes"),
        EXTERNAL("purity_chance", "mean purity of random clusters of the same sizes"),
        EXTERNAL("purity_mapped", "accuracy if clusters predict their majority class of training rows",
                 rows=(VALIDATION, TEST)),
        GEOMETRY("silhouette", "relative difference of distances to the next and to the own cluster, -1 to "
                 "1; k-means is above 0 also on data without groups", better="higher", ceiling=1.0,
                 across_k="changes", rank=80),
        GEOMETRY("silhouette_error", "half the 95 % interval of silhouette over all rows", better="lower"),
        GEOMETRY("silhouette_rows", "number of rows that silhouette is computed on"),
        GEOMETRY("calinski_harabasz", "ratio of the variance between clusters to that within",
                 better="higher"),
        GEOMETRY("davies_bouldin", "ratio of the widths of two neighbouring clusters to their distance",
                 better="lower"),
        INTERNAL("inertia", "sum of squared distances to the centroids", better="lower", across_k="falls",
                 rank=90, charted="", space="reduced"),
        INTERNAL("clusters", "number of clusters", rank=100, charted="alone"),
        INTERNAL("smallest_cluster", "samples in the smallest cluster"),
        INTERNAL("largest_cluster", "samples in the largest cluster"),
        Metric("noise_share", "share of images in no cluster", ("internal", "external"), better="lower",
               rank=110, rows=ROWS),
        LABEL_FREE("silhouette_embeddings", "silhouette in the embeddings of length 1, 0 for noise",
                   better="higher", ceiling=1.0, across_k="changes", rank=120),
        LABEL_FREE("silhouette_embeddings_error", "half the 95 % interval of silhouette_embeddings",
                   better="lower"),
        Metric("silhouette_below_zero", "share of samples nearer to another cluster than to their own",
               ("silhouettes",), better="lower", space="reduced"),
        *(LABELLED(f"{name}_macro_{{groups}}", f"{name} against the classes in groups", ("macro_purity",))
          for name in GROUPED),
        MACRO("macro_accuracy_{groups}", "accuracy of a probe of the classes in groups"),
        MACRO("macro_train_accuracy_{groups}", "accuracy of the same probe on its fitted rows", rows=("",)),
        FIT("{probe}_train_accuracy", "accuracy on the rows that the probe was fitted on", better="higher"),
        PROBE("{probe}_accuracy", "accuracy of a logistic regression on the embeddings"),
        PROBE("{probe}_gap", "accuracy on the fitted rows minus accuracy on the scored rows",
              better="lower"),
        PROBE("{probe}_macro_precision", "mean precision of the classes"),
        PROBE("{probe}_macro_recall", "mean recall of the classes"),
        PROBE("{probe}_macro_f1", "mean F1 of the classes"),
        PROBE("{probe}_weighted_precision", "mean precision of the classes, weighted by their rows"),
        PROBE("{probe}_weighted_recall", "mean recall of the classes, weighted by their rows"),
        PROBE("{probe}_weighted_f1", "mean F1 of the classes, weighted by their rows"),
        FIT("{probe}_class_mean", "mean accuracy of the classes", better="higher"),
        FIT("{probe}_class_median", "median accuracy of the classes", better="higher"),
        FIT("{probe}_class_std", "standard deviation of the accuracy of the classes"),
        FIT("{probe}_scored", "scored rows"),
        FIT("{probe}_trained_on", "share of the scored rows that the backbone was trained on"),
        FIT("{probe}_converged", "1 if the fit ended before its last iteration"),
        FIT("{probe}_iterations", "iterations of the fit"),
        Metric("explained_variance_{components}", "share of the variance in this number of components",
               ("variance",), better="higher"),
        CROSSTAB("chi_square", "chi-square statistic of labels against clusters"),
        CROSSTAB("chi_square_p", "p value of chi_square under independence"),
        CROSSTAB("cramers_v", "association from 0 to 1", better="higher", across_k="changes"),
        CROSSTAB("cramers_v_corrected", "cramers_v, corrected for bias", better="higher"),
        Metric("k_distance_knee", "eps for DBSCAN at the knee of the sorted distances", ("k_distance",)),
        CHOICE("k_elbow_distance", "k at the knee of the mean distance to the centroid"),
        CHOICE("k_elbow_inertia", "k at the knee of the inertia"),
        CHOICE("k_silhouette", "k with the highest silhouette"),
        CHOICE("k_gap", "k that the gap statistic chooses"),
        CHOICE("k_calinski_harabasz", "k with the highest calinski_harabasz"),
        CHOICE("k_davies_bouldin", "k with the lowest davies_bouldin"),
        CHOICE("k_stability_seeds", "largest k whose clusterings agree over seeds"),
        CHOICE("k_stability_bootstrap", "largest k whose clusterings agree over bootstrap samples"),
        DATA("data_images", "samples read"),
        DATA("data_duplicates", "samples with the same content as an earlier sample"),
        DATA("data_skipped", "files that could not be read"),
        CLASSES("data_classes", "classes"),
        CLASSES("data_mean", "mean number of samples of a class"),
        CLASSES("data_min", "samples of the smallest class"),
        CLASSES("data_max", "samples of the largest class"),
        CLASSES("data_median", "median number of samples of a class"),
        CLASSES("data_std", "standard deviation of the number of samples of a class"),
        CLASSES("data_imbalance", "ratio of the largest class to the smallest, in samples"),
        PAIRS("near_duplicate_pairs", "pairs whose embeddings are nearly parallel"),
        PAIRS("near_duplicate_images", "samples in at least one near-duplicate pair"),
        PAIRS("near_duplicates_across_split", "near-duplicate pairs between different parts of the split"),
        PAIRS("exact_duplicate_pairs", "pairs of equal content"),
        NAMES("names_exact", "share of clusters whose name is their majority label", labels=True,
              better="higher"),
        NAMES("names_exact_images", "share of images in these clusters", labels=True, better="higher"),
        NAMES("names_synonym", "share of clusters whose majority label is a synonym of their name",
              labels=True),
        NAMES("names_known", "share of clusters whose majority label is one of all names or synonyms",
              labels=True),
        NAMES("names_unnamed", "share of clusters without a name"),
    )
}  # fmt: skip
BOUNDS = {end for row in CATALOGUE.values() for end in (row.chance, row.ceiling) if isinstance(end, str)}
