"""Parts of evaluator=k_selection: trials, references of the gap statistic, and the methods' choices of k."""
