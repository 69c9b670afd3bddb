"""Random well-typed policies and customers, decided by every evaluator there is."""
