"""Portfolios in Spark: what Spark reads and decides, the embedded database counts and writes."""
