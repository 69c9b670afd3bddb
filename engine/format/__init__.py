"""The one canonical form of policy files: layout, grids, safe quoting."""
