"""The columnar backend and the solver against the reference evaluator."""
