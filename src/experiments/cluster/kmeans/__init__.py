"""Parts of the k-means clusterers."""
