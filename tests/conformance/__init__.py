"""Runs cases of the DMN Technology Compatibility Kit: `python -m tests.conformance CASES...`."""
