"""Names of classes: ImageNet's, WordNet's nouns, or the lines of a file; and when a name equals a label."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import NamedTuple

PREFIX = "evaluator.names"
IMAGENET, WORDNET = "imagenet", "wordnet"
LARGEST = 50_000  # names in a file
UNNAMED = "unnamed"
EXACT, SYNONYM = "exact", "synonym"


class Term(NamedTuple):
    """A class: its name, and further names."""

    name: str
    synonyms: tuple[str, ...] = ()

    def matches(self, label: str) -> str:
        """Return `exact` if the label is the name, `synonym` if it is a further one, or ""."""
        if forms(label) & forms(self.name):
            return EXACT
        return SYNONYM if any(forms(label) & forms(name) for name in self.synonyms) else ""


@cache
def forms(name: str) -> frozenset[str]:
    """Return a name without case and punctuation, and its possible singulars ("Sea_Horses": "sea horse")."""
    plain = re.sub(r"[\W_]+", " ", name.casefold()).strip()
    endings = ((r"ies$", "y"), (r"(?<=s|x|z)es$|(?<=ch|sh)es$", ""), (r"(?<=[^\Ws])s$", ""))
    return frozenset({plain, *(re.sub(ending, singular, plain) for ending, singular in endings)})


def network_terms(count: int) -> list[Term]:
    """Return the classes of a network of `count` classes; raise ValueError if they are not ImageNet's."""
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": count})
    if subset is None:
        raise ValueError(
            f"evaluator=[names] does not know the {count:,} classes of this network's head; use weights "
            "trained on ImageNet, such as backbone=efficientnet_lite0"
        )
    return [_term(text) for text in ImageNetInfo(subset).label_descriptions()]


def terms(vocabulary: str) -> list[Term]:
    """Return the classes of `imagenet`, `wordnet`, or of a file; equal names are one class."""
    if vocabulary not in (IMAGENET, WORDNET):
        return [Term(name) for name in file_names(Path(vocabulary))]
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo("imagenet-1k" if vocabulary == IMAGENET else "imagenet-21k-goog")
    merged: dict[str, Term] = {}
    for term in map(_term, info.label_descriptions()):
        before = merged.get(term.name, term)
        merged[term.name] = Term(term.name, tuple(dict.fromkeys(before.synonyms + term.synonyms)))
    return list(merged.values())


def file_names(path: Path) -> list[str]:
    """Return the names in a text file, one a line; raise ValueError for none, too many, or equal ones."""
    key = f"{PREFIX}.vocabulary={path}"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{key} cannot be read ({error}); use {IMAGENET}, {WORDNET}, or a text file, a name a line"
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ValueError(f"{key} has no names; write a name a line, or use {IMAGENET} or {WORDNET}")
    if len(names) > LARGEST:
        raise ValueError(
            f"{key} has {len(names):,} names, more than the {LARGEST:,} that a text tower embeds in hours; "
            f"keep the names that can occur, or use {PREFIX}.vocabulary={WORDNET}"
        )
    known: dict[str, str] = {}
    for name in names:
        if name.casefold() in known:
            raise ValueError(
                f"{key} has {name} twice; type sort -fu {shlex.quote(path.name)} > new.txt, and use new.txt"
            )
        known[name.casefold()] = name
    return names


def _term(lemmas: str) -> Term:
    name, *synonyms = lemmas.split(", ")
    return Term(name, tuple(synonyms))
