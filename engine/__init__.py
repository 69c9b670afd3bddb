"""Tierwise: a rules engine for small-business lending policies."""
__version__ = "0.1.0"
