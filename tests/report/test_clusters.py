"""The clusters of a report: their members and the class that most of these have."""

import pandas as pd

from experiments.report.clusters import clusters, shown

MEMBERS = pd.DataFrame(
    {
        "id": ["1.png", "2.png", "3.png", "4.png", "5.png", "6.png"],
        "cluster": [0, 0, 0, 4, 4, -1],
        "label": ["cat", "dog", "", "cat", "cat", "eel"],
    }
)


def test_labels_that_are_tied_are_all_named_and_none_is_wrong() -> None:
    groups = clusters(MEMBERS)
    assert [(group.number, group.members) for group in groups] == [(0, [0, 1, 2]), (4, [3, 4]), (-1, [5])]
    assert groups[0].composition == "tied: cat, dog (50% each of 2 labelled)"
    assert groups[1].composition == "mostly cat (100%)"
    tied, *_ = shown(MEMBERS, groups, pictured=True)
    assert [(member.caption, member.wrong) for member in tied] == [
        ("cat", False),
        ("dog", False),
        ("3.png", False),
    ]


def test_a_label_that_few_have_is_wrong_but_in_noise() -> None:
    members = MEMBERS.assign(label=["cat", "cat", "dog", "cat", "cat", "eel"])
    wrong = [[member.wrong for member in group] for group in shown(members, clusters(members), pictured=True)]
    assert wrong == [[False, False, True], [False, False], [False]]


def test_clusters_without_labels_have_a_size_alone() -> None:
    groups = clusters(MEMBERS.drop(columns="label"))
    assert [(group.size, group.composition) for group in groups] == [(3, ""), (2, ""), (1, "")]
