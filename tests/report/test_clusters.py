"""The clusters of a report: members and majority classes."""

import pandas as pd

from experiments.report.clusters import clusters, shown_members

MEMBERS = pd.DataFrame(
    {
        "id": ["1.png", "2.png", "3.png", "4.png", "5.png", "6.png"],
        "cluster": [0, 0, 0, 4, 4, -1],
        "label": ["cat", "dog", "", "cat", "cat", "eel"],
    }
)


def test_tied_majority_labels_are_all_named_and_none_is_wrong() -> None:
    groups = clusters(MEMBERS)
    assert [(group.number, group.members) for group in groups] == [(0, [0, 1, 2]), (4, [3, 4]), (-1, [5])]
    assert groups[0].composition == "tied: cat, dog (50% each of 2 labelled)"
    assert groups[1].composition == "mostly cat (100%)"
    tied, *_ = shown_members(MEMBERS, groups, with_images=True)
    assert [(member.caption, member.wrong) for member in tied] == [
        ("cat", False),
        ("dog", False),
        ("3", False),
    ]


def test_a_minority_label_is_wrong_except_in_noise() -> None:
    members = MEMBERS.assign(label=["cat", "cat", "dog", "cat", "cat", "eel"])
    wrong = [
        [member.wrong for member in group]
        for group in shown_members(members, clusters(members), with_images=True)
    ]
    assert wrong == [[False, False, True], [False, False], [False]]


def test_clusters_have_the_names_that_an_evaluator_gave_them() -> None:
    assert [group.name for group in clusters(MEMBERS, {0: "cat"})] == [
        "cluster 0 (cat)",
        "cluster 4",
        "noise",
    ]


def test_clusters_without_labels_have_no_composition() -> None:
    groups = clusters(MEMBERS.drop(columns="label"))
    assert [(group.size, group.composition) for group in groups] == [(3, ""), (2, ""), (1, "")]
