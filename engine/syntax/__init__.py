"""FEEL text and text grids to syntax trees."""
