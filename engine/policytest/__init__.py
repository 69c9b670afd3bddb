"""Policy tests as files: cases beside a policy and expectations of sample portfolios, read, run and reported.

`suite` reads a `*.test.yaml` file into cases (`cases` reads them, `tables` those in grids, `sheets` those in
CSV and xlsx files, `values` their data), `running` decides them by each evaluator and compares, `columnar` all of a
file in DuckDB, and `keep` writes a decided customer as a case.

`portfolios` reads sample portfolios (`samples` their data, `stored` an earlier run, `expectations` what must hold,
whose FEEL `conditions` checks against `rows`), `customers` decides them, and `judging` says what does not hold, as
`verdicts` (`asking` by conditions, `measures` by the arithmetic of `impact`, `monotone` and `stability`, on their
`ground`).

`session` runs a whole file, `report` tells what came out, and `pytest_plugin` lets pytest collect the same files.
"""
