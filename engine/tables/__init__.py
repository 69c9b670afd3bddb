"""Grids, scorecards, parameters and tables of cases as sheets of an xlsx file, and back."""
