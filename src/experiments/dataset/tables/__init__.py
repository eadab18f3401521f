"""CSV, TSV and Parquet files: dialect, columns, and reading in chunks of bounded memory."""
