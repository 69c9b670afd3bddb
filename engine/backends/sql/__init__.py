"""Policies as SQL: a first subset, one customer a row. Needs the extra `duckdb`."""
