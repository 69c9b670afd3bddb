"""Tierwise: a rules engine for small-business lending policies."""
