"""Parts of the density-based clusterers."""
