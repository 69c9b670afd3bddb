"""Explanations: why a customer got what they got, and what was missing."""
