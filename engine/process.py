"""Whose the process is, and with it its standard output, its threads and its end.

`owned` says that it is the command line's, so that what plugins do to it can be kept from the results. A program that
uses the engine as a library keeps its process to itself, and so does a plugin's own command.
"""
owned = False
