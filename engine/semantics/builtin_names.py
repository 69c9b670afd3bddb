"""Names of FEEL's built-in functions that hold spaces, and of its types.

The lexer must know them to tell `date and time(x)` from a conjunction, and it must not pay
for the whole catalogue to do so; a test holds this list and the catalogue together.
"""
from __future__ import annotations

#: Built-in functions whose names are more than one word.
SPACED_FUNCTIONS = (
    "date and time", "years and months duration", "string length", "upper case", "lower case",
    "substring before", "substring after", "starts with", "ends with", "string join",
    "list contains", "insert before", "list replace", "index of", "distinct values",
    "round up", "round down", "round half up", "round half down",
    "day of year", "day of week", "month of year", "week of year",
    "get value", "get entries", "context put", "context merge",
    "met by", "overlaps before", "overlaps after", "finished by", "started by",
    "get or else",
)

#: Types that FEEL names in more than one word.
SPACED_TYPES = ("date and time", "days and time duration", "years and months duration")

#: Properties of temporal values and ranges that hold spaces.
SPACED_MEMBERS = ("time offset", "start included", "end included")
