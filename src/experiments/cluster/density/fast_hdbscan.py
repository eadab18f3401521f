"""Calls of fast_hdbscan's internal functions, which may change with any release."""

from typing import Any

import numpy as np


def spanning_tree(
    rows: np.ndarray, min_samples: int, threads: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of the minimum spanning tree, each row's neighbours, and core distances."""
    import numba
    from fast_hdbscan.boruvka import parallel_boruvka
    from fast_hdbscan.numba_kdtree import build_kdtree

    threads_before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    try:
        edges, near, core = parallel_boruvka(
            build_kdtree(rows), threads, min_samples, np.empty(1, np.float32), False
        )
    finally:
        numba.set_num_threads(threads_before)
    return edges, near, core


def condensed_tree(edges: np.ndarray, min_cluster_size: int) -> Any:
    """Return the tree of branches of at least `min_cluster_size` points: parent, child, lambda_val."""
    from fast_hdbscan import cluster_trees

    linkage = cluster_trees.mst_to_linkage_tree(np.array(edges))
    return cluster_trees.condense_tree(linkage, min_cluster_size=min_cluster_size)


def select_clusters(
    tree: Any, n: int, *, method: str, allow_single_cluster: bool, epsilon: float
) -> np.ndarray:
    """Return the branches of a condensed tree that are clusters, numbered from n."""
    from fast_hdbscan import cluster_trees

    branches = cluster_trees.cluster_tree_from_condensed_tree(tree)
    if not len(branches.parent):  # fast_hdbscan ignores allow_single_cluster here
        return np.array([n] if allow_single_cluster else [], np.int64)
    if method == "leaf":
        clusters = cluster_trees.cluster_tree_leaves(branches, n)
    else:
        clusters = cluster_trees.extract_eom_clusters(
            tree, branches, allow_single_cluster=allow_single_cluster
        )
    if len(clusters) > 1 and epsilon > 0:
        clusters = cluster_trees.cluster_epsilon_search(clusters, branches, min_epsilon=float(epsilon))
    return np.asarray(clusters, np.int64)


def assign_points(tree: Any, clusters: np.ndarray, epsilon: float, n: int) -> np.ndarray:
    """Return the cluster of each of n points, -1 is noise."""
    from fast_hdbscan import cluster_trees

    assignments = cluster_trees.get_cluster_label_vector(tree, clusters, float(epsilon), n_samples=n)
    return np.asarray(assignments, np.int64)


def membership_strengths(tree: Any, clusters: np.ndarray, assignments: np.ndarray) -> np.ndarray:
    """Return the density at which each point leaves its cluster, divided by the largest finite one there."""
    from fast_hdbscan import cluster_trees

    if not len(clusters):
        return np.zeros(len(assignments), np.float32)
    finite = np.isfinite(tree.lambda_val)
    finite_tree = tree._replace(lambda_val=np.where(finite, tree.lambda_val, 0))
    strengths: np.ndarray = cluster_trees.get_point_membership_strength_vector(
        finite_tree, clusters, assignments
    )
    equal = tree.child[~finite & (tree.child < len(assignments))]
    strengths[equal] = assignments[equal] >= 0
    return strengths
