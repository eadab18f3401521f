"""Re-run a past run and compare the results."""
