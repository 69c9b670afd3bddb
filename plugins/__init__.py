"""Built-in plugins.

Each uses only what a bank's own plugin could: the public names of `tierwise`.
"""
