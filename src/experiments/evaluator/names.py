"""Names of clusters: the class that a network sees more often in a cluster than in all images."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures import vocabulary
from experiments.evaluator.measures.cluster_names import Head, Scores, assign, score_classes
from experiments.evaluator.measures.groups import group_rows
from experiments.evaluator.measures.majority import majority
from experiments.evaluator.measures.vocabulary import (
    EXACT,
    IMAGENET,
    PREFIX,
    SYNONYM,
    UNNAMED,
    WORDNET,
    Term,
    forms,
)
from experiments.metric_names import names_of
from experiments.numerics.scale import unit_rows
from experiments.samples import Samples
from experiments.store.file_hashes import sha256
from experiments.store.keys import cache_key
from experiments.types import Clustering, Encoder, Findings

if TYPE_CHECKING:
    import pandas as pd

OTHER, UNKNOWN = "other", "unknown"  # the label is another name, or none of the names
USE = "use backbone=efficientnet_lite0, resnet50 or clip"


def is_vocabulary_file(value: str) -> bool:
    """Return True if `vocabulary` is a path."""
    return value not in (IMAGENET, WORDNET)


@dataclass(frozen=True)
class Names:
    """The table `names`: for each cluster a name, the runner-up, and how far to trust them.

    The score of a class is its mean value in the cluster minus its mean over all images. A network with a
    head gives probabilities of the classes that it was trained on; one with a text tower gives the similarity
    of the image to texts with the name. Each cluster gets another name, one to one, so that the sum of the
    scores is highest, among its 50 best classes. A name whose score is not above `level`, the 95th
    percentile of the best scores of shuffled clusters of the same size, is replaced by `unnamed`. `margin`
    is the score minus that of the runner-up, the best other class; it is below 0 if that is another cluster's
    name. `agree` is the share of the cluster's images whose own best class is the name.

    With labels, a name is `exact` if it equals a majority label of its cluster, without case, punctuation and
    plural, and a `synonym` if the label is another WordNet name of the same class. Hypernyms do not count.

    Parameters
    ----------
    vocabulary
        The names for a network with a text tower: `imagenet`, `wordnet`, or the path of a text file.
    prompts
        Texts with `{}` for the name; a name's embedding is their mean.
    shuffles
        Number of random clusterings.
    min_score
        Lowest score of a name by a network with a head; scores of texts have another scale.
    clusters
        Largest number of clusters that get a name.
    seed
        Seed of the random clusterings.

    Source
    ------
    Radford et al., "Learning transferable visual models from natural language supervision", 2021 (prompts).
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "embeddings", "clustering")
    NAMES_CLUSTERS: ClassVar[bool] = True
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("names")
    DERIVED: ClassVar[tuple[str, ...]] = ("words",)
    VERSION: ClassVar[int] = 2

    vocabulary: str = field(compare=False, metadata={"path": is_vocabulary_file})
    prompts: tuple[str, ...]
    shuffles: int
    min_score: float
    clusters: int
    seed: int

    def __post_init__(self) -> None:
        if is_vocabulary_file(self.vocabulary):
            vocabulary.file_names(Path(self.vocabulary))
        without = [prompt for prompt in self.prompts if "{}" not in prompt]
        if without or not self.prompts:
            raise ValueError(
                f"{PREFIX}.prompts={list(self.prompts)} has {'a text without {}' if without else 'no text'}; "
                "write {} where the name goes: 'a photo of a {}.'"
            )
        for name in ("shuffles", "clusters"):
            if getattr(self, name) < 1:
                raise ValueError(f"{PREFIX}.{name}={getattr(self, name)} is too few; use 1 or more")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"{PREFIX}.min_score={self.min_score} is no difference of shares; use 0 to 1")

    @cached_property
    def words(self) -> str:
        """Return the vocabulary's part of the cache key: its name, or the hash of its file."""
        file = is_vocabulary_file(self.vocabulary)
        return sha256(Path(self.vocabulary)) if file else self.vocabulary

    def check(self, samples: Samples) -> None:
        """Accept all samples."""

    def check_backbone(self, backbone: Any) -> None:
        """Raise ValueError if the backbone's encoder knows no names, or none of this vocabulary."""
        source = getattr(backbone, "names_from", "")
        if not source:
            option = type(backbone).__module__.rpartition(".")[2]
            model = f" backbone.model={backbone.model}" if hasattr(backbone, "model") else ""
            raise ValueError(
                f"evaluator=[names] needs a network with classes or texts, and backbone={option}{model} has "
                f"neither; {USE}, or leave names out of evaluator=[...]"
            )
        if source == "classes" and self.vocabulary != IMAGENET:
            raise ValueError(
                f"{PREFIX}.vocabulary={self.vocabulary} needs a network with a text tower, as a head has its "
                f"own classes; use backbone=clip or {PREFIX}.vocabulary={IMAGENET}"
            )

    def evaluate(
        self,
        *,
        ctx: Context,
        samples: Samples,
        encoder: Encoder,
        embeddings: np.ndarray,
        clustering: Clustering,
    ) -> Findings:
        """Name the clusters; noise and the clusters beyond the largest get no name."""
        from threadpoolctl import threadpool_limits

        groups = group_rows(clustering.assignments)
        shown = [group for group in groups.largest(self.clusters) if groups.ids[group] >= 0]
        if not shown:
            return Findings({}, warnings=(f"{PREFIX}: there are no clusters to name",))
        members = {int(groups.ids[group]): np.flatnonzero(groups.row_groups == group) for group in shown}
        terms, head = self._head(encoder, ctx)
        points = np.asarray(embeddings) if head.softmax else unit_rows(embeddings)
        with threadpool_limits(ctx.threads):
            scores = score_classes(head, points, list(members.values()), self.shuffles, self.seed)
        table = _table(terms, scores, members, self.min_score if head.softmax else 0)
        if samples.label_names is not None:
            _add_labels(table, terms, members, samples.label_names)
        table = table.drop(columns="class")
        warnings = []
        if (omitted := int((groups.ids >= 0).sum()) - len(shown)) > 0:
            warnings.append(f"{PREFIX}.clusters={self.clusters} leaves {omitted:,} clusters without a name")
        if getattr(encoder, "random", False):
            warnings.append(f"{PREFIX}: names mean nothing, as backbone.weights=none is a random network")
        return Findings(_metrics(table), {"names": table}, {}, tuple(warnings))

    def _head(self, encoder: Any, ctx: Context) -> tuple[list[Term], Head]:
        """Return the classes and how to compute their values; text embeddings are cached."""
        head = encoder.class_head()
        if head is not None:
            return vocabulary.network_terms(len(head[0])), Head(head[0], head[1], softmax=True)
        terms = vocabulary.terms(self.vocabulary)
        names = [term.name for term in terms]

        def embed() -> np.ndarray:
            texts = [prompt.replace("{}", name) for name in names for prompt in self.prompts]
            vectors = encoder.embed_texts(texts, ctx).reshape(len(names), len(self.prompts), -1)
            return unit_rows(vectors.mean(axis=1))

        key = cache_key("texts", encoder=encoder.key, names=names, prompts=self.prompts)
        weights = np.asarray(ctx.store.array(key, embed))
        return terms, Head(weights, np.zeros(len(weights), np.float32), softmax=False)


def _table(
    terms: list[Term], scores: Scores, members: dict[int, np.ndarray], min_score: float
) -> "pd.DataFrame":
    """Return a row for each cluster."""
    import pandas as pd

    rows = []
    columns = assign(scores.classes, scores.scores).tolist()
    parts = (columns, scores.classes, scores.scores, scores.levels.tolist())
    for (cluster, own), column, classes, values, level in zip(members.items(), *parts, strict=True):
        score = float(values[column]) if column >= 0 else np.nan
        named, other = score > level and score >= min_score, int(column == 0)
        agree = float(np.mean(scores.row_classes[own] == classes[column])) if named else np.nan
        has_other = other < len(classes)
        rows.append(
            {
                "cluster": cluster,
                "images": len(own),
                "name": terms[classes[column]].name if named else UNNAMED,
                "score": score,
                "level": level,
                "runner_up": terms[classes[other]].name if has_other else "",
                "margin": score - float(values[other]) if has_other else np.nan,
                "agree": agree,
                "class": int(classes[column]),
            }
        )
    return pd.DataFrame(rows)


def _add_labels(
    table: "pd.DataFrame", terms: list[Term], members: dict[int, np.ndarray], labels: np.ndarray
) -> None:
    """Add the majority label of each cluster and how the name matches it."""
    known = {form for term in terms for name in (term.name, *term.synonyms) for form in forms(name)}
    majorities = [majority(labels[rows]) for rows in members.values()]
    matches = []
    for name, number, most in zip(table["name"], table["class"], majorities, strict=True):
        kinds = {terms[number].matches(label) for label in most.classes} if name != UNNAMED else set()
        in_vocabulary = any(forms(label) & known for label in most.classes)
        other = (OTHER if in_vocabulary else UNKNOWN) if most.classes else ""
        matches.append(next((kind for kind in (EXACT, SYNONYM) if kind in kinds), other))
    table["label"] = [most.name for most in majorities]
    table["match"] = matches


def _metrics(table: "pd.DataFrame") -> dict[str, float]:
    metrics = {"names_unnamed": float((table["name"] == UNNAMED).mean())}
    if "match" not in table or not (labelled := table[table["match"] != ""]).size:
        return metrics
    match, images = labelled["match"], labelled["images"]
    return metrics | {
        "names_exact": float((match == EXACT).mean()),
        "names_exact_images": float(images[match == EXACT].sum() / images.sum()),
        "names_synonym": float((match == SYNONYM).mean()),
        "names_known": float((match != UNKNOWN).mean()),
    }
