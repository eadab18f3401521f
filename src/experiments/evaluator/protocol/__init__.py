"""Which rows are fitted and scored under each protocol."""
