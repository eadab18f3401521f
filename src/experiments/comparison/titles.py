"""Titles of the tables over all jobs, on the terminal and on the sweep's page."""

MEANS = "mean over the seeds and half of its 95 % interval (Student's t, n - 1 degrees of freedom)"
SPREAD = (
    "spread over the seeds: standard deviation; stability: mean ARI of the clusterings of two seeds "
    "and half of its 95 % interval (jackknife)"
)
ABOUT = {
    "label_free": "Without labels: the configuration each criterion chooses, and the best by each metric",
    "probes": "Probes of the embedding: the supervised upper bound",
    "leakage": "Probes, protocol=published minus held_out on one embedding: difference, 95 % interval",
}
