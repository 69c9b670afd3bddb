"""Functions of plugins, and the sets that are built in."""
