"""The catalogue of metrics: what each one means, and how it is read.

To add a metric, write its function and a row here. One of labels and clusters goes into
evaluator/measures/agreement.py, one of points and clusters into evaluator/measures/compactness.py, any other
into an evaluator. A row with a rank stands in the terminal's table, in the report and in MLflow's view.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

NO_NOISE, SINGLETONS = "_no_noise", "_noise_singletons"
TREATMENTS = ("", NO_NOISE, SINGLETONS)  # noise as one more cluster, left out, each row of it a cluster
VALIDATION, TEST = "_validation", "_test"
ROWS = ("", VALIDATION, TEST)  # all rows that are scored, and those of one part


@dataclass(frozen=True)
class Metric:
    """One row of the catalogue.

    Parameters
    ----------
    name
        What it is recorded as, without suffixes; `{probe}`, `{groups}` or `{components}` stands for any.
    about
        Its meaning in one sentence.
    by
        The modules in evaluator/ that compute it.
    better
        The direction that is better; empty if neither is.
    labels
        It needs labels.
    chance
        What clusters get that know nothing, or the metric that has this.
    ceiling
        The best that can be reached, or the metric that has this.
    matched
        The ceiling is reached only by as many clusters as classes.
    drifts
        It rises or falls with k by itself.
    rank
        Place among the main metrics, those that a person reads first; 0: it is none.
    validation_rank
        The same of its value on the validation rows.
    charted
        `together` on one axis with others, `alone`, or not at all; asked of main metrics only.
    noise, rows
        The suffixes that it comes with.
    """

    name: str
    about: str
    by: tuple[str, ...]
    better: Literal["higher", "lower", ""] = ""
    labels: bool = False
    chance: float | str | None = None
    ceiling: float | str | None = None
    matched: bool = False
    drifts: bool = False
    rank: int = 0
    validation_rank: int = 0
    charted: Literal["together", "alone", ""] = "together"
    noise: tuple[str, ...] = ("",)
    rows: tuple[str, ...] = ("",)

    @property
    def bound(self) -> bool:
        """True if it is a level of other metrics, and no result."""
        return self.name in BOUNDS

    @property
    def headlined(self) -> bool:
        """True if reports show it beside its levels: it is a result, on the scale of the other ones."""
        return bool(self.rank) and self.charted == "together" and not self.bound

    @property
    def capped(self) -> bool:
        """True if it is a share of rows that are right, as a classifier's accuracy is."""
        return isinstance(self.ceiling, str)

    @property
    def chooses(self) -> bool:
        """True if the best configuration of a sweep is asked for by it."""
        return self.headlined and self.better == "higher"


MATCHED = "1 needs as many clusters as classes"
LABELLED = partial(Metric, labels=True, better="higher", rows=ROWS)
EXTERNAL = partial(LABELLED, by=("external",), noise=TREATMENTS)
INTERNAL = partial(Metric, by=("internal",))
GEOMETRY = partial(INTERNAL, noise=TREATMENTS)
UMAP = partial(Metric, by=("label_free",))
MACRO = partial(LABELLED, by=("macro",))
PROBE = partial(LABELLED, by=("probe",))
FIT = partial(PROBE, better="", rows=("",))
CROSSTAB = partial(Metric, by=("crosstab",), labels=True)
CHOICE = partial(Metric, by=("k_selection",))
DATA = partial(Metric, by=("data_report",))
CLASSES = partial(DATA, labels=True)
PAIRS = partial(Metric, by=("near_duplicates",))

CATALOGUE = {
    row.name: row
    for row in (
        EXTERNAL("ari", f"agreement with the labels on pairs of images; comparable across k; {MATCHED}",
                 chance=0.0, ceiling=1.0, matched=True, rank=10),
        EXTERNAL("ami", f"information shared with the labels; comparable across k; {MATCHED}",
                 chance=0.0, ceiling=1.0, matched=True, rank=20),
        EXTERNAL("nmi", f"information shared with the labels; rises with k by itself; {MATCHED}",
                 chance="nmi_chance", ceiling=1.0, matched=True, drifts=True, rank=30),
        EXTERNAL("purity", "share of images in their cluster's majority class; rises with k by itself",
                 chance="purity_chance", ceiling="purity_ceiling", drifts=True, rank=40, validation_rank=60),
        EXTERNAL("purity_ceiling", "share of images in the k largest classes: k clusters cannot be purer",
                 rank=50),
        EXTERNAL("acc", f"accuracy of the best one-to-one match of clusters to classes; {MATCHED}",
                 chance="acc_chance", ceiling="purity_ceiling", matched=True, drifts=True, rank=70),
        EXTERNAL("homogeneity", "how far each cluster holds a single class", drifts=True),
        EXTERNAL("completeness", "how far each class sits in a single cluster", drifts=True),
        EXTERNAL("v_measure", "harmonic mean of homogeneity and completeness; the same as nmi", drifts=True),
        EXTERNAL("acc_chance", "mean acc of clusters of these sizes that know nothing"),
        EXTERNAL("nmi_chance", "mean nmi of clusters of these sizes that know nothing"),
        EXTERNAL("purity_chance", "mean purity of clusters of these sizes that know nothing"),
        EXTERNAL("purity_mapped", "accuracy of the majority classes that the training rows give each cluster",
                 rows=(VALIDATION, TEST)),
        GEOMETRY("silhouette", "how much nearer the own cluster is than the next one, from -1 to 1",
                 better="higher", chance=0.0, ceiling=1.0, drifts=True, rank=80),
        GEOMETRY("silhouette_error", "half the 95 % interval of silhouette over all rows", better="lower"),
        GEOMETRY("silhouette_rows", "rows whose silhouette is averaged"),
        GEOMETRY("calinski_harabasz", "variance between clusters over that within", better="higher"),
        GEOMETRY("davies_bouldin", "width of two neighbouring clusters against their distance",
                 better="lower"),
        INTERNAL("inertia", "sum of squared distances to the centroids", better="lower", drifts=True, rank=90,
                 charted=""),
        INTERNAL("clusters", "number of clusters", rank=100, charted="alone"),
        INTERNAL("smallest_cluster", "samples in the smallest cluster"),
        INTERNAL("largest_cluster", "samples in the largest cluster"),
        Metric("noise_share", "share of images in no cluster", ("internal", "external"), better="lower",
               rank=110, rows=ROWS),
        UMAP("silhouette_umap", "silhouette in a UMAP of the embedding, 0 for noise, from -1 to 1",
             better="higher", chance=0.0, ceiling=1.0, rank=120),
        UMAP("silhouette_umap_error", "half the 95 % interval of silhouette_umap", better="lower"),
        Metric("silhouette_below_zero", "share of samples nearer to another cluster than to their own",
               ("silhouettes",), better="lower"),
        *(LABELLED(f"{name}_macro_{{groups}}", f"{name} against the classes in groups", ("macro_purity",))
          for name in ("purity", "nmi", "ami", "ari")),
        MACRO("macro_accuracy_{groups}", "accuracy of a probe of the classes in groups"),
        MACRO("macro_train_accuracy_{groups}", "the same on the rows it was fitted on", rows=("",)),
        FIT("{probe}_train_accuracy", "accuracy on the rows that the probe was fitted on", better="higher"),
        PROBE("{probe}_accuracy", "accuracy of a logistic regression on the embeddings"),
        PROBE("{probe}_gap", "accuracy on the rows it was fitted on less that on the scored ones",
              better="lower"),
        PROBE("{probe}_macro_precision", "mean precision of the classes"),
        PROBE("{probe}_macro_recall", "mean recall of the classes"),
        PROBE("{probe}_macro_f1", "mean F1 of the classes"),
        PROBE("{probe}_weighted_precision", "mean precision of the classes by their rows"),
        PROBE("{probe}_weighted_recall", "mean recall of the classes by their rows"),
        PROBE("{probe}_weighted_f1", "mean F1 of the classes by their rows"),
        FIT("{probe}_class_mean", "mean accuracy of the classes", better="higher"),
        FIT("{probe}_class_median", "median accuracy of the classes", better="higher"),
        FIT("{probe}_class_std", "standard deviation of the accuracy of the classes"),
        FIT("{probe}_scored", "scored rows"),
        FIT("{probe}_trained_on", "share of the scored rows that the backbone was trained on"),
        FIT("{probe}_converged", "1 if the fit ended before its last iteration"),
        FIT("{probe}_iterations", "iterations of the fit"),
        Metric("explained_variance_{components}", "share of the variance that so many components hold",
               ("variance",), better="higher"),
        CROSSTAB("chi_square", "how far labels and clusters are from independent"),
        CROSSTAB("chi_square_p", "chance of so large a chi_square if they were independent"),
        CROSSTAB("cramers_v", "chi_square from 0 to 1", better="higher", drifts=True),
        CROSSTAB("cramers_v_corrected", "cramers_v less what independent groups would have", better="higher"),
        Metric("k_distance_knee", "eps for DBSCAN where the sorted distances turn up", ("k_distance",)),
        CHOICE("k_elbow_distance", "k at the knee of the mean distance to the centroid"),
        CHOICE("k_elbow_inertia", "k at the knee of the inertia"),
        CHOICE("k_silhouette", "k with the highest silhouette"),
        CHOICE("k_gap", "k that the gap statistic chooses"),
        CHOICE("k_calinski_harabasz", "k with the highest calinski_harabasz"),
        CHOICE("k_davies_bouldin", "k with the lowest davies_bouldin"),
        CHOICE("k_stability_seeds", "largest k whose clusterings agree over seeds"),
        CHOICE("k_stability_bootstrap", "largest k whose clusterings agree over bootstrap samples"),
        DATA("data_images", "samples read"),
        DATA("data_duplicates", "samples with the content of an earlier one"),
        DATA("data_skipped", "files that could not be read"),
        CLASSES("data_classes", "classes"),
        CLASSES("data_mean", "mean number of samples of a class"),
        CLASSES("data_min", "samples of the smallest class"),
        CLASSES("data_max", "samples of the largest class"),
        CLASSES("data_median", "median number of samples of a class"),
        CLASSES("data_std", "standard deviation of the number of samples of a class"),
        CLASSES("data_imbalance", "samples of the largest class over those of the smallest"),
        PAIRS("near_duplicate_pairs", "pairs whose embeddings are nearly parallel"),
        PAIRS("near_duplicate_images", "samples in such a pair"),
        PAIRS("near_duplicates_across_split", "such pairs whose samples are in different parts"),
        PAIRS("exact_duplicate_pairs", "pairs of equal content"),
    )
}  # fmt: skip
BOUNDS = {end for row in CATALOGUE.values() for end in (row.chance, row.ceiling) if isinstance(end, str)}
