"""Policy tests as files: cases beside a policy, read, run and reported.

`suite` reads a `*.test.yaml` file into cases (`cases` reads them, `tables` those in grids, `sheets` those in
CSV and xlsx files, `values` their data), `running` decides them with both evaluators, `report` tells
what came out, `keep` writes a decided customer as a case, and `pytest_plugin` lets pytest collect the same files.
"""
