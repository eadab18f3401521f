"""Parts of the agglomerative clusterer: cuts of its tree, and the k of one of them."""
