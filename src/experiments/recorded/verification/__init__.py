"""Run a recorded run again, and tell whether it gives the same."""
